"""Samba's way of keeping Windows facts in Linux attributes: streams as ``user.DosStream.NAME:$DATA``, attributes and creation time
as ``user.DOSATTRIB``. Pure.
"""

from __future__ import annotations

import struct

from haulage.engine.trees.model import Dos

STREAM_PREFIX = b"user.DosStream."
STREAM_SUFFIX = b":$DATA"
DOS_ATTRIBUTE = b"user.DOSATTRIB"

KEPT_BITS = 0x01 | 0x02 | 0x04 | 0x20
"""READONLY, HIDDEN, SYSTEM, ARCHIVE."""

_EPOCH_FILETIME = 116_444_736_000_000_000
"""1970 in FILETIME: units of 100 ns since 1601."""

_LAYOUT = struct.Struct("<2xHH2xIIQ")
"""NDR of xattr_DOSATTRIB, version 5: version, union level, valid flags, attributes, creation time."""

_VALID_ATTRIBUTES, _VALID_CREATED = 0x01, 0x10


def stream_name(attribute: bytes) -> bytes | None:
    """The stream an attribute of that name holds, or None if it holds none."""
    if not (attribute.startswith(STREAM_PREFIX) and attribute.endswith(STREAM_SUFFIX)):
        return None
    name = attribute[len(STREAM_PREFIX) : -len(STREAM_SUFFIX)]
    return None if not name or b":" in name or b"/" in name else name


def stream_attribute(stream: bytes) -> bytes:
    """The attribute that holds a stream."""
    return STREAM_PREFIX + stream + STREAM_SUFFIX


def stream_bytes(value: bytes) -> bytes:
    """The stream in an attribute's value. Samba appends one NUL; a value that lacks it was written by others and is all content."""
    return value[:-1] if value.endswith(b"\0") else value


def stream_value(content: bytes) -> bytes:
    """The attribute's value for a stream, as Samba writes it."""
    return content + b"\0"


def filetime_ns(filetime: int) -> int:
    """ns since 1970 of a FILETIME; may lie outside 64 bits for hostile values."""
    return (filetime - _EPOCH_FILETIME) * 100


def read_dos(value: bytes) -> Dos | None:
    """What a DOSATTRIB value says; None for a layout not known (the caller keeps it as an opaque attribute)."""
    if len(value) != _LAYOUT.size:
        return None
    version, level, valid, bits, created = _LAYOUT.unpack(value)
    if version != 5 or level != 5 or not valid & _VALID_ATTRIBUTES:
        return None
    told = valid & _VALID_CREATED and 0 < created < 1 << 63
    created_ns = filetime_ns(created) if told else None
    if created_ns is not None and not -(1 << 63) <= created_ns < 1 << 63:
        return None
    return Dos(attributes=bits & KEPT_BITS, created_ns=created_ns)


def write_dos(dos: Dos) -> bytes | None:
    """The DOSATTRIB value that says the same, or None if it cannot (a creation time finer than 100 ns or before 1601)."""
    valid, created = _VALID_ATTRIBUTES, 0
    if dos.created_ns is not None:
        created, rest = divmod(dos.created_ns, 100)
        created += _EPOCH_FILETIME
        if rest or created <= 0:
            return None
        valid |= _VALID_CREATED
    if dos.attributes & ~KEPT_BITS:
        return None
    return _LAYOUT.pack(5, 5, valid, dos.attributes, created)
