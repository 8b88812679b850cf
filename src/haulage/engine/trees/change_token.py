"""What a local file looked like, in 32 bytes: equal tokens mean content, streams and attributes are as they were. Pure.

Layout: four little-endian signed 64-bit numbers: size, mtime ns, ctime ns, inode. Every change of bytes, attributes (streams are
attributes on Linux), mode or owner moves the ctime, which no program can set back. A token is only as fine as the kernel's clock
tick, so a caller must also ask that :func:`changed_ns` lies well before the moment the token was first taken. The device number is
left out: it changes with every mount.
"""

from __future__ import annotations

import os
import struct

_LAYOUT = struct.Struct("<qqqQ")
TOKEN_BYTES = _LAYOUT.size


def token_of(status: os.stat_result) -> bytes:
    """The token of a file with this status."""
    try:
        return _LAYOUT.pack(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    except struct.error:  # a time beyond 1677 to 2262: told apart by its lower 64 bits all the same
        return _LAYOUT.pack(status.st_size, _lower(status.st_mtime_ns), _lower(status.st_ctime_ns), status.st_ino)


def _lower(nanoseconds: int) -> int:
    return (nanoseconds + (1 << 63)) % (1 << 64) - (1 << 63)


def changed_ns(token: bytes) -> int | None:
    """The ctime in a token, ns since 1970; None for a token of another kind of place."""
    return int(_LAYOUT.unpack_from(token)[2]) if len(token) >= TOKEN_BYTES else None


def inode_of(token: bytes) -> int:
    """The inode in a token."""
    return int(_LAYOUT.unpack_from(token)[3])
