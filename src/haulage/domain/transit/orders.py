"""Orders: what a person asked for once about one package at one place, carried down to the site that acts for the place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.ids import PackageId, Place, SiteCode, site_of
from haulage.domain.estate import records as estate
from haulage.domain.estate.rules import joined_children, keys_of, require_power
from haulage.domain.transit import records
from haulage.domain.transit.ledger import Ledger
from haulage.domain.transit.shipment import order
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, OrderState, state_of


class Herald(Protocol):
    """What becomes of orders, for a manager."""

    def executed(self, tx: Transaction, definition: Definition, state: OrderState) -> None: ...

    def refused(self, tx: Transaction, definition: Definition, state: OrderState, cause: str) -> None: ...


class OrderRules:
    """Orders are given by the place's own site or one above it, and needed on the way there."""

    role = "site"

    def __init__(self, code: SiteCode, *, clock: Clock, ledger: Ledger, herald: Herald) -> None:
        self._code = code
        self._clock = clock
        self._ledger = ledger
        self._herald = herald

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        if definition.deleted:
            return keys_of(tx, definition.owner)
        site = site_of(Place(state_of(definition, OrderState).place))
        if estate.find_site(tx, site) is None or estate.find_site(tx, definition.owner) is None:
            return []
        require_power(tx, definition, site)
        return keys_of(tx, definition.owner)

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        site = site_of(Place(state_of(definition, OrderState).place))
        hop = estate.hierarchy(tx).next_hop(self._code, site)
        return {hop} & joined_children(tx, self._code) if hop else set()

    def apply(self, tx: Transaction, definition: Definition) -> None:
        if definition.deleted:
            return
        state = state_of(definition, OrderState)
        where = Place(state.place)
        if site_of(where) != self._code:
            return
        before = records.find_shipment(tx, PackageId(state.package), where)
        if before is None:
            self._herald.refused(tx, definition, state, f"{state.package} is not assigned to {where}")
            return
        self._ledger.save(tx, order(before, state.action, self._clock.now()))
        self._herald.executed(tx, definition, state)
