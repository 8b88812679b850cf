"""The durable steps of servicing, each named, so that tests can stop the process before any of them. What ``base/files.py`` is to
the site this is to a bundle, which may not import it.

The law: new file, fsync, rename, fsync of the folder. One writer: whoever holds the lock of the root.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Callable

NEW = ".new"
"""What the name of a file ends in while it is written."""
COPY_BYTES = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_HAS_FOLDER_SYNC = os.name != "nt"

Step = Callable[[str], None]


def _no_step(_name: str) -> None:
    return None


_step: Step = _no_step


def step(name: str) -> None:
    """Mark one durable step (before it happens). In production nothing; under test a place to stop or fail."""
    _step(name)


@contextlib.contextmanager
def watching_steps(watcher: Step) -> Iterator[None]:
    """Call ``watcher`` with the name of every durable step while the context is open (tests only)."""
    global _step  # noqa: PLW0603  (one process, one watcher)
    before, _step = _step, watcher
    try:
        yield
    finally:
        _step = before


def sync_folder(path: str) -> None:
    """Make the names in a folder durable. Windows keeps them in its journal and has no such call."""
    step("fsync-folder")
    if not _HAS_FOLDER_SYNC:
        return
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_path(path: str) -> None:
    """Make the bytes of a file durable that something else wrote."""
    step("fsync")
    fd = os.open(path, (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | _BINARY | _NO_FOLLOW)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_new(path: str, pieces: Iterable[bytes], settle: Callable[[str], None], *, mode: int = 0o600) -> int:
    """Write a file that nobody uses yet, over what a killed try left of it; its bytes are durable, its name is not. ``settle``
    gives it what else it is to have, before the fsync. Returns its size."""
    step("create")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_FOLLOW, mode)
    size = 0
    try:
        for piece in pieces:
            step("write")
            view = memoryview(piece)
            size += len(view)
            while view:
                view = view[os.write(fd, view) :]
        settle(path)
        step("fsync")
        os.fsync(fd)
    finally:
        os.close(fd)
    return size


def replace(path: str, to: str) -> None:
    """Give a file another name, over whatever has it; not durable before :func:`sync_folder`."""
    step("rename")
    os.replace(path, to)


def unlink(path: str) -> bool:
    """Remove a file; not durable yet. Returns whether it was there."""
    step("unlink")
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def write_durable(path: str, data: bytes, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data`` so that after any crash either the old or the new content stands there, whole."""
    write_new(path + NEW, [data], lambda _path: None, mode=mode)
    replace(path + NEW, path)
    sync_folder(os.path.dirname(path))


def remove_durable(path: str) -> bool:
    """Remove a file so that it stays removed. Returns whether it was there."""
    if not unlink(path):
        return False
    sync_folder(os.path.dirname(path))
    return True


def make_folder(path: str, mode: int = 0o755) -> bool:
    """Create one folder whose parent is there, durably. Returns whether it was missing."""
    if os.path.isdir(path):
        return False
    step("mkdir")
    os.mkdir(path, mode)
    sync_folder(os.path.dirname(path))
    return True


def remove_folder(path: str) -> bool:
    """Remove one empty folder durably. Returns whether it was there and empty."""
    if not os.path.isdir(path) or os.listdir(path):
        return False
    step("rmdir")
    os.rmdir(path)
    sync_folder(os.path.dirname(path))
    return True


def remove_tree(path: str) -> None:
    """Remove a folder and all below it, file by file; a kill leaves part of it, and it may be repeated. No error if it is away."""
    if not os.path.isdir(path) or os.path.islink(path):
        return
    for item in sorted(os.scandir(path), key=lambda each: each.name):
        if item.is_dir(follow_symlinks=False):
            remove_tree(item.path)
        else:
            unlink(item.path)
    remove_folder(path)


def pieces_of(path: str) -> Iterator[bytes]:
    """The bytes of a file in pieces; a link is not followed where the system can tell."""
    fd = os.open(path, os.O_RDONLY | _BINARY | _NO_FOLLOW)
    with os.fdopen(fd, "rb") as file:
        while piece := file.read(COPY_BYTES):
            yield piece
