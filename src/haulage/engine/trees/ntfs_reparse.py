"""Reparse points and the link files of Unix subsystems: which of them are symlinks, and what they point to. Pure.

A relative Windows link's target gets ``/`` for ``\\`` so that it works wherever the tree lands; absolute ones stay as they are.
"""

from __future__ import annotations

import struct

from haulage.engine.trees.ntfs_record import wtf8

MAX_REPARSE_BYTES = 16 * 1024

_SYMLINK, _MOUNT_POINT, _LX_SYMLINK = 0xA000000C, 0xA0000003, 0xA000001D
_RELATIVE = 1
_INTERIX_LINK = b"IntxLNK\x01"
MAX_INTERIX_BYTES = len(_INTERIX_LINK) + 2 * 4096


def link_target(value: bytes) -> bytes | None:
    """The target of a reparse point that is a link; None for any other kind, or a malformed one."""
    try:
        tag, size = struct.unpack_from("<IH", value)
        body = value[8 : 8 + size]
        if tag == _LX_SYMLINK:
            return body[4:] if body[:4] == b"\x02\0\0\0" else None
        if tag not in (_SYMLINK, _MOUNT_POINT):
            return None
        at, length = struct.unpack_from("<HH", body)
        flags = struct.unpack_from("<I", body, 8)[0] if tag == _SYMLINK else 0
        names = body[12 if tag == _SYMLINK else 8 :]
        if at + length > len(names):
            return None
        target = wtf8(names[at : at + length])
    except (struct.error, UnicodeDecodeError):
        return None
    return target.replace(b"\\", b"/") if flags & _RELATIVE else target


def tag_of(value: bytes) -> int:
    """The kind of a reparse point."""
    return int.from_bytes(value[:4], "little")


def interix_target(content: bytes) -> bytes | None:
    """The target in a system file that ntfs-3g and Interix use as a symlink; None if it is an ordinary file."""
    if not content.startswith(_INTERIX_LINK) or len(content) == len(_INTERIX_LINK):
        return None
    try:
        target = wtf8(content[len(_INTERIX_LINK) :])
    except UnicodeDecodeError:
        return None
    return None if b"\0" in target else target
