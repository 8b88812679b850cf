"""Paths of a package's tree as they stand in addresses, in JSON and on pages. Pure."""

from __future__ import annotations

import base64

import msgspec

from haulage.base.errors import UsageError
from haulage.base.text import shown_bytes
from haulage.engine.content.browse import folders_above

RAW = "~"
"""Before a path in base64: one that is no text, or begins with this very mark."""
WIDE = 4096


class Crumb(msgspec.Struct, frozen=True, kw_only=True):
    """One folder on the way."""

    name: str
    at: str


def token(path: bytes) -> str:
    """A path for an address: itself where it is text."""
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        text = RAW
    return RAW + base64.urlsafe_b64encode(path).decode().rstrip("=") if text.startswith(RAW) else text


def path_of(text: str) -> bytes:
    """The path an address means. Raises UsageError ``bad-path``."""
    if not text.startswith(RAW):
        return text.strip("/").encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(text[1:] + "=" * (-(len(text) - 1) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise UsageError("bad-path", f"{text[:60]!r} is no path of a tree.", "Start from the version's page.") from None


def crumbs(path: bytes) -> list[Crumb]:
    """The way from the root to a folder, itself last; the root is left out."""
    steps = [*folders_above(path), path] if path else []
    return [Crumb(name=name_of(one), at=token(one)) for one in steps]


def name_of(path: bytes) -> str:
    """The last part, for people."""
    return shown_bytes(path.rpartition(b"/")[2], limit=WIDE)


def whole(path: bytes) -> str:
    """All of it, for people."""
    return shown_bytes(path, limit=WIDE) if path else "(the root)"
