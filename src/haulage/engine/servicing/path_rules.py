"""Which paths a fix may name: relative, the same on every system, never into servicing's own folder. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from haulage.engine.servicing.strict_json import CONTROL, bad

MOST_PATH_BYTES = 1024
MOST_PART_BYTES = 255
STATE_FOLDER = ".servicing"
"""Where servicing keeps its record, journal and backups, below the product's root."""
PRODUCT_FILE = "product.json"
"""The product's own manifest below its root; changed by servicing itself, never carried by a fix."""

DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
ROOT_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def checked_path(path: str, where: str) -> str:
    """``path`` if it may stand in a fix: parts joined by ``/``, below the root, a file on Linux and Windows alike.

    Raises DocumentError ``bad-document``.
    """
    try:
        length = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        raise bad(where, f"{path[:80]!a} is not text") from None
    if not 0 < length <= MOST_PATH_BYTES:
        raise bad(where, f"a path has 1 to {MOST_PATH_BYTES} bytes")
    for part in path.split("/"):
        _check_part(part, path, where)
    first = path.split("/")[0].casefold()
    if first == STATE_FOLDER:
        raise bad(where, f"{path[:80]!r} lies in {STATE_FOLDER}, which servicing keeps for itself")
    if path.casefold() == PRODUCT_FILE:
        raise bad(where, f"{PRODUCT_FILE} is changed by servicing itself (field becomes), never carried")
    return path


def _check_part(part: str, path: str, where: str) -> None:
    if part in ("", ".", ".."):
        raise bad(where, f"{path[:80]!r} is not a plain relative path")
    if len(part.encode("utf-8")) > MOST_PART_BYTES:
        raise bad(where, f"a name in {path[:80]!r} is longer than {MOST_PART_BYTES} bytes")
    if CONTROL.search(part) or any(each in part for each in '\\:*?"<>|\t\n') or part[-1] in ". ":
        raise bad(where, f"{path[:80]!r} holds a character that is not the same on every system")
    if DEVICES.fullmatch(part):
        raise bad(where, f"{path[:80]!r} is the name of a device on Windows")


def checked_rooted_path(text: str, where: str) -> tuple[str, str]:
    """``NAME:path`` below a named root, or ``path`` below the product's own (its name is ``root``)."""
    name, colon, rest = text.partition(":")
    if not colon:
        return "root", checked_path(text, where)
    if not ROOT_NAME.fullmatch(name):
        raise bad(where, f"{name[:40]!r} is not the name of a root")
    return name, checked_path(rest, where)


def check_apart(paths: Iterable[str], where: str) -> None:
    """No path twice (also not in other letter case), and no file that is another's folder. Raises DocumentError."""
    seen: dict[str, str] = {}
    for path in paths:
        folded = _folded(path)
        if folded in seen:
            raise bad(where, f"{path[:80]!r} and {seen[folded][:80]!r} are the same file on some systems")
        seen[folded] = path
    for folded, path in seen.items():
        parts = folded.split("/")
        for count in range(1, len(parts)):
            if "/".join(parts[:count]) in seen:
                raise bad(where, f"{path[:80]!r} lies below a file of the fix")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
