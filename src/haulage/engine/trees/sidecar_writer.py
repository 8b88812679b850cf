"""Writing a sidecar into a staging folder: contents as they come, then index and marker. Knows no reason why."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator

from haulage.base.errors import FormatError
from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.model import Entry
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import SIDECAR, join, shown
from haulage.engine.trees.sidecar_format import MAX_RECORD_BYTES, Header, Record, encode, marker, stored_path
from haulage.engine.trees.sidecar_index import INDEX, MARKER

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK_BYTES = 1 << 20


def mode_for_sidecar(entry: Entry) -> int:
    """The mode of a file that tells about an entry: readable by those who may read the entry."""
    return 0o644 if entry.mode is None else 0o600 | entry.mode & 0o044


class SidecarWriter:
    """Creates nothing before the first content or record. Any thread may call; raises OSError."""

    def __init__(self, folders: FolderHandles, calls: OsCalls) -> None:
        self._folders = folders
        self._calls = calls
        self._lock = threading.Lock()
        self._made: set[bytes] = set()
        self._records: dict[bytes, bytes] = {}

    def used(self) -> bool:
        """Whether there is anything to write, or written already."""
        return bool(self._made or self._records)

    def place_for(self, path: bytes, stream: bytes | None) -> bytes:
        """Where to write that content, with the folders above it made."""
        place = stored_path(path, stream)
        folder = place.rpartition(b"/")[0]
        with self._lock:
            self._make(folder)
        return place

    def add(self, record: Record) -> None:
        """Keep a record for the index. Raises FormatError ``entry-too-large``."""
        encoded = encode(record)
        if len(encoded) > MAX_RECORD_BYTES:
            raise FormatError("entry-too-large", f"{shown(record.path)} has more attributes than a tree can keep.")
        with self._lock:
            self._records[record.path] = encoded

    def finish(self, header: Header, mode: int) -> None:
        """Write index and marker, with that mode."""
        self._make(SIDECAR)
        folder = self._folders.acquire(SIDECAR)
        try:
            digest = hashlib.sha256()
            held = bytearray(encode(header))
            with self._created(INDEX, folder, mode) as fd:
                position = 0
                for path in sorted(self._records):
                    held += self._records[path]
                    if len(held) >= _BLOCK_BYTES:
                        digest.update(held)
                        position = self._write(fd, held, position)
                        held.clear()
                digest.update(held)
                self._write(fd, held, position)
            with self._created(MARKER, folder, mode) as fd:
                self._write(fd, marker(len(self._records), digest.hexdigest()), 0)
        finally:
            self._folders.release(SIDECAR)

    @contextlib.contextmanager
    def _created(self, name: bytes, folder: int, mode: int) -> Iterator[int]:
        fd = self._calls.open(name, _CREATE, mode, dir_fd=folder)
        try:
            with contextlib.suppress(OSError):
                self._calls.chmod(fd, mode)
            yield fd
        finally:
            self._calls.close(fd)

    def _write(self, fd: int, data: bytes | bytearray, position: int) -> int:
        view = memoryview(data)
        while view:
            done = self._calls.pwrite(fd, view, position)
            view = view[done:]
            position += done
        view.release()
        return position

    def _make(self, folder: bytes) -> None:
        """Make a folder and its parents below the root."""
        made = b""
        for name in folder.split(b"/"):
            parent, made = made, join(made, name)
            if made not in self._made:
                fd = self._folders.acquire(parent)
                try:
                    with contextlib.suppress(FileExistsError):
                        self._calls.mkdir(name, 0o755, dir_fd=fd)
                    with contextlib.suppress(OSError):  # whatever this process's umask
                        self._calls.chmod(name, 0o755, dir_fd=fd)
                finally:
                    self._folders.release(parent)
                self._made.add(made)
