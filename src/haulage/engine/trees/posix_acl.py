"""POSIX ACLs as Linux keeps them in attributes; opaque here except for the question whether one says more than the mode. Pure."""

from __future__ import annotations

import struct

ACCESS = b"system.posix_acl_access"
DEFAULT = b"system.posix_acl_default"

DIALECT_OF = {ACCESS: "posix-acl", DEFAULT: "posix-acl-default"}
ATTRIBUTE_OF = {dialect: name for name, dialect in DIALECT_OF.items()}

_HEADER = struct.Struct("<I")
_ITEM = struct.Struct("<HHI")
_SHIFT_OF_TAG = {0x01: 6, 0x04: 3, 0x20: 0}
"""ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_OTHER: the tags whose rights the mode holds too."""


def mirrors_mode(value: bytes, mode: int) -> bool:
    """Whether an access ACL says only what the mode says already (some file systems report such a one for every file)."""
    if len(value) != _HEADER.size + 3 * _ITEM.size or _HEADER.unpack_from(value)[0] != 2:
        return False
    said = {tag: rights for tag, rights, _ in _ITEM.iter_unpack(value[_HEADER.size :])}
    return said.keys() == _SHIFT_OF_TAG.keys() and all(said[tag] == mode >> shift & 7 for tag, shift in _SHIFT_OF_TAG.items())
