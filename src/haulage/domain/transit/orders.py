"""Orders: what a person asked for once about packages at the places of one site, carried down to the site that acts for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Protocol

from haulage.base.clock import Clock, parse_iso
from haulage.base.ids import PackageId, Place, SiteCode, make_place, owner_of, site_of
from haulage.domain.estate import records as estate
from haulage.domain.estate.rules import joined_children, keys_of, require_power
from haulage.domain.transit import records
from haulage.domain.transit.asked import Asked, put_asked
from haulage.domain.transit.ledger import Ledger
from haulage.domain.transit.lines.records import generations
from haulage.domain.transit.shipment import Said, Shipment, cancel, forbids, hold, order, outranked, release
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, OrderState, OrderTarget, state_of

WORDS: dict[str, Callable[[Shipment, Said, dt.datetime], Shipment]] = {"hold": hold, "release": release, "cancel": cancel}
"""What may be said of a transfer; the last word counts."""


class Herald(Protocol):
    """What becomes of orders, for a manager."""

    def executed(self, tx: Transaction, definition: Definition, state: OrderState) -> None: ...

    def refused(self, tx: Transaction, definition: Definition, state: OrderState, target: OrderTarget, cause: str) -> None: ...

    def stopped(self, tx: Transaction, before: Shipment, after: Shipment) -> None:
        """A transfer was held, released or cancelled, and that changed what is being done."""
        ...


class OrderRules:
    """Orders are given by the places' own site or one above it, and needed on the way there."""

    role = "site"

    def __init__(self, code: SiteCode, *, clock: Clock, ledger: Ledger, herald: Herald) -> None:
        self._code = code
        self._clock = clock
        self._ledger = ledger
        self._herald = herald

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        if definition.deleted:
            return keys_of(tx, definition.owner)
        site = _site(definition)
        if estate.find_site(tx, site) is None or estate.find_site(tx, definition.owner) is None:
            return []
        require_power(tx, definition, site)
        return keys_of(tx, definition.owner)

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        hop = self._hop(tx, _site(definition))
        return {hop} & joined_children(tx, self._code) if hop else set()

    def _hop(self, tx: Transaction, site: SiteCode) -> SiteCode | None:
        """The child on the way to a site; None if it is not below. A few looks, and no tree of all sites: orders may go to each."""
        known, seen = estate.find_site(tx, site), set[SiteCode]()
        while known is not None and known.parent is not None and known.code not in seen:
            if known.parent == self._code:
                return known.code
            seen.add(known.code)
            known = estate.find_site(tx, known.parent)
        return None

    def apply(self, tx: Transaction, definition: Definition) -> None:
        if definition.deleted:
            return
        state = state_of(definition, OrderState)
        if _site(definition) != self._code:
            self._note(tx, definition, state)
            return
        refused = 0
        for target in state.targets:
            before = records.find_shipment(tx, PackageId(target.package), Place(target.place))
            cause = self._cause(before, target, definition, state)
            if cause or before is None:
                refused += 1
                self._herald.refused(tx, definition, state, target, cause)
            else:
                self._carry_out(tx, before, definition, state)
        if refused < len(state.targets):
            self._herald.executed(tx, definition, state)

    def _cause(self, before: Shipment | None, target: OrderTarget, definition: Definition, state: OrderState) -> str:
        """Why one target is left as it is; empty if nothing speaks against it."""
        if before is None:
            return f"{target.package} is not assigned to {target.place}"
        if state.action not in WORDS:
            said = _said(definition, state)
            if before.stopped and outranked(before, said):
                return f"{before.word_by} said {before.word.value} after it was asked for"
            return forbids(before, state.action)
        if Place(target.place) == make_place(owner_of(PackageId(target.package))):
            return f"{target.place} makes {target.package} itself; nothing is brought there"
        if outranked(before, _said(definition, state)):
            return f"{before.word_by} said something else of {before.package} at {before.place} after it was asked for"
        return ""

    def _carry_out(self, tx: Transaction, before: Shipment, definition: Definition, state: OrderState) -> None:
        now = self._clock.now()
        word = WORDS.get(state.action)
        after = order(before, state.action, now) if word is None else word(before, _said(definition, state), now)
        self._ledger.save(tx, after)
        if word is not None and after.generation != before.generation:
            self._herald.stopped(tx, before, after)

    def _note(self, tx: Transaction, definition: Definition, state: OrderState) -> None:
        """It goes further down: until the site has answered, it can be seen here that it was asked."""
        known = generations(tx, _site(definition))
        issued = parse_iso(state.issued)
        put_asked(
            tx,
            [
                Asked(
                    package=package,
                    place=where,
                    action=state.action,
                    actor=state.actor,
                    sender=definition.owner,
                    issued=issued,
                    generation=known.get((package, where), -1),
                )
                for package, where in [(PackageId(target.package), Place(target.place)) for target in state.targets]
            ],
        )


def _site(definition: Definition) -> SiteCode:
    return site_of(Place(state_of(definition, OrderState).targets[0].place))


def _said(definition: Definition, state: OrderState) -> Said:
    by = f"{state.actor} at {definition.owner}" if state.actor else f"site {definition.owner}"
    return Said(by=by, time=parse_iso(state.issued), revision=definition.revision)
