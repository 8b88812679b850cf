"""All of a site at one glance: how its sites are, who is linked, what moves, what is stuck, what was said last. Bounded, whatever
there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import SiteCode
from haulage.domain.reporting.contact import LinkView, Sight
from haulage.domain.reporting.hierarchy_view import Estate
from haulage.domain.reporting.moving.wanted import Wanted
from haulage.domain.reporting.standing import Health, rank
from haulage.domain.reporting.transfers import TransferRow, counts, transfers
from haulage.domain.telling.views import View, status_view
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Severity, StatusFilter

ROWS_MAX = 200


class NeighbourRow(msgspec.Struct, frozen=True, kw_only=True):
    """The parent or a child."""

    code: SiteCode
    name: str
    is_parent: bool
    health: str
    link: LinkView


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """``sites``: how many of each health; ``transfers``: how many of each state that is not done; lists hold at most ``rows``."""

    site: SiteCode
    time: str
    sites: Mapping[str, int]
    neighbours: Sequence[NeighbourRow]
    """Worst first."""
    transfers: Mapping[str, int]
    moving: Sequence[TransferRow]
    stuck: Sequence[TransferRow]
    """Failed, or tried again and again, or waiting for somebody."""
    messages: Sequence[View]
    """The newest first."""


def glance(tx: Transaction, sight: Sight, journal: Journal, *, rows: int, least: Severity = Severity.INFORMATION) -> Glance:
    """Now."""
    estate = Estate(tx, sight)

    def listed(state: str) -> Sequence[TransferRow]:
        return transfers(tx, Wanted(state=state), now=sight.now, here=sight.code, limit=rows).items

    moving = [*listed("moving"), *listed("verifying")][:rows]
    waits = [row for row in listed("waiting") if row.reason in ("person", "space")]
    said = journal.look(tx, StatusFilter(at_least=least), limit=rows, newest=True).rows
    parent = estate.tree.parent(sight.code)
    near = [code for code in (*([parent] if parent else []), *estate.tree.children(sight.code)) if code in estate.rows]
    return Glance(
        site=sight.code,
        time=iso(sight.now),
        sites=estate.totals(),
        neighbours=sorted(
            (_neighbour(estate, code, is_parent=code == parent) for code in near),
            key=lambda row: (not row.is_parent, rank(Health(row.health)), row.code),
        )[:rows],
        transfers=counts(tx, now=sight.now),
        moving=moving,
        stuck=[*listed("failed"), *waits, *listed("retrying")][:rows],
        messages=[status_view(one) for one in reversed(said)],
    )


def _neighbour(estate: Estate, code: SiteCode, *, is_parent: bool) -> NeighbourRow:
    row = estate.rows[code]
    return NeighbourRow(code=code, name=row.name, is_parent=is_parent, health=row.health.value, link=row.link)
