"""Orders that are on their way to the site that acts for a place: asked, and not answered yet. Only for people to look at; the
orders themselves are definitions, and nothing waits for these rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.transit.records import asked_orders
from haulage.domain.transit.shipment import Shipment
from haulage.engine.database.transaction import Transaction

WORDS = frozenset({"hold", "release", "cancel"})
"""What is said of transfers is answered by a word of that moment or later; other orders by being armed anew."""
KEPT = dt.timedelta(days=30)
"""An order that was refused far away is answered by a status message alone; so long it is shown as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The last order of one package at one place. ``generation`` is the shipment's before it, as known here; -1: not known."""

    package: PackageId
    place: Place
    action: str
    actor: str
    sender: SiteCode
    issued: dt.datetime
    generation: int


def _key(package: str, where: str) -> sa.ColumnElement[bool]:
    return sa.and_(asked_orders.c.package == package, asked_orders.c.place == where)


def put_asked(tx: Transaction, one: Asked) -> None:
    """An order passed through here on its way; the one before it is not looked for any more."""
    tx.execute(asked_orders.delete().where(_key(one.package, one.place)))
    tx.execute(
        asked_orders.insert().values(
            package=one.package,
            place=one.place,
            action=one.action,
            actor=one.actor,
            sender=one.sender,
            issued=one.issued,
            generation=one.generation,
        )
    )


def answered(tx: Transaction, after: Shipment) -> None:
    """A site has reported: is it after the order?"""
    key = _key(after.package, after.place)
    row = tx.execute(sa.select(asked_orders).where(key)).one_or_none()
    if row is None:
        return
    heard = after.word_time is not None and after.word_time >= row.issued
    if heard or (row.action not in WORDS and after.generation > row.generation):
        tx.execute(asked_orders.delete().where(key))


def asked_of(tx: Transaction, pairs: Iterable[tuple[PackageId, Place]]) -> dict[tuple[PackageId, Place], Asked]:
    """What was asked of these transfers and not answered."""
    wanted = set(pairs)
    if not wanted:
        return {}
    t = asked_orders.c
    rows = tx.execute(sa.select(asked_orders).where(t.package.in_({package for package, _place in wanted})))
    found = {(PackageId(row.package), Place(row.place)): Asked(**row._mapping) for row in rows}
    return {pair: one for pair, one in found.items() if pair in wanted}


def forget_asked(tx: Transaction, now: dt.datetime) -> None:
    """Drop what nobody will answer any more."""
    tx.execute(asked_orders.delete().where(asked_orders.c.issued < now - KEPT))
