"""The records of a tree's sidecar and their one encoding; normative text in ``docs/format-trees.md``. Pure: bytes in, values out.

An index is a header and then one record per path whose place does not tell the whole truth, in strictly rising byte order of paths.
Each is four bytes of length (little-endian) and one MessagePack map. Decoding re-encodes and compares: one value, one encoding.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import struct
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from haulage.engine.trees.model import Acl, Attribute, Dos, Entry, EntryType, Owner, StreamInfo
from haulage.engine.trees.paths import SIDECAR, check_path, check_stream_name
from haulage.engine.trees.trouble import foreign_sidecar

FORMAT_VERSION = 1
MAX_RECORD_BYTES = 16 * 1024 * 1024
MAX_RECORDS = 50_000_000
LENGTH = struct.Struct("<I")

_Name = TypeVar("_Name", bytes, str)

_INT64 = 1 << 63
_MAX_TARGET_BYTES = 64 * 1024
_MARKER = re.compile(rb"haulage-tree ([0-9]{1,9})\n(?:records ([0-9]{1,9})\nindex-sha256 ([0-9a-f]{64})\n)?.{0,4096}", re.DOTALL)


class OwnerRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """``[uid, gid, user, group]``."""

    uid: int
    gid: int
    user: str
    group: str


class StreamRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """``[name, size, stored]``; ``stored`` false: the place holds it natively."""

    name: bytes
    size: int
    stored: bool


class DosRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """``[attributes, created_ns or nil]``."""

    attributes: int
    created_ns: int | None


class Header(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Facts about the whole tree: what holds for every path whose record does not say otherwise."""

    no_mode: bool = False
    """The tree has no modes (it came from Windows); those of the place mean nothing."""
    no_owner: bool = False
    owner: OwnerRecord | None = None
    """Every entry's owner; the place's owners mean nothing."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is true of one path. A field that is absent leaves the place's own answer standing."""

    path: bytes
    whole: str | None = None
    """The place does not hold this name: the record is all there is. The entry's type: ``file``, ``folder``, ``symlink``."""
    size: int | None = None
    """Of a whole file; its bytes are stored in the sidecar."""
    target: bytes | None = None
    same_as: bytes | None = None
    unset: tuple[str, ...] = ()
    """Fields the entry does not have though the place shows some: of ``dos``, ``mode``, ``owner``. Never with ``whole``, where an
    absent field is simply not there."""
    mode: int | None = None
    owner: OwnerRecord | None = None
    mtime_ns: int | None = None
    attributes: tuple[tuple[bytes, bytes], ...] | None = None
    acls: tuple[tuple[str, bytes], ...] | None = None
    streams: tuple[StreamRecord, ...] | None = None
    dos: DosRecord | None = None


_ENCODER = msgspec.msgpack.Encoder()
_RECORDS = msgspec.msgpack.Decoder(Record)
_HEADERS = msgspec.msgpack.Decoder(Header)


def encode(document: Header | Record) -> bytes:
    """One document with its length before it."""
    body = _ENCODER.encode(document)
    return LENGTH.pack(len(body)) + body


def decode_header(body: bytes) -> Header:
    """Strict. Raises FormatError ``sidecar-malformed``."""
    try:
        header = _HEADERS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise foreign_sidecar("its header is not readable") from error
    if _ENCODER.encode(header) != body or (header.owner and (header.no_owner or not _good_owner(header.owner))):
        raise foreign_sidecar("its header breaks the rules")
    return header


def decode_record(body: bytes) -> Record:
    """Strict: types, ranges, order and encoding. Raises FormatError ``sidecar-malformed`` or ``bad-path``."""
    try:
        record = _RECORDS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise foreign_sidecar("a record is not readable") from error
    check_path(record.path)
    if _ENCODER.encode(record) != body or not _good_record(record):
        raise foreign_sidecar("a record breaks the rules")
    return record


def _good_owner(owner: OwnerRecord) -> bool:
    return 0 <= owner.uid < 1 << 32 and 0 <= owner.gid < 1 << 32 and len(owner.user) <= 256 and len(owner.group) <= 256


def _rising(names: Sequence[_Name]) -> bool:
    return all(before < after for before, after in itertools.pairwise(names))


def _good_record(record: Record) -> bool:
    """Ranges and order of the fields, and that they go together."""
    for stream in record.streams or ():
        check_stream_name(stream.name)
    numbers_good = (
        (record.mode is None or 0 <= record.mode <= 0o7777)
        and (record.mtime_ns is None or -_INT64 <= record.mtime_ns < _INT64)
        and (record.owner is None or _good_owner(record.owner))
        and (record.dos is None or 0 <= record.dos.attributes < 1 << 32)
        and (record.dos is None or record.dos.created_ns is None or -_INT64 <= record.dos.created_ns < _INT64)
        and all(0 <= stream.size < _INT64 for stream in record.streams or ())
    )
    order_good = (
        _rising([stream.name for stream in record.streams or ()])
        and _rising([name for name, _ in record.attributes or ()])
        and _rising([dialect for dialect, _ in record.acls or ()])
        and _rising(list(record.unset))
        and set(record.unset) <= {"dos", "mode", "owner"}
    )
    return numbers_good and order_good and _good_kind(record)


