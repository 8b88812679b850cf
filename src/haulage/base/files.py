"""Durable steps. Every write, rename, removal, commit and acknowledgement that must survive a kill or a power cut goes through
here, named, so that tests can stop the process at each one (``haulage.testing.crash_points`` does).

The law: temporary file, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator

Path = str | os.PathLike[str]
Step = Callable[[str], None]

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


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


def acknowledge() -> None:
    """A neighbour is about to be told that something is stored here: it must be (I7)."""
    step("acknowledge")


def sync_file(fd: int, name: str = "fsync") -> None:
    """Make the bytes of an open file durable; its name is not, see :func:`sync_folder`."""
    step(name)
    os.fsync(fd)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_file(fd, "fsync-folder")
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes | memoryview, *, offset: int | None = None, name: str = "write") -> None:
    """Write all of it, at the file's position or at an offset; not durable yet."""
    step(name)
    view = memoryview(data)
    while view:
        count = os.write(fd, view) if offset is None else os.pwrite(fd, view, offset)
        view, offset = view[count:], None if offset is None else offset + count


def truncate(fd: int, size: int, name: str = "truncate") -> None:
    """Cut an open file; not durable yet."""
    step(name)
    os.ftruncate(fd, size)


def rename(path: Path, to: Path, name: str = "rename") -> None:
    """Give a file or folder another name, over whatever has it; not durable yet."""
    step(name)
    os.rename(path, to)


def unlink(path: Path, name: str = "unlink") -> bool:
    """Remove a file; not durable yet. Returns whether it was there."""
    step(name)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def make_one(path: Path, mode: int = 0o777) -> None:
    """Create one folder whose parent is there; not durable yet."""
    step("mkdir")
    os.mkdir(path, mode)


def copy(path: Path, to: Path, name: str = "copy") -> None:
    """Copy the bytes of a file to a new one; not durable yet."""
    step(name)
    shutil.copyfile(path, to)


def remove_tree(path: Path, on_error: Callable[..., object] | None = None) -> None:
    """Remove a folder and all below it, not durably; a kill leaves part of it. ``on_error`` as :func:`shutil.rmtree` has it."""
    step("remove-tree")
    shutil.rmtree(path, onerror=on_error)


def sync_path(path: Path) -> None:
    """Make the bytes of a file durable that something else wrote."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        sync_file(fd)
    finally:
        os.close(fd)


def write_durable(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` by ``data`` so that after any crash either the old or the new content stands there, whole."""
    folder, name = os.path.split(os.fspath(path))
    folder = folder or "."
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(fd, data)
            sync_file(fd)
        finally:
            os.close(fd)
        rename(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def is_unfinished(name: str) -> bool:
    """Whether a file has the name of a durable write that did not come to its end."""
    return _UNFINISHED.fullmatch(name) is not None


def clear_unfinished(folder: Path) -> int:
    """Remove what durable writes that were killed left in a folder where nobody is writing now; no error if there is no such
    folder. Returns how many there were."""
    try:
        names = [name for name in os.listdir(folder) if is_unfinished(name)]
    except FileNotFoundError:
        return 0
    for name in names:
        unlink(os.path.join(folder, name))
    return len(names)


def remove_durable(path: Path) -> bool:
    """Remove a file so that it stays removed. Returns whether it was there."""
    if not unlink(path):
        return False
    sync_folder(os.path.dirname(os.fspath(path)) or ".")
    return True


def make_folder(path: Path, *, mode: int = 0o755) -> None:
    """Create a folder and its parents durably; no error if it is there."""
    path = os.path.abspath(os.fspath(path))
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_folder(parent)
    with contextlib.suppress(FileExistsError):
        make_one(path, mode)
    sync_folder(parent)
