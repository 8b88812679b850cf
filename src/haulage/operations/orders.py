"""What people ask to be done once about packages at places: try again, verify, repair; hold, release, cancel what is on its way."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from typing import Literal

from haulage.base.clock import iso
from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.base.ids import PackageId, Place, SiteCode, make_place, owner_of, site_of
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import forbids
from haulage.domain.transit.views import expected_places
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import ORDER_MAX, Kind, OrderState, OrderTarget
from haulage.engine.protocol.fields import NAME_MAX
from haulage.engine.status import on_requests, on_transfers
from haulage.operations.desk import Desk, require_package, require_place

Action = Literal["verify", "repair", "retry"]
Word = Literal["hold", "release", "cancel"]
Pair = tuple[PackageId, Place]

TOGETHER_MAX = 50_000
"""Transfers that are held, released or cancelled at once."""
_ASKED = {"hold": on_transfers.HOLD_ASKED, "release": on_transfers.RELEASE_ASKED, "cancel": on_transfers.CANCEL_ASKED}


def give_order(desk: Desk, actor: str, action: Action, package_id: PackageId, where: Place) -> int:
    """Carry an order to the site that acts for a place. Returns the shipment's generation before it, as known here: the order was
    carried out when a higher one is reported. Raises ConflictError ``transfer-stopped`` if somebody holds or cancelled it."""
    with desk.database.writing() as tx:
        require_package(tx, package_id)
        _require_below(desk, tx, where)
        shipment = transit.find_shipment(tx, package_id, where)
        if shipment is None and site_of(where) == desk.code:
            raise NotFoundError("not-assigned", f"{package_id} is not assigned to {where}.", "haulage package assign ID --to PLACE")
        cause = "" if shipment is None else forbids(shipment, action)
        if cause:
            raise ConflictError("transfer-stopped", f"{cause}.", f"haulage transfer release {package_id} --at {where}")
        before = 0 if shipment is None else shipment.generation
        _issue(desk, tx, actor, action, [(package_id, where)])
        message = on_requests.RETRY_ASKED if action == "retry" else on_requests.VERIFY_ASKED
        desk.journal.record(tx, message, package=package_id, place=where, actor=actor)
        return before


def give_orders(desk: Desk, actor: str, action: Action, pairs: Sequence[Pair], what: str) -> int:
    """Carry one order about many to the sites that act for them; ``what`` tells in words which. What somebody holds or cancelled is
    left out, and what nobody knows of is for the caller to leave out. Returns how many it is about; for none nothing is done.
    Raises UsageError ``too-many-transfers``, ``out-of-scope``."""
    _refuse_too_many(pairs)
    with desk.database.writing() as tx:
        _require_all_below(desk, tx, {site_of(where) for _package, where in pairs})
        chosen = [pair for pair in pairs if not _stopped(tx, action, *pair)]
        if chosen:
            _issue(desk, tx, actor, action, chosen)
            desk.journal.record(tx, on_transfers.MANY_ASKED, actor=actor, action=action, count=len(chosen), what=what)
        return len(chosen)


def _stopped(tx: Transaction, action: Action, package_id: PackageId, where: Place) -> bool:
    known = transit.find_shipment(tx, package_id, where)
    return known is not None and bool(forbids(known, action))


def _refuse_too_many(pairs: Sequence[Pair]) -> None:
    if len(pairs) > TOGETHER_MAX:
        raise UsageError(
            "too-many-transfers", f"{len(pairs)} transfers are more than {TOGETHER_MAX} at once.", "Do it site by site."
        )


def say_of_transfer(desk: Desk, actor: str, word: Word, package_id: PackageId, where: Place) -> dt.datetime:
    """Hold, release or cancel one transfer. Returns when it was said: the place has heard it when it reports a word of that moment
    or a later one. Raises NotFoundError ``not-assigned``; ConflictError ``own-source``."""
    with desk.database.writing() as tx:
        package = require_package(tx, package_id)
        _require_below(desk, tx, where)
        if where == make_place(owner_of(package_id)):
            raise ConflictError(
                "own-source", f"{where} makes {package_id} itself; nothing is brought there.", "Name the places it is brought to."
            )
        known = transit.find_shipment(tx, package_id, where)
        if (known is None or not known.wanted) and where not in expected_places(tx, package):
            raise NotFoundError("not-assigned", f"{package_id} is not meant for {where}.", "haulage package assign ID --to PLACE")
        return _say(desk, tx, actor, word, [(package_id, where)], f"{package_id} at {where}", package_id, where)


def say_of_transfers(desk: Desk, actor: str, word: Word, pairs: Sequence[Pair], what: str) -> dt.datetime | None:
    """Hold, release or cancel many at once; ``what`` tells in words which. Nothing at all for none. Places that are unknown, or
    make the package themselves, are for the caller to leave out. Raises UsageError ``too-many-transfers``."""
    _refuse_too_many(pairs)
    if not pairs:
        return None
    with desk.database.writing() as tx:
        _require_all_below(desk, tx, {site_of(where) for _package, where in pairs})
        return _say(desk, tx, actor, word, pairs, what)


def _say(
    desk: Desk,
    tx: Transaction,
    actor: str,
    word: Word,
    pairs: Sequence[Pair],
    what: str,
    package: PackageId | None = None,
    where: Place | None = None,
) -> dt.datetime:
    moment = _issue(desk, tx, actor, word, pairs)
    desk.journal.record(tx, _ASKED[word], package=package, place=where, actor=actor, count=len(pairs), what=what)
    return moment


def _issue(desk: Desk, tx: Transaction, actor: str, action: Action | Word, pairs: Sequence[Pair]) -> dt.datetime:
    """One order for each site, signed once, however many transfers it is about."""
    moment = desk.clock.now()
    by_site: dict[SiteCode, list[Pair]] = {}
    for pair in sorted(set(pairs), key=lambda pair: f"{pair[0]}@{pair[1]}"):
        by_site.setdefault(site_of(pair[1]), []).append(pair)
    for site in sorted(by_site):
        for some in _parts(by_site[site]):
            targets = tuple([OrderTarget(package=package, place=where) for package, where in some])
            state = OrderState(action=action, targets=targets, issued=iso(moment), actor=actor[:NAME_MAX])
            desk.definitions.issue(tx, Kind.ORDER, f"{desk.code}.{secrets.token_hex(8)}", state)
    return moment


def _parts(pairs: Sequence[Pair]) -> list[Sequence[Pair]]:
    return [pairs[start : start + ORDER_MAX] for start in range(0, len(pairs), ORDER_MAX)]


def _require_below(desk: Desk, tx: Transaction, where: Place) -> None:
    require_place(tx, where)
    _require_all_below(desk, tx, {site_of(where)})


def _require_all_below(desk: Desk, tx: Transaction, sites: Collection[SiteCode]) -> None:
    tree = estate.hierarchy(tx)
    for site in sorted(sites):
        if not tree.is_within(site, desk.code):
            raise UsageError("out-of-scope", f"{site} is not at or below site {desk.code}.", f"Do it at {site}.")
