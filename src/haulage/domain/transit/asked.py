"""Orders that are on their way to the site that acts for a place: asked, and not answered yet. Only for people to look at; the
orders themselves are definitions, and nothing waits for these rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.transit.lines import records
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


def put_asked(tx: Transaction, asked: Sequence[Asked]) -> None:
    """An order passed through here on its way; those before it are not looked for any more."""
    names = [field.name for field in dataclasses.fields(Asked)]
    records.put_orders(tx, [{name: getattr(one, name) for name in names} for one in asked])


def answered(tx: Transaction, after: Shipment) -> None:
    """A site has reported: is it after the order?"""
    found = records.find_order(tx, after.package, after.place)
    if found is None:
        return
    asked = Asked(**found)
    heard = after.word_time is not None and after.word_time >= asked.issued
    if heard or (asked.action not in WORDS and after.generation > asked.generation):
        records.delete_order(tx, after.package, after.place)


def asked_of(tx: Transaction, pairs: Iterable[tuple[PackageId, Place]]) -> dict[tuple[PackageId, Place], Asked]:
    """What was asked of these transfers and not answered."""
    wanted = set(pairs)
    found = [Asked(**row) for row in records.orders_about(tx, {package for package, _place in wanted})] if wanted else []
    return {(one.package, one.place): one for one in found if (one.package, one.place) in wanted}


def forget_asked(tx: Transaction, now: dt.datetime) -> None:
    """Drop what nobody will answer any more."""
    records.delete_orders(tx, now - KEPT)
