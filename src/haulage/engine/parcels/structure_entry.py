"""An entry of the target as the structure sections tell it: which held entry it starts from, and what differs. *Pure values.*"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from haulage.engine.content.manifest_model import EMPTY, ContentRef, ManifestEntry, NamedRef
from haulage.engine.parcels.structure_columns import bad
from haulage.engine.trees.model import Dos, EntryType, Owner


class Link(enum.IntEnum):
    """Which held entry an entry starts from."""

    NEXT = 0
    """The one behind the last."""
    SKIP = 1
    """Some further on: how many are left out stands in ``SKIPS``."""
    NONE = 2
    JUMP = 3
    """Another base, or backwards: base and distance stand in ``JUMPS``."""


class PathForm(enum.IntEnum):
    """How the path of an entry follows from the held one's."""

    RENAMED = 0
    """The held path, with the renames that hold for the whole parcel."""
    OF_HELD = 1
    """A prefix and a suffix of that."""
    OF_PREVIOUS = 2
    """A prefix of the previous entry's path, and a suffix of that."""
    UNCHANGED = 3
    """The held path, though a rename would apply."""


class Kind(enum.IntEnum):
    """Types of entries; further names of hard-linked files have no facts of their own."""

    FILE = 0
    FOLDER = 1
    SYMLINK = 2
    FURTHER_NAME = 3


class What(enum.IntEnum):
    """What of an entry is not as expected; bits that are added up."""

    CONTENT = 1
    FACTS = 2
    TEXT = 4
    """The target of a symlink, or the first name of a hard-linked file."""
    EXTRA = 8
    """Fields of a newer writer."""


class PartForm(enum.IntEnum):
    """How a content is told."""

    AS_HELD = 0
    """As the held entry's; empty if there is none."""
    ONE_NEW = 1
    """One new chunk."""
    EMPTY = 2
    STEPS = 3


class StepForm(enum.IntEnum):
    """The next chunks of a content."""

    END = 0
    NEW = 1
    """The next new chunks."""
    ON = 2
    """Held chunks, where the last step left off."""
    MOVE = 3
    """Held chunks from elsewhere in the same content."""
    AGAIN = 4
    """New chunks that came before."""
    SOURCE = 5
    """Go on in another held content."""


class Step(NamedTuple):
    """Some chunks of a content: held ones, or new ones by ordinal."""

    base: int
    """Which base; -1 for new chunks."""
    entry: int
    part: int
    first: int
    """The number of the first chunk in the held content, or its ordinal."""
    chunks: int
    """How many."""


Part = ContentRef | tuple[Step, ...]
"""A content: as a whole, or by its steps."""


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What often is the same for many entries. Values kept as chunks are nil here and stand among the contents."""

    mode: int | None
    owner: tuple[int, int, str, str] | None
    attributes: tuple[tuple[bytes, bytes | None], ...]
    acls: tuple[tuple[str, bytes | None], ...]
    streams: tuple[bytes, ...]
    dos: tuple[int, bool] | None
    """Attribute bits, and whether a creation time is known."""

    @property
    def parts(self) -> int:
        """How many contents such an entry has."""
        referenced = sum([value is None for _, value in self.attributes]) + sum([value is None for _, value in self.acls])
        return 1 + len(self.streams) + referenced


PLAIN = Facts(mode=None, owner=None, attributes=(), acls=(), streams=(), dos=None)
Extra = tuple[tuple[str, bytes], ...]
_ENCODER = msgspec.msgpack.Encoder()
_FACTS = msgspec.msgpack.Decoder(Facts)
_EXTRA = msgspec.msgpack.Decoder(Extra)


class Draft(NamedTuple):
    """An entry whose new chunks have no ids yet."""

    held: ManifestEntry | None
    path: bytes
    kind: Kind
    facts: Facts | None
    """None: the held entry's."""
    mtime_ns: int
    created_ns: int | None
    text: bytes
    extra: Extra
    parts: tuple[Part, ...] | None
    """None: the held entry's."""
    list_counts: tuple[int, ...]
    """How many chunks each chunk list has, over all parts that are told by steps."""


