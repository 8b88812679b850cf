"""The tables of definitions and of the streams to and from each neighbour."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from haulage.base.errors import NotAllowedError
from haulage.base.ids import SiteCode
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import UtcTime

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

definitions = sa.Table(
    "definitions",
    metadata,
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.String(3), nullable=False, index=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("stored", UtcTime, nullable=False),
)

streams = sa.Table(
    "hop_streams",
    metadata,
    sa.Column("peer", sa.String(3), primary_key=True),
    sa.Column("out_stream", sa.BigInteger, nullable=False),
    sa.Column("out_next", sa.BigInteger, nullable=False),
    sa.Column("out_acknowledged", sa.BigInteger, nullable=False),
    sa.Column("out_bytes", sa.BigInteger, nullable=False),
    sa.Column("in_epoch", sa.BigInteger, nullable=False),
    sa.Column("in_stream", sa.BigInteger, nullable=False),
    sa.Column("in_sequence", sa.BigInteger, nullable=False),
    sa.Column("heard", UtcTime),
    sa.Column("away_said", sa.Boolean, nullable=False),
)

dirty = sa.Table(
    "hop_dirty",
    metadata,
    sa.Column("number", _BIG, primary_key=True, autoincrement=True),
    sa.Column("peer", sa.String(3), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.UniqueConstraint("peer", "kind", "key"),
)
"""What is to be told; ``late`` ones after all others."""

sealed = sa.Table(
    "hop_sealed",
    metadata,
    sa.Column("peer", sa.String(3), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)

told = sa.Table(
    "hop_told",
    metadata,
    sa.Column("peer", sa.String(3), primary_key=True),
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)
"""Which object at which revision went to which neighbour, and under which sequence: who must hear of a change or a tombstone."""


parked = sa.Table(
    "definitions_parked",
    metadata,
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("source", sa.String(3)),
)
"""Definitions whose signer is not known here yet; tried again when a site becomes known."""

PARKED_MAX = 10_000

# Built once: these are asked for so often that putting the question together would cost more than the answer.
_FIND_DEFINITION = sa.select(definitions).where(definitions.c.kind == sa.bindparam("kind"), definitions.c.id == sa.bindparam("id"))
_FIND_STREAM = sa.select(streams).where(streams.c.peer == sa.bindparam("peer"))
_FIND_DIRTY = sa.select(dirty.c.number).where(
    dirty.c.peer == sa.bindparam("peer"), dirty.c.kind == sa.bindparam("kind"), dirty.c.key == sa.bindparam("key")
)
_ADD_DIRTY = dirty.insert()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDefinition:
    """One definition as it lies here, signed."""

    kind: str
    id: str
    owner: SiteCode
    revision: int
    deleted: bool
    document: bytes
    stored: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A stored definition without its document."""

    kind: str
    id: str
    owner: SiteCode
    revision: int
    deleted: bool
    stored: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How far the streams to and from one neighbour are."""

    peer: SiteCode
    out_stream: int = 1
    out_next: int = 1
    out_acknowledged: int = 0
    out_bytes: int = 0
    in_epoch: int = 0
    in_stream: int = 0
    in_sequence: int = 0
    heard: dt.datetime | None = None
    away_said: bool = False


def put_definition(tx: Transaction, definition: StoredDefinition) -> None:
    """Write a definition in place of the revision before."""
    tx.execute(definitions.delete().where(_is(definition.kind, definition.id)))
    tx.execute(definitions.insert().values(dataclasses.asdict(definition)))


def find_definition(tx: Transaction, kind: str, object_id: str) -> StoredDefinition | None:
    """One definition, tombstones included; None if never heard of."""
    row = tx.execute(_FIND_DEFINITION, {"kind": kind, "id": object_id}).one_or_none()
    return None if row is None else StoredDefinition(**row._mapping)


def list_definitions(tx: Transaction, kind: str | None = None, *, tombstones: bool = False) -> Sequence[StoredDefinition]:
    """Definitions by kind and id; with ``tombstones`` the deleted ones too."""
    query = sa.select(definitions).order_by(definitions.c.kind, definitions.c.id)
    if kind is not None:
        query = query.where(definitions.c.kind == kind)
    if not tombstones:
        query = query.where(~definitions.c.deleted)
    return [StoredDefinition(**row._mapping) for row in tx.execute(query)]


def list_names(tx: Transaction) -> Sequence[Named]:
    """Every definition and tombstone by kind and id, without documents: those together may be more than memory should hold."""
    columns = [column for column in definitions.c if column.name != "document"]
    rows = tx.execute(sa.select(*columns).order_by(definitions.c.kind, definitions.c.id))
    return [Named(**row._mapping) for row in rows]


def forget_definition(tx: Transaction, kind: str, object_id: str) -> None:
    """Remove a tombstone that everybody has acknowledged."""
    tx.execute(definitions.delete().where(_is(kind, object_id)))
    tx.execute(told.delete().where(told.c.kind == kind, told.c.id == object_id))


def park(tx: Transaction, kind: str, object_id: str, revision: int, document: bytes, source: SiteCode | None) -> None:
    """Keep a definition aside until its signer is known; only the newest revision, and never more than PARKED_MAX."""
    key = sa.and_(parked.c.kind == kind, parked.c.id == object_id)
    there = tx.execute(sa.select(parked.c.revision).where(key)).scalar_one_or_none()
    if there is not None and there >= revision:
        return
    if there is None and tx.execute(sa.select(sa.func.count()).select_from(parked)).scalar_one() >= PARKED_MAX:
        raise NotAllowedError("too-many-unknown", "Too many definitions of unknown signers wait already.", "Who sends them?")
    tx.execute(parked.delete().where(key))
    tx.execute(parked.insert().values(kind=kind, id=object_id, revision=revision, document=document, source=source))


def take_parked(tx: Transaction) -> Sequence[tuple[bytes, SiteCode | None]]:
    """Take everything that was kept aside."""
    rows = [(row.document, row.source) for row in tx.execute(sa.select(parked).order_by(parked.c.kind, parked.c.id))]
    if rows:
        tx.execute(parked.delete())
    return rows


def _is(kind: str, object_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(definitions.c.kind == kind, definitions.c.id == object_id)


def find_stream(tx: Transaction, peer: SiteCode) -> Stream:
    """The streams with a neighbour; a fresh one if there was no contact yet."""
    row = tx.execute(_FIND_STREAM, {"peer": peer}).one_or_none()
    return Stream(peer=peer) if row is None else Stream(**row._mapping)


def list_streams(tx: Transaction) -> Sequence[Stream]:
    """The streams with all neighbours."""
    return [Stream(**row._mapping) for row in tx.execute(sa.select(streams).order_by(streams.c.peer))]


def put_stream(tx: Transaction, stream: Stream) -> None:
    """Write how far the streams with a neighbour are."""
    values = {field.name: getattr(stream, field.name) for field in dataclasses.fields(stream)}
    if tx.execute(streams.update().where(streams.c.peer == stream.peer).values(values)).rowcount == 0:
        tx.execute(streams.insert().values(values))


def remove_peer(tx: Transaction, peer: SiteCode) -> None:
    """Forget everything about a neighbour: what was to be told, what was sealed, what was sent."""
    for table in (streams, dirty, sealed, told):
        tx.execute(table.delete().where(table.c.peer == peer))


def add_dirty(tx: Transaction, peer: SiteCode, kind: str, key: str, *, late: bool = False) -> None:
    """Note that a neighbour is to be told the present state of something; noting it twice is noting it once."""
    line = {"peer": peer, "kind": kind, "key": key}
    if tx.execute(_FIND_DIRTY, line).first() is None:
        tx.execute(_ADD_DIRTY, line | {"late": late})


def is_dirty(tx: Transaction, peer: SiteCode, kind: str, key: str) -> bool:
    """Whether a neighbour is still to be told about this."""
    there = sa.select(dirty.c.number).where(dirty.c.peer == peer, dirty.c.kind == kind, dirty.c.key == key)
    return tx.execute(there).first() is not None


def dirty_peers(tx: Transaction, kind: str, key: str) -> Sequence[SiteCode]:
    """The neighbours that are still to be told about this."""
    return list(tx.execute(sa.select(dirty.c.peer).where(dirty.c.kind == kind, dirty.c.key == key)).scalars())


def dirty_keys(tx: Transaction, peer: SiteCode, kind: str) -> Sequence[str]:
    """Everything of one kind that a neighbour is still to be told."""
    return list(tx.execute(sa.select(dirty.c.key).where(dirty.c.peer == peer, dirty.c.kind == kind)).scalars())


def has_dirty(tx: Transaction, peer: SiteCode) -> bool:
    """Whether there is anything new to tell a neighbour."""
    return tx.execute(sa.select(dirty.c.number).where(dirty.c.peer == peer).limit(1)).first() is not None


def count_dirty(tx: Transaction, peer: SiteCode) -> int:
    """How many things there are to tell a neighbour."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(dirty).where(dirty.c.peer == peer)).scalar_one())


