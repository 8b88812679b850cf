"""The tree of sites as it is looked at: nothing is lost by folding it up, however large it is, and who is away is said of whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point, SiteStatus
from haulage.domain.replication import records as replication
from haulage.domain.reporting.contact import Sight
from haulage.domain.reporting.hierarchy_view import (
    MOST_ASKED,
    MOST_CHILDREN,
    MOST_NODES,
    Estate,
    HierarchyView,
    SitesWanted,
    Wanted,
    after,
    hierarchy_view,
    listed_sites,
)
from haulage.domain.reporting.standing import Health
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.template import fresh_database
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_sites
from haulage.engine.status import records as status
from haulage.engine.status.message import StatusRecord

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TOP = SiteCode("HQ1")


def code_of(number: int) -> SiteCode:
    return SiteCode(f"X{LETTERS[number // 36]}{LETTERS[number % 36]}" if number else TOP)


def looked_at(parents: Mapping[SiteCode, SiteCode | None], *more: object, here: SiteCode = TOP) -> Estate:
    """The estate of a table of sites, with whatever else is to be written."""
    database = fresh_database()
    with database.writing() as tx:
        tx.execute(estate.sites.insert(), [site_row(code, parent) for code, parent in parents.items()])
        for one in more:
            WRITERS[type(one)](tx, one)  # type: ignore[operator]
    with database.reading() as tx:
        return Estate(tx, Sight(code=here, now=NOW, heard={}, away_seconds=300.0))


def site_row(code: SiteCode, parent: SiteCode | None) -> dict[str, object]:
    facts = {"name": f"Site {code}", "url": "", "key": "k", "certificate": "", "status": SiteStatus.ACTIVE.value, "life": 0}
    return {"code": code, "parent": parent, **facts}


def put_status(tx: Transaction, said: StatusRecord) -> None:
    status.insert(tx, said, received=NOW)


WRITERS = {
    Shipment: transit.put_shipment,
    replication.Stream: replication.put_stream,
    StatusRecord: put_status,
    Point: estate.put_point,
}


def shipment(place: str, state: ShipmentState, reason: Reason = Reason.NONE, package: str = "HQ100001") -> Shipment:
    return Shipment(
        package=PackageId(package),
        place=Place(place),
        owner=SiteCode(place[:3]),
        wanted=VersionNumber(1),
        state=state,
        reason=reason,
        updated=NOW,
    )


def said(site: str, child: str, *, away: bool, sequence: int = 1) -> StatusRecord:
    message = on_sites.SITE_AWAY if away else on_sites.SITE_BACK
    fields: dict[str, str | int] = {"child": child}
    fields |= {"since": iso(NOW - dt.timedelta(hours=3))} if away else {"away_seconds": 5}
    return StatusRecord(
        site=SiteCode(site), epoch=1, sequence=sequence, number=message.number, severity=message.severity, type=message.type,
        component=message.component.value, package=None, place=None, time=NOW, fields=fields,
    )  # fmt: skip


@st.composite
def trees(draw: st.DrawFn) -> dict[SiteCode, SiteCode | None]:
    """Up to 120 sites; some below few, some all below one."""
    size = draw(st.integers(1, 120))
    reach = draw(st.sampled_from([1, 3, 200]))
    parents: dict[SiteCode, SiteCode | None] = {TOP: None}
    for number in range(1, size):
        parents[code_of(number)] = code_of(draw(st.integers(max(0, number - reach), number - 1)) if reach < 200 else 0)
    return parents


def counted(view: HierarchyView) -> int:
    return sum((node.site is not None) + (node.hidden.sites if node.hidden else 0) for node in view.nodes)


@settings(max_examples=40, deadline=None)
@given(trees(), st.lists(st.integers(0, 119)), st.lists(st.integers(0, 119)))
def test_every_site_is_shown_or_counted_once(
    parents: dict[SiteCode, SiteCode | None], opened: list[int], closed: list[int]
) -> None:
    whole = looked_at(parents)
    wanted = Wanted(opened=[code_of(one) for one in opened], closed=[code_of(one) for one in closed])
    view = hierarchy_view(whole, wanted)
    assert counted(view) == view.sites == len(parents)
    seen: set[str] = set()
    for node in view.nodes:
        assert node.parent is None or node.parent in seen, "parents come first"
        if node.site is not None:
            assert node.site.code not in seen
            seen.add(node.site.code)
    assert sum(view.totals.values()) == len(parents)


def test_a_level_that_is_too_large_stays_folded_and_says_what_it_holds() -> None:
    parents: dict[SiteCode, SiteCode | None] = {TOP: None}
    for hub in range(1, 9):
        parents[code_of(hub)] = TOP
        parents.update({code_of(hub * 20 + number): code_of(hub) for number in range(1, 15)})
    sick = code_of(21)
    whole = looked_at(parents, shipment(sick, ShipmentState.FAILED))
    view = hierarchy_view(whole, Wanted())
    assert [node.site.code for node in view.nodes if node.site] == [TOP, *map(code_of, range(1, 9))]
    hidden = next(node.hidden for node in view.nodes if node.site and node.site.code == code_of(1))
    assert hidden is not None
    assert (hidden.sites, hidden.health, hidden.healths, hidden.problems) == (14, Health.FAILED, {"failed": 1, "well": 13}, 1)
    opened = hierarchy_view(whole, Wanted(opened=[code_of(1)]))
    assert len(opened.nodes) == 9 + 14
    assert counted(opened) == len(parents)


def test_many_shops_right_below_one_site_are_gathered_the_sick_ones_first() -> None:
    parents = {TOP: None} | {code_of(number): TOP for number in range(1, 600)}
    whole = looked_at(parents, *(shipment(code_of(number), ShipmentState.FAILED) for number in (400, 500)))
    view = hierarchy_view(whole, Wanted())
    assert len(view.nodes) == 1 + MOST_CHILDREN + 1 <= MOST_NODES
    shown = {node.site.code for node in view.nodes if node.site}
    assert {code_of(400), code_of(500)} <= shown
    more = view.nodes[-1]
    assert more.site is None
    assert more.hidden is not None
    assert (more.parent, more.hidden.sites) == (TOP, 599 - MOST_CHILDREN)
    asked = hierarchy_view(whole, Wanted(opened=list(parents)))
    assert len(asked.nodes) <= MOST_ASKED


def test_problems_and_searches_keep_the_way_down() -> None:
    parents = {TOP: None, SiteCode("CHI"): TOP, SiteCode("LA1"): SiteCode("CHI"), SiteCode("MUC"): TOP}
    whole = looked_at(parents, shipment("LA1/SHOP", ShipmentState.WAITING, Reason.PERSON))
    view = hierarchy_view(whole, Wanted(problems=True))
    assert [(node.site.code, node.found) for node in view.nodes if node.site] == [(TOP, False), ("CHI", False), ("LA1", True)]
    assert view.matches == 1
    found = hierarchy_view(whole, Wanted(q="site muc"))
    assert [node.site.code for node in found.nodes if node.site] == [TOP, "MUC"]
    assert hierarchy_view(whole, Wanted(q="nobody")).matches == 0
    below = hierarchy_view(whole, Wanted(top="CHI"))
    assert (below.top, list(below.above), below.sites) == ("CHI", [TOP], 2)


def test_who_is_away_is_known_by_ear_or_by_what_its_parent_says() -> None:
    parents = {
        TOP: None,
        SiteCode("CHI"): TOP,
        SiteCode("LA1"): SiteCode("CHI"),
        SiteCode("SF1"): SiteCode("CHI"),
        SiteCode("MUC"): TOP,
    }
    parents[SiteCode("BER")] = SiteCode("MUC")
    long_ago = NOW - dt.timedelta(hours=2)
    whole = looked_at(
        parents,
        replication.Stream(peer=SiteCode("CHI"), heard=NOW - dt.timedelta(seconds=20), out_next=8, out_acknowledged=7),
        replication.Stream(peer=SiteCode("MUC"), heard=long_ago),
        said("CHI", "LA1", away=True),
        said("MUC", "SF1", away=True),  # of somebody who is not its child: counts for nothing
    )
    links = {code: row.link for code, row in whole.rows.items()}
    assert (links[TOP].state, links[SiteCode("CHI")].state) == ("here", "connected")
    assert (links[SiteCode("MUC")].state, links[SiteCode("MUC")].away_since) == ("away", iso(long_ago))
    assert (links[SiteCode("LA1")].state, links[SiteCode("LA1")].said_by) == ("away", "CHI")
    assert links[SiteCode("SF1")].state == "told"
    assert (links[SiteCode("BER")].state, links[SiteCode("BER")].said_by) == ("behind", "MUC")
    healths = {code: row.health for code, row in whole.rows.items()}
    assert healths[SiteCode("LA1")] is healths[SiteCode("MUC")] is Health.AWAY
    assert healths[SiteCode("BER")] is Health.UNKNOWN


def test_a_site_that_came_back_is_not_away_any_more() -> None:
    parents = {TOP: None, SiteCode("CHI"): TOP, SiteCode("LA1"): SiteCode("CHI")}
    whole = looked_at(parents, said("CHI", "LA1", away=True), said("CHI", "LA1", away=False, sequence=2))
    assert whole.rows[SiteCode("LA1")].link.state == "told"


def test_a_moment_another_site_made_up_is_left_out() -> None:
    parents = {TOP: None, SiteCode("CHI"): TOP, SiteCode("LA1"): SiteCode("CHI")}
    odd = said("CHI", "LA1", away=True)
    whole = looked_at(
        parents,
        StatusRecord(
            **{name: getattr(odd, name) for name in odd.__slots__ if name != "fields"},
            fields={"child": "LA1", "since": "<yesterday>"},
        ),
    )
    assert (whole.rows[SiteCode("LA1")].link.state, whole.rows[SiteCode("LA1")].link.away_since) == ("away", None)


def test_the_list_is_filtered_sorted_and_cut_behind_a_site() -> None:
    parents = {TOP: None, SiteCode("CHI"): TOP, SiteCode("LA1"): SiteCode("CHI"), SiteCode("MUC"): TOP}
    point = Point(place=Place("MUC/SHOP"), kind="folder", url="folder:/srv", owner=TOP, options={})
    whole = looked_at(parents, point, shipment("MUC/SHOP", ShipmentState.FAILED))

    def codes(**how: Any) -> list[str]:
        return list(listed_sites(whole, SitesWanted(**how)))

    assert codes() == [TOP, "CHI", "LA1", "MUC"]
    assert codes(sort="health")[0] == "MUC"
    assert codes(parent=TOP) == ["CHI", "MUC"]
    assert codes(health="failed") == codes(problems=True) == ["MUC"]
    assert codes(top="CHI") == ["CHI", "LA1"]
    found = listed_sites(whole, SitesWanted())
    page, behind = after(found, "", 3)
    assert (list(page), behind) == ([TOP, "CHI", "LA1"], "LA1")
    page, behind = after(found, behind, 3)
    assert (list(page), behind) == (["MUC"], "")
