"""How this process holds memory. By default the C library keeps freed blocks of up to 32 MiB for later, in a heap for each thread:
a server that handles buffers of some megabytes now and then grows by that to twice of what it needs. Giving back everything at once
costs more time than decoding a block of the store: each page that comes from the system anew is a fault.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
"""``mallopt``, glibc's ``malloc.h``."""
_LARGE_BYTES = 6 * 1024 * 1024
"""A block of the store (4 MiB) and what goes into it are used again and again."""
_KEPT_BYTES = 16 * 1024 * 1024
_HEAPS = 1
"""With one for each thread every one of them keeps its own; several threads seldom ask at the same time."""


def give_back_large_blocks() -> None:
    """Blocks of more than a few megabytes go back to the system when they are freed, smaller ones are used again, by all threads.
    Does nothing where the C library knows no such setting. Call it before there are threads."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_ARENA_MAX, _HEAPS)


def set_aside_what_is_loaded() -> None:
    """What a server has loaded by now stays until it ends: the search for garbage leaves it out from now on. Going through it all
    takes a tenth of a second, again and again, in the midst of somebody's request. Call it once, when everything stands."""
    gc.collect()
    gc.freeze()
