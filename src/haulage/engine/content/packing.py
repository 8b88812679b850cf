"""The order in which contents are packed, wherever many are compressed together: alike with alike. *Pure*."""

from __future__ import annotations

from haulage.engine.content.chunker import WHOLE_BYTES


def packing_key(path: bytes, stream: bytes | None, size: int) -> tuple[bool, bytes, bytes, bytes]:
    """Small contents first, by kind (the name's extension) and path; then the others by path."""
    large = size > WHOLE_BYTES
    name = path.rpartition(b"/")[2]
    kind = b"" if large else name.rpartition(b".")[2] if b"." in name else b""
    return large, kind, path, stream or b""
