"""An NTFS image: its geometry, its master file table, and who lies in which folder. Opened read-only; every bound is checked."""

from __future__ import annotations

import os
import stat
from array import array
from typing import IO, Protocol

from haulage.base.errors import NotFoundError
from haulage.engine.trees.change_token import token_of
from haulage.engine.trees.local_content import BytesContent
from haulage.engine.trees.model import Content
from haulage.engine.trees.ntfs_content import ClusterContent, SpooledContent
from haulage.engine.trees.ntfs_record import (
    COMPRESSED,
    NUMBER_MASK,
    NtfsAttribute,
    NtfsRecord,
    damaged,
    file_names,
    parse_record,
)
from haulage.engine.trees.ntfs_tools import fetch_attribute
from haulage.engine.trees.paths import shown
from haulage.engine.trees.trouble import changed, source_missing, unreadable

ROOT_NUMBER = 5
_FIRST_USER_NUMBER = 16
_MOST_RECORDS = 50_000_000
_MOST_EXPANSION = 64
"""How many times the image a compressed content may be: NTFS packs at most 16 clusters into one, and leaves out runs of zeros."""


class Fetch(Protocol):
    """:func:`haulage.engine.trees.ntfs_tools.fetch_attribute`, or what stands for it."""

    def __call__(self, image: str, number: int, most_bytes: int, name: bytes | None = None) -> IO[bytes]: ...


class NtfsVolume:
    """The whole table of names is held (some 200 bytes a file); records are read from the table as they are needed."""

    def __init__(self, image: str, fetch: Fetch = fetch_attribute) -> None:
        self.image = image
        self._fetch = fetch
        self._fd = -1
        self._table: IO[bytes] | None = None
        try:
            self._fd = _open_image(image)
            status = os.fstat(self._fd)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode)):
                raise damaged("it is neither a file nor a disk")
            self._size = os.lseek(self._fd, 0, os.SEEK_END)
            self.token = token_of(status)
            self._read_geometry(os.pread(self._fd, 512, 0))
            self._table = self._fetch(os.path.abspath(image), 0, self._size)
            self._records = os.fstat(self._table.fileno()).st_size // self._record_bytes
            self._index()
        except OSError as error:
            self.close()
            raise unreadable(os.fsencode(image), error) from error
        except BaseException:
            self.close()
            raise

    def record(self, number: int) -> NtfsRecord:
        """A base record in use. Raises FormatError ``ntfs-damaged``."""
        found = self._read_record(number)
        if found is None or found.base:
            raise damaged(f"record {number} is named but not in use")
        return found

    def attributes(self, record: NtfsRecord) -> list[NtfsAttribute]:
        """All attributes of a file: its base record's and its extension records'."""
        found = list(record.attributes)
        for number in self._extensions.get(_reference(record), ()):
            extension = self._read_record(number)
            if extension is not None:
                found.extend(extension.attributes)
        return found

    def children(self, record: NtfsRecord) -> list[tuple[bytes, int]]:
        """Names and record numbers in a folder, without the volume's own files."""
        return self._children.get(_reference(record), [])

    def names(self, number: int) -> int:
        """How many names a file has."""
        return self._link_counts.get(number, 1)

    def content(self, number: int, extents: list[NtfsAttribute], path: bytes, stream: bytes | None) -> Content:
        """Open one attribute, given as all of its extents in order."""
        first = extents[0]
        if first.value is not None:
            return BytesContent(first.value, path, stream)
        if not first.flags & COMPRESSED:
            return ClusterContent(self._fd, self._size, self._cluster_bytes, extents, path, stream)
        if first.size > _MOST_EXPANSION * self._size:
            raise damaged(f"{shown(path, stream)} is said to be larger than its clusters can hold")
        spool = self._fetch(os.path.abspath(self.image), number, first.size + 1, stream)
        content = SpooledContent(spool, path, stream)
        if content.size != first.size:
            content.close()
            raise changed(path, "ntfscat gave another size", stream)
        return content

    def unchanged(self) -> bool:
        """Whether the image file is as it was opened."""
        try:
            return token_of(os.stat(self.image)) == self.token
        except OSError:
            return False

    def close(self) -> None:
        """Release everything; safe to repeat."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        if self._table is not None:
            self._table.close()

    def _read_geometry(self, boot: bytes) -> None:
        if len(boot) < 512 or boot[3:11] != b"NTFS    ":
            raise damaged("it does not begin as an NTFS volume")
        sector = int.from_bytes(boot[11:13], "little")
        per_cluster = boot[13] if boot[13] <= 128 else 1 << (256 - boot[13])
        self._cluster_bytes = sector * per_cluster
        coded = boot[64]
        self._record_bytes = 1 << (256 - coded) if coded > 127 else coded * self._cluster_bytes
        sound = sector in (256, 512, 1024, 2048, 4096) and per_cluster and self._cluster_bytes <= 2 << 20
        if not sound or self._record_bytes not in (1024, 2048, 4096):
            raise damaged("its boot sector gives impossible sizes")

    def _read_record(self, number: int) -> NtfsRecord | None:
        if not 0 <= number < self._records:
            raise damaged(f"record {number} is named but lies outside of the table")
        assert self._table is not None
        return parse_record(os.pread(self._table.fileno(), self._record_bytes, number * self._record_bytes), number)

    def _index(self) -> None:
        """One pass over the table: who is in which folder, which records extend which."""
        if not ROOT_NUMBER < self._records <= _MOST_RECORDS:
            raise damaged("its file table is too short or too long")
        self._children: dict[int, list[tuple[bytes, int]]] = {}
        self._extensions: dict[int, list[int]] = {}
        self._link_counts: dict[int, int] = {}
        named = bytearray(self._records)
        sequences = array("i", bytes(4 * self._records))
        for number in range(self._records):
            record = self._read_record(number)
            if record is None:
                continue
            sequences[number] = record.sequence if not record.base else -1
            owner = record.base & NUMBER_MASK if record.base else number
            if record.base:
                self._extensions.setdefault(record.base, []).append(number)
            if owner < _FIRST_USER_NUMBER or owner >= self._records:
                continue
            for name in file_names(record):
                self._children.setdefault(name.parent, []).append((name.name, owner))
                if named[owner]:
                    self._link_counts[owner] = self._link_counts.get(owner, 1) + 1
                named[owner] = 1
        for reference in (*self._children, *self._extensions):
            number = reference & NUMBER_MASK
            if number >= self._records or sequences[number] != reference >> 48:
                raise damaged(f"something belongs to record {number}, which is no longer in use")


def _open_image(image: str) -> int:
    try:
        return os.open(image, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NotFoundError("source-missing", f"There is no NTFS image {image!r}.", "Mend the path of the source.") from error


def find_folder(volume: NtfsVolume, inside: bytes) -> NtfsRecord:
    """The folder at a path, names compared exactly, else without case as Windows does. Raises NotFoundError ``source-missing``."""
    record = volume.record(ROOT_NUMBER)
    for name in inside.split(b"/") if inside else ():
        children = volume.children(record)
        found = [number for known, number in children if known == name]
        found = found or [number for known, number in children if _folded(known) == _folded(name)]
        if len(found) != 1 or not volume.record(found[0]).is_folder:
            raise source_missing(f"{shown(inside)} in the image {volume.image!r}")
        record = volume.record(found[0])
    return record


def _reference(record: NtfsRecord) -> int:
    return record.sequence << 48 | record.number


def _folded(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass").upper()
