"""What people ask to be done once about one package at one place: try again, verify, repair."""

from __future__ import annotations

import secrets
from typing import Literal

from haulage.base.clock import iso
from haulage.base.errors import NotFoundError, UsageError
from haulage.base.ids import PackageId, Place, site_of
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.engine.protocol.definitions import Kind, OrderState
from haulage.engine.status import on_requests
from haulage.operations.desk import Desk, require_package, require_place

Action = Literal["verify", "repair", "retry"]


def give_order(desk: Desk, actor: str, action: Action, package_id: PackageId, where: Place) -> int:
    """Carry an order to the site that acts for a place. Returns the shipment's generation before it, as known here: the order was
    carried out when a higher one is reported."""
    with desk.database.writing() as tx:
        require_package(tx, package_id)
        require_place(tx, where)
        if not estate.hierarchy(tx).is_within(site_of(where), desk.code):
            raise UsageError("out-of-scope", f"{where} is not at or below site {desk.code}.", f"Do it at {site_of(where)}.")
        shipment = transit.find_shipment(tx, package_id, where)
        if shipment is None and site_of(where) == desk.code:
            raise NotFoundError("not-assigned", f"{package_id} is not assigned to {where}.", "haulage package assign ID --to PLACE")
        before = 0 if shipment is None else shipment.generation
        state = OrderState(action=action, package=package_id, place=where, issued=iso(desk.clock.now()))
        desk.definitions.issue(tx, Kind.ORDER, f"{desk.code}.{secrets.token_hex(8)}", state)
        message = on_requests.RETRY_ASKED if action == "retry" else on_requests.VERIFY_ASKED
        desk.journal.record(tx, message, package=package_id, place=where, actor=actor)
        return before
