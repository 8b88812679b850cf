"""Making a whole staged tree durable with one call, and removing one that was given up."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat

from haulage.base.files import step, sync_file
from haulage.engine.trees.trouble import not_durable


def sync_tree(root_fd: int) -> None:
    """Everything below an open folder is on disk when this returns: one ``syncfs`` of its file system, or where the C library has
    none, an fsync of each file and folder. Raises TransferError: then none of it may be taken for written, for what did not reach
    the disk counts as clean from then on and would not be written by trying again."""
    try:
        _sync_all(root_fd)
    except OSError as error:
        raise not_durable(error) from error


def _sync_all(root_fd: int) -> None:
    step("syncfs")
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        _sync_each(root_fd)
        return
    if syncfs(root_fd) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _sync_each(root_fd: int) -> None:
    for _, _, files, folder in os.fwalk(".", dir_fd=root_fd, topdown=False):
        for name in files:
            if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                try:
                    sync_file(fd)
                finally:
                    os.close(fd)
        sync_file(folder, "fsync-folder")


def remove_below(folder_fd: int) -> None:
    """Remove everything in an open folder as far as possible; follows no link and raises nothing.

    Iterative, and holding one descriptor a level only while it goes down, so that no depth of tree is too deep for it.
    """
    stack = [os.dup(folder_fd)]
    names: list[str] = []
    stuck: set[int] = set()
    try:
        while stack:
            deeper = _remove_files(stack[-1], stuck)
            if deeper is not None and len(stack) < _DEEPEST_AT_ONCE:
                name, fd = deeper
                stack.append(fd)
                names.append(name)
                continue
            if deeper is not None:  # too deep to go on from here: bring its contents up and start again
                name, fd = deeper
                _flatten(fd, stack[0])
                stack.append(fd)
                names.append(name)
            done = stack.pop()
            inode = os.fstat(done).st_ino
            os.close(done)
            if stack:
                try:
                    os.rmdir(names.pop(), dir_fd=stack[-1])
                except OSError:
                    stuck.add(inode)
    finally:
        for fd in stack:
            os.close(fd)


_DEEPEST_AT_ONCE = 100


def _remove_files(folder: int, stuck: set[int]) -> tuple[str, int] | None:
    """Unlink what is no folder; open the first folder that is not empty and was not tried in vain."""
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
            continue
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=folder)
            continue
        with contextlib.suppress(OSError):
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino not in stuck:
                os.chmod(name, 0o700, dir_fd=folder)
                return name, os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    return None


def _flatten(deep: int, top: int) -> None:
    for number, name in enumerate(os.listdir(deep)):
        with contextlib.suppress(OSError):
            os.rename(name, f".haulage-removed-{os.fstat(deep).st_ino}-{number}", src_dir_fd=deep, dst_dir_fd=top)