def count_dirty_of_all(tx: Transaction) -> dict[SiteCode, int]:
    """How many things there are to tell each neighbour; who is told all is not in it."""
    query = sa.select(dirty.c.peer, sa.func.count()).group_by(dirty.c.peer)
    return {SiteCode(peer): int(count) for peer, count in tx.execute(query)}


def first_dirty(tx: Transaction, peer: SiteCode, limit: int) -> Sequence[tuple[int, str, str, bool]]:
    """The oldest things to tell a neighbour, late ones last: (number, kind, key, late)."""
    query = sa.select(dirty).where(dirty.c.peer == peer).order_by(dirty.c.late, dirty.c.number).limit(limit)
    return [(row.number, row.kind, row.key, row.late) for row in tx.execute(query)]


def remove_dirty(tx: Transaction, numbers: Iterable[int]) -> None:
    """These were told."""
    tx.execute(dirty.delete().where(dirty.c.number.in_(list(numbers))))


def clear_dirty(tx: Transaction, peer: SiteCode) -> None:
    """Nothing is to be told a neighbour."""
    tx.execute(dirty.delete().where(dirty.c.peer == peer))


def put_sealed(tx: Transaction, peer: SiteCode, first: int, last: int, document: bytes) -> None:
    """Keep a sealed envelope until it is acknowledged."""
    tx.execute(sealed.insert().values(peer=peer, first=first, last=last, document=document))


