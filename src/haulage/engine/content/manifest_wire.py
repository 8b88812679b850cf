"""The encoding of manifest entries: short sorted keys, absent when default, one form per entry. Refuses what no writer of ours
would produce (B31, B34). Knows single entries only; their order is the page's business.
"""

from __future__ import annotations

import functools
import itertools
from typing import TypeVar, cast

import msgspec

from haulage.base.errors import FormatError
from haulage.engine.content import codec
from haulage.engine.content.content_list import check_content
from haulage.engine.content.manifest_model import (
    EMPTY,
    MAX_INLINE_VALUE_BYTES,
    ContentRef,
    ManifestEntry,
    NamedRef,
    ValueRef,
    shown,
)
from haulage.engine.trees.model import Dos, EntryType, Owner

MAX_PATH_BYTES = 65535
MAX_ENTRY_BYTES = 512 * 1024
MAX_PAGE_BYTES = 1024 * 1024

_TYPES = {EntryType.FILE: 0, EntryType.FOLDER: 1, EntryType.SYMLINK: 2}
_TYPE_OF = {number: kind for kind, number in _TYPES.items()}
_INT64 = 2**63
_Name = TypeVar("_Name", bytes, str)

WireContent = tuple[int, bytes, bytes]
"""Size, chunk rows, chunk list rows."""


class WireEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An entry as it is encoded; the fields stand in byte order of their names."""

    A: tuple[tuple[bytes, WireContent], ...] = ()
    X: tuple[tuple[str, WireContent], ...] = ()
    a: tuple[tuple[bytes, bytes], ...] = ()
    c: WireContent | None = None
    d: tuple[int, int | None] | None = None
    h: bytes | None = None
    m: int | None = None
    n: int = 0
    o: tuple[int, int, str, str] | None = None
    p: bytes = b""
    r: bytes = b""
    s: tuple[tuple[bytes, WireContent], ...] = ()
    t: int = 0
    x: tuple[tuple[str, bytes], ...] = ()


_FIELDS = frozenset(WireEntry.__struct_fields__)
_ENCODER = msgspec.msgpack.Encoder()
_PAGE_DECODER = msgspec.msgpack.Decoder(tuple[WireEntry, ...])


def encode_entry(entry: ManifestEntry) -> bytes:
    """The canonical bytes of an entry. Raises FormatError ``bad-entry`` if it cannot stand in a manifest."""
    check_entry(entry)
    try:
        data = _ENCODER.encode(_to_wire(entry))
    except (UnicodeEncodeError, OverflowError) as error:
        raise _bad(entry.path, "a name or number in it cannot be encoded") from error
    if entry.extra:
        fields = cast(dict[str, codec.Value], codec.decode(data, max_bytes=MAX_ENTRY_BYTES, what="manifest entry"))
        fields.update({key: codec.decode(value, max_bytes=MAX_ENTRY_BYTES, what="manifest entry") for key, value in entry.extra})
        data = codec.encode(fields)
    if len(data) > MAX_ENTRY_BYTES:
        raise _bad(entry.path, f"its description takes {len(data)} bytes, more than {MAX_ENTRY_BYTES}")
    return data


def encode_page(entries: list[bytes]) -> bytes:
    """A page of encoded entries."""
    count = len(entries)
    if count < 16:
        header = bytes([0x90 | count])
    elif count < 65536:
        header = b"\xdc" + count.to_bytes(2)
    else:
        raise ValueError("too many entries in a page")
    return header + b"".join(entries)


def decode_page(data: bytes) -> list[ManifestEntry]:
    """The entries of a page, each checked. Raises FormatError."""
    if len(data) > MAX_PAGE_BYTES:
        raise FormatError("too-large", f"A manifest page of {len(data)} bytes is over the limit of {MAX_PAGE_BYTES}.")
    try:
        wires = _PAGE_DECODER.decode(data)
        plain = _ENCODER.encode(wires) == data
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        plain = False
    if plain:
        entries = [_from_wire(wire) for wire in wires]
    else:
        # Either wrong or written by a newer Haulage with further fields: take the long way, which tells the two apart.
        entries = [_from_fields(fields) for fields in _fields_of(data)]
    for entry in entries:
        check_entry(entry)
    return entries


class Glance:
    """A page for looking: its paths at once, an entry when it is asked for. Each that is asked for is checked; that the page has
    its one form is not, for what is only looked at was verified by its digest."""

    __slots__ = ("_wires", "paths")

    def __init__(self, data: bytes) -> None:
        """Raises FormatError."""
        if len(data) > MAX_PAGE_BYTES:
            raise FormatError("too-large", f"A manifest page of {len(data)} bytes is over the limit of {MAX_PAGE_BYTES}.")
        try:
            self._wires = _PAGE_DECODER.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise FormatError("bad-page", f"A manifest page is malformed: {error}.", codec.AGAIN) from error
        self.paths = [wire.p for wire in self._wires]

    def entry(self, number: int) -> ManifestEntry:
        """One entry, checked. Raises FormatError."""
        entry = _from_wire(self._wires[number])
        check_entry(entry)
        return entry


def _fields_of(data: bytes) -> list[codec.Value]:
    value = codec.decode(data, max_bytes=MAX_PAGE_BYTES, what="manifest page")
    if not isinstance(value, list):
        raise codec.bad_field("manifest page", "entries")
    return value


def _from_fields(fields: codec.Value) -> ManifestEntry:
    if not isinstance(fields, dict):
        raise codec.bad_field("manifest page", "entry")
    known = {key: value for key, value in fields.items() if key in _FIELDS}
    extra = tuple(sorted((key, codec.encode(value)) for key, value in fields.items() if key not in _FIELDS))
    try:
        wire = msgspec.convert(known, WireEntry)
        # A default written out is a second form of the same entry.
        if codec.encode(known) != _ENCODER.encode(wire):
            raise FormatError("not-canonical", "A manifest entry is not in canonical form.", codec.AGAIN)
    except (msgspec.ValidationError, OverflowError) as error:
        raise FormatError("bad-entry", f"A manifest entry is malformed: {error}.", codec.AGAIN) from error
    return _from_wire(wire, extra)


def _to_wire(entry: ManifestEntry) -> WireEntry:
    dos, owner = entry.dos, entry.owner
    if not (entry.attributes or entry.acls or entry.streams or dos):  # nearly all
        return WireEntry(
            c=_content(entry.content) if entry.content is not EMPTY and entry.content != EMPTY else None,
            h=entry.same_as,
            m=entry.mode,
            n=entry.mtime_ns,
            o=None if owner is None else (owner.uid, owner.gid, owner.user, owner.group),
            p=entry.path,
            r=entry.target,
            t=_TYPES[entry.type],
        )
    return WireEntry(
        A=tuple([(name, _content(value)) for name, value in entry.attributes if isinstance(value, ContentRef)]),
        X=tuple([(dialect, _content(value)) for dialect, value in entry.acls if isinstance(value, ContentRef)]),
        a=tuple([(name, value) for name, value in entry.attributes if isinstance(value, bytes)]),
        c=_content(entry.content) if entry.content != EMPTY else None,
        d=None if dos is None else (dos.attributes, dos.created_ns),
        h=entry.same_as,
        m=entry.mode,
        n=entry.mtime_ns,
        o=None if owner is None else (owner.uid, owner.gid, owner.user, owner.group),
        p=entry.path,
        r=entry.target,
        s=tuple([(stream.name, _content(stream.content)) for stream in entry.streams]),
        t=_TYPES[entry.type],
        x=tuple([(dialect, value) for dialect, value in entry.acls if isinstance(value, bytes)]),
    )


def _content(content: ContentRef) -> WireContent:
    return content.size, content.chunks, content.lists


def _from_wire(wire: WireEntry, extra: tuple[tuple[str, bytes], ...] = ()) -> ManifestEntry:
    kind = _TYPE_OF.get(wire.t)
    if kind is None:
        raise _bad(wire.p, f"its type {wire.t} is unknown")
    if wire.c is not None and not wire.c[0]:
        raise _bad(wire.p, "an empty content is written out")
    attributes: tuple[tuple[bytes, ValueRef], ...] = wire.a
    acls: tuple[tuple[str, ValueRef], ...] = wire.x
    # Merging sorts, so each list's own order is held first: one entry has one encoding.
    if wire.A:
        _require_rising(wire.p, [name for name, _ in wire.a])
        _require_rising(wire.p, [name for name, _ in wire.A])
        attributes = tuple(sorted([*wire.a, *[(name, ContentRef(*value)) for name, value in wire.A]], key=lambda item: item[0]))
    if wire.X:
        _require_rising(wire.p, [name for name, _ in wire.x])
        _require_rising(wire.p, [name for name, _ in wire.X])
        acls = tuple(sorted([*wire.x, *[(name, ContentRef(*value)) for name, value in wire.X]], key=lambda item: item[0]))
    return ManifestEntry(
        path=wire.p,
        type=kind,
        content=EMPTY if wire.c is None else ContentRef(*wire.c),
        mode=wire.m,
        owner=None if wire.o is None else _owner(wire.o),
        mtime_ns=wire.n,
        target=wire.r,
        same_as=wire.h,
        attributes=attributes,
        acls=acls,
        streams=tuple([NamedRef(name, ContentRef(*content)) for name, content in wire.s]) if wire.s else (),
        dos=None if wire.d is None else Dos(attributes=wire.d[0], created_ns=wire.d[1]),
        extra=extra,
    )


@functools.lru_cache(maxsize=256)
def _owner(wire: tuple[int, int, str, str]) -> Owner:
    """Nearly all entries of a tree share a few."""
    return Owner(uid=wire[0], gid=wire[1], user=wire[2], group=wire[3])


def _require_rising(path: bytes, names: list[_Name]) -> None:
    if any(a >= b for a, b in itertools.pairwise(names)):
        raise _bad(path, "names in it are repeated or out of order")


def check_entry(entry: ManifestEntry) -> None:
    """Refuse an entry that contradicts itself or would leave its tree: ``bad-path``, ``bad-entry``, ``bad-content``."""
    check_path(entry.path)
    kind = entry.type
    if entry.content.size and (kind is not EntryType.FILE or entry.same_as is not None):
        raise _bad(entry.path, "only a file's first name has content")
    if kind is EntryType.SYMLINK:
        if not entry.target or b"\0" in entry.target or len(entry.target) > MAX_PATH_BYTES:
            raise _bad(entry.path, "its link target is empty or malformed")
    elif entry.target:
        raise _bad(entry.path, "only a symlink has a target")
    if entry.same_as is not None:
        _check_hard_link(entry)
    if entry.mode is not None and not 0 <= entry.mode <= 0o7777:
        raise _bad(entry.path, "its mode is out of range")
    if not -_INT64 <= entry.mtime_ns < _INT64:
        raise _bad(entry.path, "its time is out of range")
    if entry.owner is not None and not (0 <= entry.owner.uid < 2**32 and 0 <= entry.owner.gid < 2**32):
        raise _bad(entry.path, "its owner is out of range")
    if entry.dos is not None and not (0 <= entry.dos.attributes < 2**32 and -_INT64 <= (entry.dos.created_ns or 0) < _INT64):
        raise _bad(entry.path, "its Windows attributes are out of range")
    if entry.content is not EMPTY:
        check_content(entry.content)
    if entry.streams or entry.attributes or entry.acls:
        _check_named(entry)


def _check_hard_link(entry: ManifestEntry) -> None:
    first = entry.same_as or b""
    check_path(first)
    if entry.type is not EntryType.FILE or not first < entry.path:
        raise _bad(entry.path, "it is not a further name of an earlier file")
    own = (entry.streams, entry.attributes, entry.acls, entry.owner, entry.dos, entry.mtime_ns)
    if any(own) or entry.mode is not None:
        raise _bad(entry.path, "a further name of a file has nothing of its own")


def _check_named(entry: ManifestEntry) -> None:
    names: tuple[list[bytes], ...] = (
        [stream.name for stream in entry.streams],
        [name for name, _ in entry.attributes],
        [dialect.encode("utf-8", "surrogatepass") for dialect, _ in entry.acls],
    )
    for group in names:
        if any(not name or b"\0" in name for name in group) or any(a >= b for a, b in itertools.pairwise(group)):
            raise _bad(entry.path, "names in it are empty, repeated or out of order")
    if any(b":" in name or b"/" in name for name in names[0]):
        raise _bad(entry.path, "a stream has a name no stream can have")
    for stream in entry.streams:
        check_content(stream.content)
    for _name, value in (*entry.attributes, *entry.acls):
        if isinstance(value, ContentRef):
            check_content(value)
            if value.size <= MAX_INLINE_VALUE_BYTES:
                raise _bad(entry.path, "a small value is kept as chunks")
        elif len(value) > MAX_INLINE_VALUE_BYTES:
            raise _bad(entry.path, "a large value is kept inline")


def check_path(path: bytes) -> None:
    """Refuse a path that is not relative, plain and bounded: FormatError ``bad-path`` (B31)."""
    if len(path) > MAX_PATH_BYTES or b"\0" in path:
        raise FormatError("bad-path", f"A path in a manifest is too long or holds a NUL: {shown(path[:200])}.")
    if path and not _plain(path):
        raise FormatError("bad-path", f"A path in a manifest would leave its tree or is not plain: {shown(path[:200])}.")


def _plain(path: bytes) -> bool:
    if path[0] == 0x2F or path[-1] == 0x2F or b"//" in path:
        return False
    if path[0] != 0x2E and b"/." not in path:
        return True
    return not any(part in (b".", b"..") for part in path.split(b"/"))


def _bad(path: bytes, why: str) -> FormatError:
    return FormatError("bad-entry", f"The manifest's entry {shown(path[:200])} is wrong: {why}.", codec.AGAIN)
