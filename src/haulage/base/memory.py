"""How this process holds memory. The C library keeps freed blocks of up to 32 MiB for later by default; a server that handles
buffers of some megabytes now and then grows by that to twice of what it needs.
"""

from __future__ import annotations

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3
"""``mallopt``, glibc's ``malloc.h``."""
_LARGE_BYTES = 1024 * 1024


def give_back_large_blocks() -> None:
    """Blocks of a megabyte and more go back to the system when they are freed. Does nothing where the C library knows no such
    setting."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
