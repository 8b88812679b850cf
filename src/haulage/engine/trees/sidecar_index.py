"""Reading a sidecar's marker and index from an open tree. Streams the index; believes nothing before its digest was checked."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator

from haulage.engine.trees.folder_handles import FolderHandles, open_quietly
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import SIDECAR
from haulage.engine.trees.sidecar_format import LENGTH, MAX_RECORD_BYTES, Header, Record, decode_header, decode_record, read_marker
from haulage.engine.trees.trouble import foreign_sidecar, unreadable

MARKER, INDEX, DATA = b"marker", b"index", b"data"

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAX_MARKER_BYTES = 4096
_BLOCK_BYTES = 1 << 20


class SidecarIndex:
    """The verified index of one tree. Holds one descriptor until ``close``."""

    def __init__(self, handles: FolderHandles, calls: OsCalls) -> None:
        self._calls = calls
        self._fd = -1
        try:
            folder = handles.acquire(SIDECAR)
            try:
                self._check_names(folder)
                self._count, self._digest = read_marker(self._read_marker(folder))
                self._fd, self._size = self._open_file(INDEX, folder)
            finally:
                handles.release(SIDECAR)
            self._check_digest()
            self.header = self._read_header()
        except OSError as error:
            self.close()
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENOENT):
                raise foreign_sidecar("it is not a folder with a marker and an index") from error
            raise unreadable(SIDECAR, error) from error
        except BaseException:
            self.close()
            raise

    def records(self) -> Iterator[Record]:
        """All records in order. Raises FormatError at the first that breaks the rules, in order, number or digest."""
        digest = hashlib.sha256()
        documents = self._documents(digest)
        next(documents)
        before: bytes | None = None
        count = 0
        for body in documents:
            record = decode_record(body)
            if before is not None and record.path <= before:
                raise foreign_sidecar("its records are out of order")
            before = record.path
            count += 1
            yield record
        if count != self._count or digest.hexdigest() != self._digest:
            raise foreign_sidecar("its index is not the one its marker names")

    def close(self) -> None:
        """Release the descriptor; safe to repeat."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._calls.close(fd)

    def _check_names(self, folder: int) -> None:
        with self._calls.scandir(folder) as listing:
            if any(os.fsencode(item.name) not in (MARKER, INDEX, DATA) for item in listing):
                raise foreign_sidecar("it holds names that are not of its format")

    def _open_file(self, name: bytes, folder: int) -> tuple[int, int]:
        fd = open_quietly(self._calls, name, _FILE, folder)
        status = self._calls.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            self._calls.close(fd)
            raise foreign_sidecar("its marker or index is not a file")
        return fd, status.st_size

    def _read_marker(self, folder: int) -> bytes:
        fd, _ = self._open_file(MARKER, folder)
        try:
            return self._calls.pread(fd, _MAX_MARKER_BYTES, 0)
        finally:
            self._calls.close(fd)

    def _check_digest(self) -> None:
        digest = hashlib.sha256()
        for _ in self._blocks(digest):
            pass
        if digest.hexdigest() != self._digest:
            raise foreign_sidecar("its index is not the one its marker names")

    def _read_header(self) -> Header:
        for body in self._documents(hashlib.sha256()):
            return decode_header(body)
        raise foreign_sidecar("its index is empty")

    def _blocks(self, digest: hashlib._Hash) -> Iterator[bytes]:
        position = 0
        while block := self._calls.pread(self._fd, _BLOCK_BYTES, position):
            digest.update(block)
            position += len(block)
            yield block

    def _documents(self, digest: hashlib._Hash) -> Iterator[bytes]:
        held = bytearray()
        for block in self._blocks(digest):
            held += block
            start = 0
            while len(held) - start >= LENGTH.size:
                (size,) = LENGTH.unpack_from(held, start)
                if size > MAX_RECORD_BYTES:
                    raise foreign_sidecar("a record is too long")
                end = start + LENGTH.size + size
                if end > len(held):
                    break
                yield bytes(held[start + LENGTH.size : end])
                start = end
            del held[:start]
        if held:
            raise foreign_sidecar("its index ends within a record")


def find_sidecar(handles: FolderHandles, calls: OsCalls) -> SidecarIndex | None:
    """The sidecar of the tree, None if it has none. Raises FormatError for one that is malformed, foreign or too new."""
    try:
        calls.stat(SIDECAR, dir_fd=handles.root_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(SIDECAR, error) from error
    return SidecarIndex(handles, calls)
