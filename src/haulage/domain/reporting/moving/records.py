"""Questions about many transfers at once, over the tables of other rooms: pages of a list, how many of each kind, what an act would
reach. Writes nothing and has no table of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from haulage.base.ids import NO_VERSION, PackageId, Place
from haulage.domain.catalog import records as catalog
from haulage.domain.reporting.lateness import MOVES, QUIET, TRIED, WAITED
from haulage.domain.reporting.moving.wanted import ORDER, SETTLED, Wanted, may_hold
from haulage.domain.transit import records
from haulage.domain.transit.records import OPEN, SPOKEN, asked_orders, shipments
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.database.transaction import Transaction

_S = shipments.c
SITE_CHARACTERS = 3
_UNDER_WAY = (ShipmentState.MOVING, ShipmentState.VERIFYING)


def page(
    tx: Transaction, wanted: Wanted, state: ShipmentState, after: tuple[str, str] | None, *, now: dt.datetime, limit: int
) -> Sequence[Shipment]:
    """Those of one state that a filter leaves, by package and place, beyond one of them."""
    query = sa.select(shipments).where(of_state(state), *narrowed(wanted, now))
    if after is not None:
        query = query.where(sa.tuple_(_S.package, _S.place) > sa.tuple_(*[sa.literal(part) for part in after]))
    query = query.order_by(_S.package, _S.place).limit(limit)
    return [records.shown_shipment(row) for row in tx.execute(query)]


def find_shown(tx: Transaction, package: PackageId, where: Place) -> Shipment | None:
    """A shipment as it is shown: what is announced counts, although nobody there has said that they know so."""
    row = tx.execute(sa.select(shipments).where(_S.package == package, _S.place == where)).one_or_none()
    return None if row is None else records.shown_shipment(row)


def names_of(tx: Transaction, packages: Collection[PackageId]) -> dict[PackageId, str]:
    """What packages are called."""
    p = catalog.packages.c
    return {PackageId(row.id): row.name for row in tx.execute(sa.select(p.id, p.name).where(p.id.in_(packages)))}


def count_open(tx: Transaction) -> dict[tuple[str, bool], int]:
    """How many stand how, and whether they are held, but for those that are settled."""
    held = _S.reason == Reason.HELD.value
    query = sa.select(_S.state, held, sa.func.count()).where(OPEN).group_by(_S.state, held)
    return {(state, bool(is_held)): int(count) for state, is_held, count in tx.execute(query)}


def count_stopped(tx: Transaction) -> dict[str, int]:
    """How many are held or cancelled, whatever their state."""
    query = sa.select(_S.word, sa.func.count()).where(SPOKEN).group_by(_S.word)
    return {word: int(count) for word, count in tx.execute(query)}


def count_late(tx: Transaction, now: dt.datetime) -> int:
    """How many are late."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(shipments).where(OPEN, is_late(now))).scalar_one())


def figures_of(tx: Transaction, word: str, wanted: Wanted, now: dt.datetime) -> Sequence[int]:
    """Of what a word would reach: transfers, packages, places, sites, moving ones, present ones, bytes that have not arrived."""
    arrived = _arrived()
    moving = sa.and_(_S.state.in_([state.value for state in _UNDER_WAY]), sa.not_(arrived))
    left = sa.case((sa.and_(sa.not_(arrived), _S.bytes_planned > _S.bytes_done), _S.bytes_planned - _S.bytes_done), else_=0)
    query = sa.select(
        sa.func.count(),
        sa.func.count(sa.distinct(_S.package)),
        sa.func.count(sa.distinct(_S.place)),
        sa.func.count(sa.distinct(_S.owner)),
        sa.func.sum(sa.case((moving, 1), else_=0)),
        sa.func.sum(sa.case((arrived, 1), else_=0)),
        sa.func.sum(left),
    ).where(*_affected(word, wanted, now))
    return [int(one or 0) for one in tx.execute(query).one()]


def pairs_of(tx: Transaction, word: str, wanted: Wanted, *, now: dt.datetime, limit: int) -> Sequence[tuple[PackageId, Place]]:
    """The transfers themselves, by package and place."""
    query = sa.select(_S.package, _S.place).where(*_affected(word, wanted, now)).order_by(_S.package, _S.place).limit(limit)
    return [(PackageId(package), Place(place)) for package, place in tx.execute(query)]


def is_late(now: dt.datetime) -> sa.ColumnElement[bool]:
    """What ``lateness.rule_of`` says of a row in hand, as a condition on rows that are not settled."""
    waits = _S.state == ShipmentState.WAITING.value
    return sa.and_(
        _S.state != ShipmentState.FAILED.value,
        _S.reason != Reason.HELD.value,
        sa.or_(
            _S.expected < now,
            sa.and_(_S.state.in_([state.value for state in MOVES]), _S.updated < now - QUIET),
            sa.and_(_S.state.in_([state.value for state in TRIED]), _S.due < now - QUIET),
            sa.and_(waits, _S.armed < now - WAITED),
        ),
    )


def of_state(state: ShipmentState) -> sa.ColumnElement[bool]:
    """Those that are shown to stand so."""
    one = _S.state == sa.literal_column(f"'{state.value}'")
    if state is ShipmentState.PRESENT:
        # Nearly all are: they are read in the order they are wanted in, and not found by an index and put in order.
        present: sa.ColumnElement[bool] = sa.func.coalesce(_S.state, "") == state.value
        return present
    # Said twice, so that the index of those that are not settled is seen to fit.
    return one if state in SETTLED else sa.and_(one, OPEN)


def narrowed(wanted: Wanted, now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter but for the states."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.package:
        found.append(_S.package == wanted.package)
    if wanted.place:
        found.append(_S.place == wanted.place)
    elif wanted.site:
        found.append(_S.owner == wanted.site)
    if wanted.state in ("held", "cancelled"):
        found += [_S.word == sa.literal_column(f"'{wanted.state}'"), SPOKEN]
    if wanted.reason:
        found.append(_S.reason == wanted.reason)
    elif wanted.state == ShipmentState.WAITING.value:
        found.append(_S.reason != Reason.HELD.value)
    if wanted.state == "asked":
        found.append(sa.tuple_(_S.package, _S.place).in_(sa.select(asked_orders.c.package, asked_orders.c.place)))
    if wanted.state == "late":
        found.append(is_late(now))
    return found


def in_states(wanted: Wanted) -> sa.ColumnElement[bool]:
    """The condition of a filter on the states; none if it leaves them all."""
    held = [state for state in ORDER if may_hold(wanted, state)]
    return sa.true() if len(held) == len(ORDER) else sa.or_(*[of_state(state) for state in held])


def _arrived() -> sa.ColumnElement[bool]:
    """What is wanted is there, and no newer version was announced that its site has not heard of."""
    return sa.and_(_S.present == _S.wanted, _S.wanted != NO_VERSION, sa.or_(_S.announced == 0, _S.announced == _S.wanted))


def _affected(word: str, wanted: Wanted, now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    """Nothing is brought to a package's own site, and what is being removed is not on its way."""
    meant = sa.or_(_S.wanted != NO_VERSION, _S.announced != NO_VERSION)
    brought = sa.and_(meant, _S.place != sa.func.substr(_S.package, 1, SITE_CHARACTERS))
    changes = {
        "hold": _S.word != Word.HELD.value,
        "release": _S.word != Word.NONE.value,
        "cancel": sa.and_(sa.not_(_arrived()), _S.word != Word.CANCELLED.value),
    }
    return [brought, changes[word], in_states(wanted), *narrowed(wanted, now)]
