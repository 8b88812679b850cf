"""Asking whether a name has extended attributes at all, without opening it: newer kernels answer in a third of the time that
listing them by path takes. Where they do not, the answer is "perhaps".
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable

_LISTXATTRAT = 465
"""The number of the call on every architecture named below, since Linux 6.13."""
_MACHINES = ("x86_64", "aarch64", "riscv64")
_NOFOLLOW = 0x100


def look() -> Callable[[int, bytes], bool]:
    """A function of an open folder and a name in it: False only if the name surely has no attributes. Raises nothing."""
    if os.uname().machine not in _MACHINES:
        return perhaps
    try:
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_long,
            ctypes.c_long,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_size_t,
            use_errno=True,
        )
        call = prototype(("syscall", ctypes.CDLL(None)))
    except (OSError, AttributeError):
        return perhaps
    if call(_LISTXATTRAT, -1, b".", _NOFOLLOW, None, 0) != -1 or ctypes.get_errno() != errno.EBADF:
        return perhaps

    def has_attributes(folder_fd: int, name: bytes) -> bool:
        return bool(call(_LISTXATTRAT, folder_fd, name, _NOFOLLOW, None, 0))

    return has_attributes


def perhaps(_folder_fd: int, _name: bytes) -> bool:
    """What one answers who cannot tell."""
    return True
