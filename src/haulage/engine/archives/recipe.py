"""Where in a container compressed members lie and with which parameters their stored bytes come back; and the encoding of that,
of which there is exactly one. Knows no codec's workings."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, replace

import msgspec

from haulage.base.errors import FormatError

MAX_MEMBERS = 1 << 18
MAX_PARAMETERS = 8
MAX_ENCODED_BYTES = 16 << 20
MAX_SIZE = 1 << 50
"""Of a container, and of its expanded form."""
AGAIN = "Get it again from a trusted site."


class Codec(enum.IntEnum):
    """How a member's stored bytes follow from its raw bytes. The numbers are part of the format."""

    DEFLATE = 1
    """A raw deflate stream as zlib writes it. Parameters: level, memory level, strategy, window bits; and for streams of writers
    that differ from zlib their family."""
    LZMA2 = 2
    """A raw LZMA2 stream as liblzma writes it. Parameters: dictionary size, preset (with its extreme flag)."""
    BZIP2 = 3
    """A whole bzip2 stream. Parameter: level."""


@dataclass(frozen=True, slots=True)
class Member:
    """A run of a container's bytes that is the compressed form of other, raw bytes."""

    offset: int
    """Of the stored bytes in the container."""
    stored_bytes: int
    raw_bytes: int
    codec: Codec
    parameters: tuple[int, ...] = ()
    """With which the stored bytes are made again; without them the member can only be expanded."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The members of a container of ``size`` bytes, ascending, none touching another's bytes."""

    members: tuple[Member, ...]
    size: int

    @property
    def expanded_size(self) -> int:
        """Bytes of the expanded form: all bytes between members, and the members' raw bytes in their places."""
        return self.size + sum([member.raw_bytes - member.stored_bytes for member in self.members])

    def only(self, members: tuple[Member, ...]) -> Recipe:
        """The recipe with these of its members; the others stay compressed."""
        return replace(self, members=members)


class _Wire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Columns: the bytes between each member and the one before, sizes, and which of the table's ways each was compressed in."""

    size: int
    table: tuple[tuple[int, ...], ...]
    gaps: tuple[int, ...]
    stored: tuple[int, ...]
    raw: tuple[int, ...]
    which: tuple[int, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Wire)


def encode(recipe: Recipe) -> bytes:
    """The bytes of a recipe. Raises FormatError ``bad-recipe`` for one that cannot be."""
    ways: dict[tuple[int, ...], int] = {}
    gaps, which, end = [], [], 0
    for member in recipe.members:
        gaps.append(member.offset - end)
        end = member.offset + member.stored_bytes
        which.append(ways.setdefault((int(member.codec), *member.parameters), len(ways)))
    stored, raw = (tuple(getattr(member, name) for member in recipe.members) for name in ("stored_bytes", "raw_bytes"))
    wire = _Wire(size=recipe.size, table=tuple(ways), gaps=tuple(gaps), stored=stored, raw=raw, which=tuple(which))
    _check(wire)
    return _ENCODER.encode(wire)


def decode(data: bytes) -> Recipe:
    """The recipe of its bytes. Raises FormatError ``bad-recipe`` for anything that :func:`encode` would not have written."""
    if len(data) > MAX_ENCODED_BYTES:
        raise _bad(f"it takes {len(data)} bytes")
    try:
        wire = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as error:
        raise _bad(str(error)) from error
    _check(wire)
    if _ENCODER.encode(wire) != data:
        raise _bad("it is not in its one form")
    members, at = [], 0
    for gap, stored, raw, way in zip(wire.gaps, wire.stored, wire.raw, wire.which, strict=True):
        at += gap
        codec, *parameters = wire.table[way]
        members.append(Member(at, stored, raw, _codec(codec), tuple(parameters)))
        at += stored
    return Recipe(tuple(members), wire.size)


def _check(wire: _Wire) -> None:
    if not 0 <= wire.size <= MAX_SIZE:
        raise _bad("its size is out of range")
    if not len(wire.gaps) == len(wire.stored) == len(wire.raw) == len(wire.which) <= MAX_MEMBERS:
        raise _bad("its columns differ in length, or have too many rows")
    if any(gap < 0 for gap in wire.gaps) or any(stored < 1 for stored in wire.stored) or any(raw < 0 for raw in wire.raw):
        raise _bad("a number in it is below the least")
    if sum(wire.gaps) + sum(wire.stored) > wire.size or wire.size + sum(wire.raw) > MAX_SIZE:
        raise _bad("its members have no room")
    _check_table(wire)


def _check_table(wire: _Wire) -> None:
    for way in wire.table:
        if not 1 <= len(way) <= 1 + MAX_PARAMETERS or any(not 0 <= number < 1 << 32 for number in way):
            raise _bad("a way of compressing in it is out of range")
        _codec(way[0])
    if len(set(wire.table)) != len(wire.table) or list(dict.fromkeys(wire.which)) != list(range(len(wire.table))):
        raise _bad("its ways of compressing are not numbered by first use")


@functools.cache
def _codec(number: int) -> Codec:
    try:
        return Codec(number)
    except ValueError:
        raise _bad(f"codec {number} is not known here") from None


def _bad(why: str) -> FormatError:
    return FormatError("bad-recipe", f"The recipe of an archive is refused: {why}.", AGAIN)