def list_sealed(tx: Transaction, peer: SiteCode, after: int, limit: int) -> Sequence[bytes]:
    """The oldest sealed envelopes that hold something beyond ``after``."""
    query = sa.select(sealed.c.document).where(sealed.c.peer == peer, sealed.c.last > after).order_by(sealed.c.first)
    return list(tx.execute(query.limit(limit)).scalars())


def remove_sealed(tx: Transaction, peer: SiteCode, through: int) -> None:
    """Envelopes up to a sequence were acknowledged."""
    tx.execute(sealed.delete().where(sealed.c.peer == peer, sealed.c.last <= through))


def put_told(tx: Transaction, peer: SiteCode, kind: str, object_id: str, revision: int, sequence: int) -> None:
    """Note that an object at a revision goes to a neighbour under a sequence."""
    key = sa.and_(told.c.peer == peer, told.c.kind == kind, told.c.id == object_id)
    tx.execute(told.delete().where(key))
    tx.execute(told.insert().values(peer=peer, kind=kind, id=object_id, revision=revision, sequence=sequence))


def told_peers(tx: Transaction, kind: str, object_id: str) -> dict[SiteCode, tuple[int, int]]:
    """Which neighbours were ever sent an object: the revision and under which sequence."""
    rows = tx.execute(sa.select(told).where(told.c.kind == kind, told.c.id == object_id))
    return {row.peer: (row.revision, row.sequence) for row in rows}


def told_objects(tx: Transaction, peer: SiteCode) -> Sequence[tuple[str, str]]:
    """Every object a neighbour was ever sent: (kind, id)."""
    rows = tx.execute(sa.select(told.c.kind, told.c.id).where(told.c.peer == peer).order_by(told.c.kind, told.c.id))
    return [(row.kind, row.id) for row in rows]


def told_between(tx: Transaction, peer: SiteCode, kind: str, after: int, through: int) -> Sequence[tuple[str, int]]:
    """Objects of a kind, with their revision, that went to a neighbour in the messages behind ``after`` up to ``through``."""
    query = sa.select(told.c.id, told.c.revision).where(told.c.peer == peer, told.c.kind == kind)
    rows = tx.execute(query.where(told.c.sequence > after, told.c.sequence <= through).order_by(told.c.id))
    return [(row.id, row.revision) for row in rows]
