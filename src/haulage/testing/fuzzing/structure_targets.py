"""Fuzzing targets of what a parcel tells of its target's entries: raw sections, and the columns in them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from haulage.base.errors import FormatError
from haulage.engine.content import codec
from haulage.engine.content.digest import digest
from haulage.engine.content.manifest import Manifest, parse_root
from haulage.engine.parcels.model import At
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.structure import Structure, encode_structure
from haulage.engine.parcels.structure_columns import Column, cut_sections, join_sections
from haulage.testing.fuzzing.content_targets import captured
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import Target


@functools.cache
def _versions() -> tuple[Manifest, Manifest]:
    store, first, second = captured()
    return Manifest.open(first, store.read), Manifest.open(second, store.read)


@functools.cache
def _sections() -> tuple[bytes, ...]:
    """The second version against the first, the first by itself, and the second as it is."""
    one, two = _versions()
    made: list[bytes] = []
    for target, bases, verbatim in ((two, [one], False), (one, [], False), (two, [one], True)):
        made += encode_structure(target, bases, NewChunks(target, bases), give_ids=not bases, verbatim=verbatim)
    return tuple(made)


def _take_section(data: bytes) -> None:
    _take([data])


def _column_seeds() -> list[bytes]:
    return [codec.encode([bytes(column) for column in join_sections([section])]) for section in _sections()[:2]]


def _take_columns(data: bytes) -> None:
    """Columns in their frame, so that what reads them is reached."""
    value = codec.decode(data, max_bytes=len(data), what="columns")
    if not isinstance(value, list) or len(value) != len(Column):
        raise FormatError("bad-field", "There are other columns.")
    columns = [bytearray(column) for column in value if isinstance(column, bytes)]
    if len(columns) != len(Column):
        raise FormatError("bad-field", "A column is not made of bytes.")
    _take(list(cut_sections(columns, whole=True)))


def _take(sections: Sequence[bytes]) -> None:
    """What is taken gives a root page in the end, whosever it is, and every content of its first page adds up."""
    one, two = _versions()
    structure = Structure.decode(sections, two.id, [one])
    ids = structure.new_ids or b"".join([digest(bytes([n % 256])) for n in range(structure.new_chunks)])
    root = parse_root(list(structure.pages(ids))[-1])
    for entry in range(min(root.pages[0].entries, 20)):
        for length, chunk, ordinal in structure.rows(At(0, entry, 0)):
            assert length > 0
            assert ordinal < structure.new_chunks
            assert chunk is not None or ordinal >= 0


TARGETS = (
    Target(name="parcel-structure", reads="structure sections", take=_take_section, seeds=lambda: list(_sections())),
    Target(name="structure-columns", reads="columns of entries", take=_take_columns, seeds=_column_seeds, coding=Coding.MSGPACK),
)
