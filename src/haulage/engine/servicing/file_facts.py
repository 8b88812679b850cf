"""What one file is: bytes, mode, owner, times, extended attributes. Read before it is changed, given back when that is undone."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from haulage.engine.servicing import durable
from haulage.engine.servicing.document import SHA256
from haulage.engine.servicing.errors import RefusedError
from haulage.engine.servicing.strict_json import Fields, checked_text

_MOST_ATTRIBUTES = 1000
_MOST_ATTRIBUTE_CHARACTERS = 1 << 18


@dataclass(frozen=True)
class FileFacts:
    """``mtime_ns`` and ``atime_ns`` None: whatever they become; ``owner`` None: whoever writes. Attributes: name and value in
    base64, sorted by name; None: whatever they become."""

    sha256: str
    size: int
    mode: int
    mtime_ns: int | None = None
    atime_ns: int | None = None
    owner: tuple[int, int] | None = None
    attributes: tuple[tuple[str, str], ...] | None = None

    def equals(self, other: FileFacts | None) -> bool:
        """Whether a file with these facts needs nothing to have the other's. When it was read last is no difference."""
        if other is None or (self.sha256, self.size) != (other.sha256, other.size):
            return False
        pairs = [(self.mtime_ns, other.mtime_ns), (self.owner, other.owner), (self.attributes, other.attributes)]
        if os.name != "nt":
            pairs.append((self.mode, other.mode))
        return all(mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None)


def digest(pieces: Iterable[bytes]) -> tuple[str, int]:
    """SHA-256 in hexadecimal, and size in bytes."""
    hasher, size = hashlib.sha256(), 0
    for piece in pieces:
        hasher.update(piece)
        size += len(piece)
    return hasher.hexdigest(), size


def read_facts(path: str) -> FileFacts | None:
    """The facts of a file; None if there is none. Raises RefusedError ``not-a-file`` for a link, a folder or anything else."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
        raise RefusedError("not-a-file", f"{path} is {kind}, not a file.", "Put the file itself there; links are not followed.")
    sha256, size = digest(durable.pieces_of(path))
    return FileFacts(
        sha256=sha256,
        size=size,
        mode=stat.S_IMODE(found.st_mode),
        mtime_ns=found.st_mtime_ns,
        atime_ns=found.st_atime_ns,
        owner=(found.st_uid, found.st_gid) if os.name != "nt" else None,
        attributes=_attributes(path),
    )


def _attributes(path: str) -> tuple[tuple[str, str], ...] | None:
    if not hasattr(os, "listxattr"):
        return None
    try:
        names = sorted(os.listxattr(path, follow_symlinks=False))
        return tuple((name, base64.b64encode(os.getxattr(path, name, follow_symlinks=False)).decode()) for name in names)
    except OSError:
        return None  # a file system that has none


def settle(path: str, facts: FileFacts) -> None:
    """Give a file that was just written all but its bytes. Owner first: changing it takes capabilities and mode bits away."""
    present = os.lstat(path)
    if facts.owner is not None and os.name != "nt" and facts.owner != (present.st_uid, present.st_gid):
        os.chown(path, *facts.owner)
    if facts.attributes is not None and hasattr(os, "setxattr"):
        _settle_attributes(path, dict(facts.attributes))
    os.chmod(path, facts.mode)
    if facts.mtime_ns is not None:
        os.utime(path, ns=(facts.atime_ns or facts.mtime_ns, facts.mtime_ns))


def _settle_attributes(path: str, wanted: dict[str, str]) -> None:
    present = dict(_attributes(path) or ())
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(path, name, base64.b64decode(value))
    for name in present:
        if name not in wanted and name.startswith("user."):
            os.removexattr(path, name)


def with_content_of(facts: FileFacts, sha256: str, size: int, mode: int) -> FileFacts:
    """Another content in the same place: owner and attributes stay (Q259781), times do not."""
    return replace(facts, sha256=sha256, size=size, mode=mode, mtime_ns=None, atime_ns=None)


def plain(facts: FileFacts | None) -> Any:
    """As the journal and the record have it; times as text, being too long for exact JSON numbers."""
    if facts is None:
        return None
    return {
        "sha256": facts.sha256,
        "size": facts.size,
        "mode": facts.mode,
        "mtime_ns": "" if facts.mtime_ns is None else str(facts.mtime_ns),
        "atime_ns": "" if facts.atime_ns is None else str(facts.atime_ns),
        "owner": None if facts.owner is None else list(facts.owner),
        "attributes": None if facts.attributes is None else [list(each) for each in facts.attributes],
    }


def taken(fields: Fields, name: str) -> FileFacts | None:
    """The inverse of :func:`plain`, of one field. Raises DocumentError."""
    if fields.is_null(name):
        return None
    inner = fields.object(name)
    owner, attributes = None, None
    if not inner.is_null("owner"):
        uid, gid = (int(each) for each in inner.items("owner", most=2))
        owner = (uid, gid)
    if not inner.is_null("attributes"):
        pairs = inner.items("attributes", most=_MOST_ATTRIBUTES)
        attributes = tuple((_text(key, inner.where), _text(value, inner.where)) for key, value in pairs)
    facts = FileFacts(
        sha256=inner.text("sha256", most=64, pattern=SHA256),
        size=inner.integer("size"),
        mode=inner.integer("mode", most=0o7777),
        mtime_ns=_nanoseconds(inner, "mtime_ns"),
        atime_ns=_nanoseconds(inner, "atime_ns"),
        owner=owner,
        attributes=attributes,
    )
    inner.done()
    return facts


def _text(value: Any, where: str) -> str:
    return checked_text(value, where, most=_MOST_ATTRIBUTE_CHARACTERS, least=0)


def _nanoseconds(fields: Fields, name: str) -> int | None:
    text = fields.text(name, most=20, least=0, pattern="-?[0-9]*")
    return int(text) if text else None
