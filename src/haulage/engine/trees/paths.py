"""Paths inside a tree: raw bytes, joined by ``/``, relative to the root. Pure; touches no file system."""

from __future__ import annotations

from haulage.base.errors import FormatError

SIDECAR = b".haulage-tree"
"""The folder at a tree's root that holds what the place could not keep; never itself part of a tree."""

MAX_PATH_BYTES = 128 * 1024
"""Longest path a tree may hold; NTFS allows 32,767 UTF-16 units, which is under this in WTF-8."""


def shown(path: bytes, stream: bytes | None = None) -> str:
    """The path (and stream) for people: escaped, quoted, on one line whatever it holds (B17, B18)."""
    text = (path or b".").decode("utf-8", "backslashreplace")
    if stream is not None:
        text += ":" + stream.decode("utf-8", "backslashreplace")
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) + "'"


def join(folder: bytes, name: bytes) -> bytes:
    """The path of ``name`` in ``folder``."""
    return folder + b"/" + name if folder else name


def parent_of(path: bytes) -> bytes:
    """The path of the folder that holds ``path``."""
    return path.rpartition(b"/")[0]


def name_of(path: bytes) -> bytes:
    """The last component."""
    return path.rpartition(b"/")[2]


def bad_name(name: bytes) -> bool:
    """Whether one component could not be, or would leave, a folder."""
    return name in (b"", b".", b"..") or b"/" in name or b"\0" in name


def check_path(path: bytes) -> None:
    """Raise FormatError ``bad-path`` unless ``path`` stays inside the tree: relative, no ``..``, ``.``, empty or NUL part (B31)."""
    if not path:
        return
    # Cheap tests first: this runs once for every entry of every tree.
    inner = b"/" + path + b"/"
    if b"\0" in path or b"//" in inner or b"/./" in inner or b"/../" in inner or len(path) > MAX_PATH_BYTES:
        raise FormatError("bad-path", f"The path {shown(path[:200])} would not stay inside the tree.", "The tree was refused.")
    if path == SIDECAR or path.startswith(SIDECAR + b"/"):
        raise FormatError(
            "reserved-name",
            f"The path {shown(path[:200])} is reserved for the tree's sidecar.",
            "Rename it at the source, or mend the sidecar there.",
        )


def check_stream_name(name: bytes) -> None:
    """Raise FormatError ``bad-stream-name`` for a name no stream can have."""
    if not name or len(name) > 1024 or any(c in name for c in (b"\0", b"/", b":")):
        raise FormatError("bad-stream-name", f"{shown(name[:200])} cannot be the name of a stream.", "The tree was refused.")
