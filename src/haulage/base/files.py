"""Durable file steps. Every write, rename and removal that must survive a power cut goes through here, named, so that tests can
stop the process at each one.

The law: temporary file, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator

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


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        step("fsync-folder")
        os.fsync(fd)
    finally:
        os.close(fd)


def write_durable(path: str | os.PathLike[str], data: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``data`` so that after any crash either the old or the new content stands there, whole."""
    folder, name = os.path.split(os.fspath(path))
    folder = folder or "."
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            view = memoryview(data)
            step("write")
            while view:
                view = view[os.write(fd, view) :]
            step("fsync")
            os.fsync(fd)
        finally:
            os.close(fd)
        step("rename")
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def remove_durable(path: str | os.PathLike[str]) -> bool:
    """Remove a file so that it stays removed. Returns whether it was there."""
    step("unlink")
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    sync_folder(os.path.dirname(os.fspath(path)) or ".")
    return True


def make_folder(path: str | os.PathLike[str], *, mode: int = 0o755) -> None:
    """Create a folder and its parents durably; no error if it is there."""
    path = os.path.abspath(os.fspath(path))
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_folder(parent)
    step("mkdir")
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, mode)
    sync_folder(parent)
