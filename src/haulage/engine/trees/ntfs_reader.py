"""An NTFS image as a tree to read, without mounting it: names, streams, links, times and Windows attributes are exact.

The tree carries no modes, owners or ACLs: security descriptors name accounts of the machine the image came from.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence

from haulage.engine.trees import samba
from haulage.engine.trees.change_token import TOKEN_BYTES
from haulage.engine.trees.model import Content, Dos, Entry, EntryType, Omission, ReadPolicy, StreamInfo
from haulage.engine.trees.ntfs_record import (
    DATA,
    EA,
    ENCRYPTED,
    REPARSE_POINT,
    STANDARD_INFORMATION,
    NtfsAttribute,
    NtfsRecord,
    damaged,
)
from haulage.engine.trees.ntfs_reparse import MAX_INTERIX_BYTES, MAX_REPARSE_BYTES, interix_target, link_target, tag_of
from haulage.engine.trees.ntfs_tools import fetch_attribute
from haulage.engine.trees.ntfs_volume import Fetch, NtfsVolume, find_folder
from haulage.engine.trees.paths import MAX_PATH_BYTES, bad_name, check_stream_name, join, shown
from haulage.engine.trees.policy import PolicyFilter
from haulage.engine.trees.trouble import changed, unsupported

_SYSTEM = 0x04
_INT64 = 1 << 63
_MOST_NAMED = 20


class NtfsReader:
    """A :class:`haulage.engine.trees.model.TreeReader` over the folder ``inside`` of an image. ``open`` and contents may be used
    from any thread. The change token is that of the image file: any change of the image makes every file be read again."""

    def __init__(self, image: str, inside: str = "", policy: ReadPolicy | None = None, fetch: Fetch = fetch_attribute) -> None:
        self._policy = policy or ReadPolicy()
        self._filter = PolicyFilter(self._policy)
        self._volume = NtfsVolume(image, fetch)
        try:
            self._root = find_folder(self._volume, os.fsencode(inside.strip("/")))
        except BaseException:
            self._volume.close()
            raise

    def entries(self) -> Iterator[Entry]:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        self._filter = PolicyFilter(self._policy)
        self._first_names: dict[int, bytes] = {}
        refused: list[tuple[bytes, str]] = []
        for path, record in self._walk():
            entry = self._entry(path, record, refused)
            if entry is not None and not refused:
                yield self._filter.apply(entry)
            if len(refused) >= _MOST_NAMED:
                break
        if refused:
            raise unsupported(refused, more=len(refused) >= _MOST_NAMED)

    def open(self, entry: Entry, stream: bytes | None = None) -> Content:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        number, token = _unpack(entry)
        if token != self._volume.token:
            raise changed(entry.path, "it was listed from another state of the image", stream)
        extents = _data_of(self._volume.attributes(self._volume.record(number))).get(stream or b"")
        if extents is None:
            extents = [NtfsAttribute(DATA, b"", 0, b"")]
        return self._volume.content(number, extents, entry.path, stream)

    def read_whole(self, entry: Entry, stream: bytes | None = None) -> bytes:
        """See :class:`haulage.engine.trees.model.WholeReader`."""
        content = self.open(entry, stream)
        try:
            data = content.read_at(0, content.size)
        finally:
            content.close()
        if not self._volume.unchanged():
            raise changed(entry.path, "the image was written to", stream)
        return data

    def change_token(self, entry: Entry) -> bytes:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return entry.seen

    def still(self, entry: Entry) -> bool:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return self._volume.unchanged() and _unpack(entry)[1] == self._volume.token

    def dropped(self) -> Sequence[Omission]:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return tuple(self._filter.dropped)

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        self._volume.close()

    def _walk(self) -> Iterator[tuple[bytes, NtfsRecord]]:
        """All paths in byte order with their records; folders that are links are not entered."""
        yield b"", self._root
        stack = [self._keys(b"", self._root)]
        while stack:
            for path, record, contents in stack[-1]:
                if contents:
                    stack.append(self._keys(path, record))
                    break
                yield path, record
            else:
                stack.pop()

    def _keys(self, folder: bytes, record: NtfsRecord) -> Iterator[tuple[bytes, NtfsRecord, bool]]:
        keys = []
        for name, number in self._volume.children(record):
            if bad_name(name):
                raise damaged(f"{shown(folder)} holds the impossible name {shown(name)}")
            if len(folder) + len(name) > MAX_PATH_BYTES:
                raise damaged(f"folders are nested too deep in {shown(folder[:200])}")
            keys += [(name, number), (name + b"/", number)]
        keys.sort()
        before = None
        for key, number in keys:
            if key == before:
                raise damaged(f"{shown(folder)} holds the name {shown(key)} twice")
            before = key
            child = self._volume.record(number)
            if not key.endswith(b"/"):
                yield join(folder, key), child, False
            elif child.is_folder and not self._is_reparse(child):
                if self._volume.names(number) > 1:
                    raise damaged(f"the folder {shown(join(folder, key[:-1]))} has several names")
                yield join(folder, key[:-1]), child, True

    def _is_reparse(self, record: NtfsRecord) -> bool:
        return any(attribute.type == REPARSE_POINT for attribute in self._volume.attributes(record))

    def _entry(self, path: bytes, record: NtfsRecord, refused: list[tuple[bytes, str]]) -> Entry | None:
        seen = self._volume.token + record.number.to_bytes(8, "little")
        if not record.is_folder and self._volume.names(record.number) > 1:
            first = self._first_names.setdefault(record.number, path)
            if first != path:
                return Entry(path=path, type=EntryType.FILE, same_as=first, seen=seen)
        attributes = self._volume.attributes(record)
        contents = _data_of(attributes)
        why = _refusal(contents)
        if why:
            refused.append((path, why))
            return None
        mtime_ns, dos = self._standard(path, attributes)
        if any(attribute.type == EA for attribute in attributes):
            self._filter.omit(path, "attribute", "OS/2 extended attributes")
        kind, target = EntryType.FOLDER if record.is_folder else EntryType.FILE, b""
        link = self._target(path, record, attributes, contents, dos, refused)
        if link is not None:
            kind, target = EntryType.SYMLINK, link
        elif refused and refused[-1][0] == path:
            return None
        unnamed = contents.pop(b"", None)
        for name in contents:
            check_stream_name(name)
        return Entry(
            path=path,
            type=kind,
            size=unnamed[0].size if unnamed and kind is EntryType.FILE else 0,
            mtime_ns=mtime_ns,
            target=target,
            streams=tuple(StreamInfo(name=name, size=extents[0].size) for name, extents in sorted(contents.items())),
            dos=dos,
            seen=seen,
        )

    def _standard(self, path: bytes, attributes: list[NtfsAttribute]) -> tuple[int, Dos]:
        for attribute in attributes:
            if attribute.type == STANDARD_INFORMATION and attribute.value and len(attribute.value) >= 36:
                created, modified, _, _, bits = struct.unpack_from("<QQQQI", attribute.value)
                created_ns: int | None = samba.filetime_ns(created)
                if not created or not -_INT64 <= samba.filetime_ns(created) < _INT64:
                    created_ns = None
                mtime_ns = samba.filetime_ns(modified)
                if not -_INT64 <= mtime_ns < _INT64:
                    self._filter.omit(path, "times", f"FILETIME {modified} is beyond what a tree can say")
                    mtime_ns = max(-_INT64, min(_INT64 - 1, mtime_ns))
                return mtime_ns, Dos(attributes=bits & samba.KEPT_BITS, created_ns=created_ns)
        raise damaged(f"{shown(path)} has no times")

    def _target(
        self,
        path: bytes,
        record: NtfsRecord,
        attributes: list[NtfsAttribute],
        contents: dict[bytes, list[NtfsAttribute]],
        dos: Dos,
        refused: list[tuple[bytes, str]],
    ) -> bytes | None:
        """What a link points to; None for what is no link, with a word in ``refused`` if it is no plain file or folder either."""
        reparse = [attribute for attribute in attributes if attribute.type == REPARSE_POINT]
        if reparse:
            value = self._small(record, reparse, path, MAX_REPARSE_BYTES) or b""
            target = link_target(value)
            if target is None:
                refused.append((path, f"reparse point 0x{tag_of(value):08X}"))
            return target
        if dos.attributes & _SYSTEM and b"" in contents and not record.is_folder:
            content = self._small(record, contents[b""], path, MAX_INTERIX_BYTES)
            return None if content is None else interix_target(content)
        return None

    def _small(self, record: NtfsRecord, extents: list[NtfsAttribute], path: bytes, most: int) -> bytes | None:
        if extents[0].size > most:
            return None
        content = self._volume.content(record.number, extents, path, None)
        try:
            return content.read_at(0, content.size)
        finally:
            content.close()


def _data_of(attributes: list[NtfsAttribute]) -> dict[bytes, list[NtfsAttribute]]:
    """The contents of a file by stream name, each as its extents in order."""
    found: dict[bytes, list[NtfsAttribute]] = {}
    for attribute in attributes:
        if attribute.type == DATA:
            found.setdefault(attribute.name, []).append(attribute)
    for extents in found.values():
        extents.sort(key=lambda extent: extent.first_cluster)
        if extents[0].first_cluster or (len(extents) > 1 and any(extent.value is not None for extent in extents)):
            raise damaged("a content lacks its beginning, or has two")
    return found


def _refusal(contents: dict[bytes, list[NtfsAttribute]]) -> str:
    return "encrypted" if any(extents[0].flags & ENCRYPTED for extents in contents.values()) else ""


def _unpack(entry: Entry) -> tuple[int, bytes]:
    if len(entry.seen) != TOKEN_BYTES + 8:
        raise ValueError(f"{shown(entry.path)} was not listed by this reader")
    return int.from_bytes(entry.seen[TOKEN_BYTES:], "little"), entry.seen[:TOKEN_BYTES]
