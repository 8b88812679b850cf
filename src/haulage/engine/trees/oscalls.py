"""The operating system's calls that trees use, as one replaceable value, so that tests can make each of them refuse."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OsCalls:
    """Each field is the function of that name in ``os`` or ``fcntl``; ``dataclasses.replace`` one to inject a fault."""

    open: Callable[..., int] = os.open
    close: Callable[[int], None] = os.close
    stat: Callable[..., os.stat_result] = os.stat
    fstat: Callable[[int], os.stat_result] = os.fstat
    scandir: Callable[[int], Any] = os.scandir
    readlink: Callable[..., bytes] = os.readlink
    pread: Callable[[int, int, int], bytes] = os.pread
    pwrite: Callable[..., int] = os.pwrite
    lseek: Callable[[int, int, int], int] = os.lseek
    listxattr: Callable[..., list[str]] = os.listxattr
    getxattr: Callable[..., bytes] = os.getxattr
    setxattr: Callable[..., None] = os.setxattr
    removexattr: Callable[..., None] = os.removexattr
    mkdir: Callable[..., None] = os.mkdir
    rename: Callable[..., None] = os.rename
    link: Callable[..., None] = os.link
    symlink: Callable[..., None] = os.symlink
    chown: Callable[..., None] = os.chown
    chmod: Callable[..., None] = os.chmod
    utime: Callable[..., None] = os.utime
    ftruncate: Callable[[int, int], None] = os.ftruncate
    copy_file_range: Callable[[int, int, int, int, int], int] = os.copy_file_range
    ioctl: Callable[[int, int, int], object] = fcntl.ioctl


SYSTEM_CALLS = OsCalls()