def kind_of(entry: ManifestEntry) -> Kind:
    """Its type."""
    if entry.type is EntryType.FILE:
        return Kind.FILE if entry.same_as is None else Kind.FURTHER_NAME
    return Kind.FOLDER if entry.type is EntryType.FOLDER else Kind.SYMLINK


_ENTRY_TYPE = {
    Kind.FILE: EntryType.FILE,
    Kind.FOLDER: EntryType.FOLDER,
    Kind.SYMLINK: EntryType.SYMLINK,
    Kind.FURTHER_NAME: EntryType.FILE,
}


def facts_of(entry: ManifestEntry) -> Facts:
    """Its facts."""
    owner, dos = entry.owner, entry.dos
    return Facts(
        mode=entry.mode,
        owner=None if owner is None else (owner.uid, owner.gid, owner.user, owner.group),
        attributes=tuple([(name, None if isinstance(value, ContentRef) else value) for name, value in entry.attributes]),
        acls=tuple([(dialect, None if isinstance(value, ContentRef) else value) for dialect, value in entry.acls]),
        streams=tuple([stream.name for stream in entry.streams]),
        dos=None if dos is None else (dos.attributes, dos.created_ns is not None),
    )


def same_facts(one: ManifestEntry, two: ManifestEntry) -> bool:
    """Whether two entries have the same facts; most have next to none."""
    if one.mode != two.mode or one.owner != two.owner:
        return False
    rich = (one.attributes, one.acls, one.streams, one.dos)
    if rich == (two.attributes, two.acls, two.streams, two.dos):
        return True
    return facts_of(one) == facts_of(two)


def text_of(entry: ManifestEntry) -> bytes:
    """Target or first name; empty if it has neither."""
    return entry.target or entry.same_as or b""


def created_of(entry: ManifestEntry | None) -> int | None:
    """Its creation time, if known."""
    return None if entry is None or entry.dos is None else entry.dos.created_ns


def entry_of(draft: Draft, contents: Sequence[ContentRef]) -> ManifestEntry:
    """The entry, once its contents are known in the order of ``contents()``."""
    facts = draft.facts or (facts_of(draft.held) if draft.held is not None else PLAIN)
    if len(contents) != facts.parts:
        raise bad("an entry has another number of contents than its facts say")
    rest = iter(contents)
    content = next(rest)
    streams = tuple([NamedRef(name, next(rest)) for name in facts.streams])
    return ManifestEntry(
        path=draft.path,
        type=_ENTRY_TYPE[draft.kind],
        content=content if content.size else EMPTY,
        mode=facts.mode,
        owner=None
        if facts.owner is None
        else Owner(uid=facts.owner[0], gid=facts.owner[1], user=facts.owner[2], group=facts.owner[3]),
        mtime_ns=draft.mtime_ns,
        target=draft.text if draft.kind is Kind.SYMLINK else b"",
        same_as=draft.text if draft.kind is Kind.FURTHER_NAME else None,
        streams=streams,
        attributes=tuple([(name, next(rest) if value is None else value) for name, value in facts.attributes]),
        acls=tuple([(dialect, next(rest) if value is None else value) for dialect, value in facts.acls]),
        dos=None if facts.dos is None else Dos(attributes=facts.dos[0], created_ns=draft.created_ns),
        extra=draft.extra,
    )


def encode_blob(value: Facts | Extra) -> bytes:
    """MessagePack."""
    return _ENCODER.encode(value)


def decode_facts(blob: bytes) -> Facts:
    """Facts from MessagePack. Raises FormatError ``bad-parcel``."""
    try:
        return _FACTS.decode(blob)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise bad(f"the facts of an entry are malformed: {error}") from error


def decode_extra(blob: bytes) -> Extra:
    """Further fields from MessagePack. Raises FormatError ``bad-parcel``."""
    try:
        return _EXTRA.decode(blob)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise bad(f"the further fields of an entry are malformed: {error}") from error
