"""What an earlier try to write the same tree left behind: files that were finished then are moved over instead of written again.

Judged by path, size and modification time alone, since a file gets its time last; so whoever uses this reads everything afterwards.
"""

from __future__ import annotations

import os
import stat

from haulage.base.files import step
from haulage.engine.trees import samba
from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.local_facts import get_value
from haulage.engine.trees.local_setting import Setter, Shortfall
from haulage.engine.trees.model import Entry
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import name_of, parent_of

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_STAGING_MODE = 0o600
_STAGING_FOLDER_MODE = 0o700


class LeftBehind:
    """One such folder, which loses what is taken. For the one thread that adds names."""

    def __init__(self, root: bytes, calls: OsCalls) -> None:
        """Raises OSError."""
        self._calls = calls
        self._folders = FolderHandles(root, calls)

    def take(self, entry: Entry, setter: Setter, target: int) -> Shortfall | None:
        """Move the finished file of an entry into an open folder, with all the entry says set anew. None, and nothing happened to
        the folder, if there is none that can be had whole: not even a failing disk is an error here, the file is written again."""
        folder = parent_of(entry.path)
        try:
            source = self._folders.acquire(folder)
        except OSError:
            return None
        try:
            short = self._settle(source, entry, setter)
            if short is None or self._is_there(name_of(entry.path), target):
                return None
            self._move(name_of(entry.path), source, target)
        except OSError:
            return None
        finally:
            self._folders.release(folder)
        return short

    def close(self) -> None:
        """Release everything; safe to repeat."""
        self._folders.close()

    def _settle(self, source: int, entry: Entry, setter: Setter) -> Shortfall | None:
        """What the sidecar needs of a finished file; None if it is not one, or has contents in the sidecar of its own tree."""
        name = name_of(entry.path)
        # Looked at before it is opened: nothing but a regular file is ever opened.
        if not _is_finished(self._calls.stat(name, dir_fd=source, follow_symlinks=False), entry):
            return None
        fd = self._calls.open(name, _FILE, dir_fd=source)
        try:
            if not _is_finished(self._calls.fstat(fd), entry):
                return None
            self._calls.chmod(fd, _STAGING_MODE)  # attributes can only be set where the mode lets one write
            streams = self._native_streams(fd, entry)
            if streams is None:
                return None
            short, taken = setter.settle(fd, entry, streams)
            return short if len(taken) == len(streams) else None
        finally:
            self._calls.close(fd)

    def _native_streams(self, fd: int, entry: Entry) -> dict[bytes, bytes] | None:
        found = {}
        for stream in entry.streams:
            content = samba.stream_bytes(get_value(self._calls, fd, samba.stream_attribute(stream.name)))
            if len(content) != stream.size:
                return None
            found[stream.name] = content
        return found

    def _is_there(self, name: bytes, folder: int) -> bool:
        """Whether the name is taken, perhaps by a twin that the place cannot tell from it."""
        try:
            self._calls.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _move(self, name: bytes, source: int, target: int) -> None:
        step("adopt")
        try:
            self._calls.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
        except PermissionError:  # its folder was finished too, and may not be written
            self._calls.chmod(source, _STAGING_FOLDER_MODE)
            self._calls.rename(name, name, src_dir_fd=source, dst_dir_fd=target)


def _is_finished(status: os.stat_result, entry: Entry) -> bool:
    """With one link only: of a hard-linked file the others' names would be left out."""
    same = (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)
    return same and stat.S_ISREG(status.st_mode) and status.st_nlink == 1