def _good_kind(record: Record) -> bool:
    if record.whole is None:
        return record.size is None and record.target is None and record.same_as is None
    if record.path == b"":
        return False
    if record.same_as is not None:
        check_path(record.same_as)
        alone = Record(path=record.path, whole="file", same_as=record.same_as)
        return record == alone and b"" < record.same_as < record.path
    sized = record.size is not None and 0 <= record.size < _INT64
    aimed = record.target is not None and len(record.target) <= _MAX_TARGET_BYTES
    stored = all(stream.stored for stream in record.streams or ()) and not record.unset
    return {"file": sized and not aimed, "folder": not sized and not aimed, "symlink": aimed and not sized}.get(
        record.whole, False
    ) and stored


def record_of_whole(entry: Entry) -> Record:
    """The record of an entry whose name the place does not hold."""
    if entry.same_as is not None:
        return Record(path=entry.path, whole="file", same_as=entry.same_as)
    return Record(
        path=entry.path,
        whole=entry.type.value,
        size=entry.size if entry.type is EntryType.FILE else None,
        target=entry.target if entry.type is EntryType.SYMLINK else None,
        mode=entry.mode,
        owner=owner_record(entry.owner),
        mtime_ns=entry.mtime_ns,
        attributes=attribute_records(entry) or None,
        acls=acl_records(entry) or None,
        streams=tuple(StreamRecord(s.name, s.size, True) for s in entry.streams) or None,
        dos=dos_record(entry.dos),
    )


def owner_record(owner: Owner | None) -> OwnerRecord | None:
    """As the index holds it."""
    return None if owner is None else OwnerRecord(owner.uid, owner.gid, owner.user, owner.group)


def dos_record(dos: Dos | None) -> DosRecord | None:
    """As the index holds it."""
    return None if dos is None else DosRecord(dos.attributes, dos.created_ns)


def attribute_records(entry: Entry) -> tuple[tuple[bytes, bytes], ...]:
    """As the index holds them."""
    return tuple((attribute.name, attribute.value) for attribute in entry.attributes)


def acl_records(entry: Entry) -> tuple[tuple[str, bytes], ...]:
    """As the index holds them."""
    return tuple((acl.dialect, acl.value) for acl in entry.acls)


def overlay(entry: Entry, record: Record | None, header: Header) -> Entry:
    """The true entry: the place's own answer, overruled by the header and then by the record."""
    if entry.same_as is not None:
        return entry
    changes: dict[str, object] = {}
    if header.no_mode:
        changes["mode"] = None
    if header.no_owner or header.owner is not None:
        changes["owner"] = _owner(header.owner)
    if record is not None:
        _overrule(changes, record)
    if entry.type is EntryType.SYMLINK:
        changes.pop("mode", None)
    return replace(entry, **changes) if changes else entry


def _owner(record: OwnerRecord | None) -> Owner | None:
    return None if record is None else Owner(uid=record.uid, gid=record.gid, user=record.user, group=record.group)


def _overrule(changes: dict[str, object], record: Record) -> None:
    for name in record.unset:
        changes[name] = None
    if record.mode is not None:
        changes["mode"] = record.mode
    if record.owner is not None:
        changes["owner"] = _owner(record.owner)
    if record.mtime_ns is not None:
        changes["mtime_ns"] = record.mtime_ns
    if record.attributes is not None:
        changes["attributes"] = tuple(Attribute(name=name, value=value) for name, value in record.attributes)
    if record.acls is not None:
        changes["acls"] = tuple(Acl(dialect=dialect, value=value) for dialect, value in record.acls)
    if record.streams is not None:
        changes["streams"] = tuple(StreamInfo(name=stream.name, size=stream.size) for stream in record.streams)
    if record.dos is not None:
        changes["dos"] = Dos(attributes=record.dos.attributes, created_ns=record.dos.created_ns)


def entry_of_whole(record: Record) -> Entry:
    """The entry of a record that is all there is."""
    kind = EntryType(record.whole)
    if record.same_as is not None:
        return Entry(path=record.path, type=kind, same_as=record.same_as)
    bare = Entry(path=record.path, type=kind, size=record.size or 0, target=record.target or b"")
    return overlay(bare, record, Header())


def marker(records: int, index_sha256: str) -> bytes:
    """The file that makes the folder a sidecar; written last."""
    return f"haulage-tree {FORMAT_VERSION}\nrecords {records}\nindex-sha256 {index_sha256}\n".encode()


def read_marker(text: bytes) -> tuple[int, str]:
    """Number of records and digest of the index. Raises FormatError ``sidecar-malformed`` or ``sidecar-newer``."""
    match = _MARKER.fullmatch(text)
    if match and int(match[1]) > FORMAT_VERSION:
        raise foreign_sidecar(f"it has format {int(match[1])}, which needs a newer Haulage", "sidecar-newer")
    if not match or match[2] is None or marker(int(match[2]), match[3].decode()) != text or int(match[2]) > MAX_RECORDS:
        raise foreign_sidecar("its marker is not one of Haulage's")
    return int(match[2]), match[3].decode()


def stored_name(path: bytes, stream: bytes | None) -> str:
    """Where in the sidecar a content is stored: ``data/XX/HASH``, the SHA-256 of what it belongs to."""
    what = b"content\0" + path if stream is None else b"stream\0" + path + b"\0" + stream
    digest = hashlib.sha256(what).hexdigest()
    return f"data/{digest[:2]}/{digest}"


def stored_path(path: bytes, stream: bytes | None) -> bytes:
    """The same from the tree's root."""
    return SIDECAR + b"/" + stored_name(path, stream).encode()
