"""The pages about places, over a made-up estate: hierarchy, site, points, store; what is done from them, and by whom not."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from haulage.base.ids import Place, SiteCode
from haulage.console.app import Console
from haulage.console.frame.cookies import SESSION
from haulage.console.frame.sessions import Sessions
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Site, SiteStatus
from haulage.domain.people.model import LOCAL
from haulage.domain.people.roles import Role
from haulage.domain.replication.records import list_definitions
from haulage.engine.protocol.definitions import Kind
from haulage.engine.status import on_backups, on_transfers
from haulage.engine.status.message import StatusFilter
from haulage.server.app import create_app
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SMALL
from haulage.wiring.console import pages_of, writes_of
from tests.console.inert import assert_own_page
from tests.server.asgi import Reply, ask

HOSTILE = "<script>alert(1)</script>\u202e\"'>"


class Estates:
    """One estate, asked as its administrator."""

    def __init__(self, folder: Path) -> None:
        self.estate = Estate(make_estate(str(folder / "home"), SMALL))
        self.service = self.estate.service()
        sessions = Sessions(self.service.clock, self.service.core.database, self.service.reception.local_proof)
        pages, writes = pages_of(self.service), writes_of(self.service, sessions)
        self.app = create_app(self.service, pages=Console(self.service, sessions, pages, writes))
        self.secret = sessions.begin(LOCAL, browser="a test")
        found = sessions.find(self.secret)
        assert found is not None
        self.token = found[0].token

    def get(self, target: str) -> Reply:
        return asyncio.run(ask(self.app, "GET", target, headers={"accept": "text/html", "cookie": f"{SESSION}={self.secret}"}))

    def page(self, target: str) -> str:
        reply = self.get(target)
        assert reply.status == 200, (target, reply.status, reply.body[-400:])
        text = reply.body.decode()
        assert_own_page(text)
        return text

    def json(self, target: str) -> Any:
        reply = self.get(target)
        assert reply.status == 200, (target, reply.body)
        return reply.json

    def post(self, target: str, **fields: str) -> Reply:
        headers = {
            "cookie": f"{SESSION}={self.secret}",
            "origin": self.service.url(),
            "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"token": self.token, **fields}).encode()
        return asyncio.run(ask(self.app, "POST", target, headers=headers, body=body))

    def orders(self) -> int:
        with self.service.core.database.reading() as tx:
            return len(list_definitions(tx, Kind.ORDER))

    def told(self, number: int) -> list[str]:
        with self.service.core.database.reading() as tx:
            found = self.service.core.journal.find(tx, StatusFilter(numbers=(number,)), limit=10, newest=True)
        return [f"{one.record.fields['action']} {one.record.fields['count']}" for one in found]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estates]:
    found = Estates(tmp_path_factory.mktemp("places"))
    with found.service.core.database.writing() as tx:
        site = Site(
            code=SiteCode("XSS"),
            name=HOSTILE,
            parent=SiteCode("HQ1"),
            url=HOSTILE,
            key="",
            certificate="",
            status=SiteStatus.INVITED,
        )
        estate.put_site(tx, site)
    yield found
    found.estate.close()


@pytest.mark.parametrize(
    "target",
    ["/hierarchy", "/hierarchy?as=list", "/hierarchy?q=script", "/hierarchy?top=XSS", "/sites/XSS", "/sites/HQ1", "/sites/invite",
     "/sites/XSS/remove", "/points?q=%3Cscript%3E", "/points/add", "/sites/HQ1?q=%3Cscript%3E&group=late"],
)  # fmt: skip
def test_names_from_outside_are_shown_as_text(made: Estates, target: str) -> None:
    assert "<script>alert" not in made.page(target)


def test_the_picture_says_of_every_site_how_it_stands(made: Estates) -> None:
    text = made.page("/hierarchy")
    assert "<title>P01 Paris Airport: stuck, 8 stuck; heard of through the sites between" in text
    assert "<title>L02 Los Angeles West Side: away, last heard" in text
    view = made.json("/hierarchy.json")
    assert view["sites"] == 13
    assert view["totals"]["stuck"] == 2
    assert len(view["picture"]["boxes"]) == 13


def test_problems_only_lead_from_the_top_to_each_of_them(made: Estates) -> None:
    view = made.json("/hierarchy.json?problems=true")
    found = [box["node"]["site"]["code"] for box in view["picture"]["boxes"] if box["node"]["found"]]
    assert set(found) >= {"B01", "L01", "P01", "L02", "N01"}
    assert view["matches"] == len(found)


def test_the_list_goes_into_a_spreadsheet_as_a_whole(made: Estates) -> None:
    rows = list(csv.DictReader(io.StringIO(made.get("/hierarchy.csv?as=list").body.decode())))
    assert len(rows) == 13
    sick = {row["code"]: row["health"] for row in rows if row["health"] in ("failed", "stuck", "away")}
    assert sick == {"B01": "failed", "L01": "stuck", "P01": "stuck", "L02": "away"}


def test_a_folded_site_is_opened_by_a_link(made: Estates) -> None:
    folded = made.page("/hierarchy?close=LON")
    assert "Show the 4 sites below LON" in folded
    assert 'data-code="BER"' not in folded
    assert 'data-code="BER"' in made.page("/hierarchy")


def test_a_site_shows_what_it_is_what_it_holds_and_how_old_that_is(made: Estates) -> None:
    view = made.json("/sites/L02.json")
    assert (view["link"]["state"], view["link"]["backlog"] > 0) == ("away", True)
    assert [code for code, _name in view["above"]] == ["HQ1"]
    assert view["certificate_until"] is not None
    assert view["packages"]["rows"][0]["package"] == "HQ100002"
    text = made.page("/sites/L02")
    assert " at its points</span>" in text
    assert "as its site reported it" in text
    assert made.get("/sites/ZZZ").status == 404


def test_packages_at_a_site_are_filtered_by_the_figures_above_them(made: Estates) -> None:
    view = made.json("/sites/B01.json")
    assert view["troubles"][0]["state"] == "failed"
    failed = made.json("/sites/B01.json?group=failed")["packages"]["rows"]
    assert {row["state"] for row in failed} == {"failed"}
    own = sum(row["count"] for row in view["counts"] if row["state"] == "failed")
    assert len(failed) == own
    rows = list(csv.DictReader(io.StringIO(made.get("/sites/B01.csv?group=failed").body.decode())))
    assert [row["package"] for row in rows] == [row["package"] for row in failed]


def test_a_stuck_point_is_found_and_told_why(made: Estates) -> None:
    rows = made.json("/points.json?problems=true")["rows"]
    assert [(row["place"], row["health"]) for row in rows] == [("L01/SHOP", "stuck"), ("P01/SHOP", "stuck")]
    view = made.json("/points/P01/SHOP.json")
    trouble = view["troubles"][0]
    assert (trouble["reason"], trouble["code"], trouble["next"]) == ("person", "point-not-there", "Is it mounted?")
    assert trouble["number"] is not None
    text = made.page("/points/P01/SHOP")
    assert "The folder /srv/points/shop of point P01/SHOP is not there." in text
    assert f'/status/{trouble["message"]}"' in text


def test_points_are_listed_page_by_page_and_by_kind(made: Estates) -> None:
    everything = made.json("/points.json")
    assert (everything["points"], len(everything["rows"]), everything["next"]) == (14, 14, "")
    assert made.json("/points.json?kind=bucket")["rows"] == []
    assert "No point is like that" in made.page("/points?kind=bucket")
    behind = made.json("/points.json?after=N01/OFFICE")["rows"]
    assert [row["place"] for row in behind] == [row["place"] for row in everything["rows"] if row["place"] > "N01/OFFICE"]
    rows = list(csv.DictReader(io.StringIO(made.get("/points.csv?health=stuck").body.decode())))
    assert [row["place"] for row in rows] == ["L01/SHOP", "P01/SHOP"]


def test_what_is_stuck_at_a_point_is_tried_again_and_repaired_by_one_order(made: Estates) -> None:
    before, stuck = made.orders(), made.json("/points/P01/SHOP.json")["standing"]["stuck"]
    assert made.post("/points/P01/SHOP/retry").status == 303
    assert made.orders() == before + 1
    assert made.told(on_transfers.MANY_ASKED.number)[-1] == f"retry {stuck}"
    asked = made.page("/points/P01/SHOP/repair")
    assert "Nothing crosses a line between sites" in asked
    assert made.post("/points/P01/SHOP/repair").status == 303
    assert made.orders() == before + 2
    assert made.told(on_transfers.MANY_ASKED.number)[-1].startswith("repair ")


def test_everything_at_a_site_is_verified_by_one_order(made: Estates) -> None:
    before = made.orders()
    assert made.post("/sites/CHI/verify").status == 303
    assert made.orders() == before + 1
    present = sum(row["count"] for row in made.json("/sites/CHI.json")["counts"] if row["state"] == "present")
    assert made.told(on_transfers.MANY_ASKED.number)[-1] == f"verify {present}"


def test_a_point_is_added_after_a_look_and_mistakes_stand_beside_their_fields(made: Estates, tmp_path: Path) -> None:
    bad = made.post("/points/add", site="HQ1", name="no good", kind="folder", path=str(tmp_path / "shop"))
    assert bad.status == 400
    assert b'id="wrong-name"' in bad.body
    assert b'aria-describedby="wrong-name"' in bad.body
    nowhere = made.post("/points/add", site="ZZZ", name="SHOP", kind="folder", path="/srv/shop")
    assert b'id="wrong-site"' in nowhere.body
    inside = made.post("/points/add", site="HQ1", name="SHOP", kind="folder", path=made.service.core.parts.store_path)
    assert b'id="wrong-path"' in inside.body
    looked = made.post("/points/add", site="HQ1", name="NEW", kind="folder", path=str(tmp_path / "new"), look="yes")
    assert b"HQ1/NEW can be added." in looked.body
    assert made.get("/points/HQ1/NEW").status == 404
    assert not (tmp_path / "new").exists()
    added = made.post("/points/add", site="HQ1", name="NEW", kind="folder", path=str(tmp_path / "new"))
    assert (added.status, added.headers["location"]) == (303, "/points/HQ1/NEW")
    view = made.json("/points/HQ1/NEW.json")
    assert (view["here"], view["space"]["state"], view["space"]["free"] > 0) == (True, "there", True)


def test_a_point_is_removed_only_once_its_name_was_typed(made: Estates, tmp_path: Path) -> None:
    made.post("/points/add", site="HQ1", name="OLD", kind="folder", path=str(tmp_path / "old"))
    (tmp_path / "old" / "own.txt").write_text("not ours")
    assert "Nothing in its folder is touched" in made.page("/points/HQ1/OLD/remove")
    assert made.post("/points/HQ1/OLD/remove", typed="HQ1").status == 400
    assert made.get("/points/HQ1/OLD").status == 200
    assert made.post("/points/HQ1/OLD/remove", typed="HQ1/OLD").status == 303
    assert made.get("/points/HQ1/OLD").status == 404
    assert (tmp_path / "old" / "own.txt").read_text() == "not ours"


def test_a_point_in_use_is_emptied_first(made: Estates) -> None:
    reach = made.page("/points/LAX/SHOP/remove")
    assert "assigned to LAX/SHOP by its name" in reach
    assert "withdrawn, and their files removed" in reach
    assert 'action="/points/LAX/SHOP/empty"' in reach
    refused = made.post("/points/LAX/SHOP/remove", typed="LAX/SHOP")
    assert (refused.status, b"point-in-use" in refused.body) == (409, True)
    assert made.post("/points/LAX/SHOP/empty", typed="LAX/SHOP").status == 303
    with made.service.core.database.reading() as tx:
        from haulage.domain.catalog import records as catalog

        assert not [one.id for one in catalog.list_packages(tx) if Place("LAX/SHOP") in one.direct]
    assert made.post("/points/LAX/SHOP/remove", typed="LAX/SHOP").status == 303


def test_a_site_is_invited_and_the_join_string_is_told_once(made: Estates) -> None:
    assert b'id="wrong-code"' in made.post("/sites/invite", code="no", parent="HQ1", hours="24").body
    assert b'id="wrong-hours"' in made.post("/sites/invite", code="NEW", parent="HQ1", hours="soon").body
    invited = made.post("/sites/invite", code="new", name="New", parent="HQ1", hours="24")
    assert invited.status == 200
    assert b"haulage join --home DIR" in invited.body
    text = made.page("/sites/NEW")
    assert "No server has joined yet" in text
    assert "The invitation holds until" in text
    assert made.json("/sites/NEW.json")["health"] == "invited"
    assert "Withdraw the invitation of NEW" in made.page("/sites/NEW/remove")
    assert made.post("/sites/NEW/remove").status == 303
    assert made.get("/sites/NEW").status == 404


def test_removing_a_site_shows_what_is_lost_and_asks_for_its_code(made: Estates) -> None:
    text = made.page("/sites/N01/remove")
    assert "points are its" in text
    assert made.post("/sites/N01/remove", typed="").status == 400
    blocked = made.post("/sites/LON/remove", typed="LON")
    assert (blocked.status, b"site-has-children" in blocked.body) == (409, True)
    assert made.post("/sites/N01/remove", typed="N01").status == 303
    assert made.get("/sites/N01").status == 404


def test_the_store_tells_what_was_saved_and_how(made: Estates) -> None:
    with made.service.core.database.writing() as tx:
        made.service.core.journal.record(tx, on_backups.BACKUP_DONE, path="/srv/backup", files=3, bytes=5, rows=7, seconds="1")
    view = made.json("/store.json")
    saved = view["saved"]
    assert saved["by_deduplication"] == saved["bytes_plain"] - saved["bytes_raw"] > 0
    assert view["used"] == saved["bytes_stored"] == made.service.store.stats().bytes_stored
    assert view["scrub"]["state"] == "waiting"
    assert (view["backups"][0]["number"], view["backups"][0]["fields"]["path"]) == (661, "/srv/backup")
    assert "deduplication: the sum of the lengths of all chunks" in made.page("/store")


@pytest.mark.parametrize(
    ("what", "outcome"),
    [("foretell", "would give back"), ("check", "all of them are right"), ("sweep", "gave back"), ("repair", "read")],
)
def test_acts_on_the_store_tell_how_they_ended(made: Estates, what: str, outcome: str) -> None:
    assert made.post(f"/store/{what}").status == 303
    assert made.service.store_acts.ended.wait(60)
    act = made.json("/store.json")["act"]
    assert (act["what"], act["failed"]) == (what, False)
    assert outcome in act["outcome"]
    assert outcome in made.page("/store")


def test_programs_are_told_the_same(made: Estates) -> None:
    headers = {"authorization": f"Bearer {made.estate.home.token}"}

    def told(target: str) -> Any:
        reply = asyncio.run(ask(made.app, "GET", f"/api/v1{target}", headers=headers))
        assert reply.status == 200, (target, reply.body)
        return reply.json

    point, page = told("/points/P01/SHOP"), made.json("/points/P01/SHOP.json")
    assert {name: point[name] for name in ("standing", "counts", "bytes_wanted")} == {
        name: page[name] for name in ("standing", "counts", "bytes_wanted")
    }
    assert told("/sites/L02?group=present")["packages"]["rows"] == made.json("/sites/L02.json?group=present")["packages"]["rows"]
    assert [row["code"] for row in told("/sites/health?problems=true")] == [
        row["code"] for row in made.json("/hierarchy.json?as=list&problems=true")["rows"]
    ]
    first = told("/sites/health?limit=5")
    rest = told(f"/sites/health?limit=5000&cursor={first['cursor']}")
    assert [row["code"] for row in (*first["items"], *rest["items"])] == [row["code"] for row in told("/sites/health")]
    assert told("/store")["saved"] == made.json("/store.json")["saved"]


def test_roles_of_the_acts(made: Estates) -> None:
    writes = {
        write.path: write.role
        for write in writes_of(
            made.service, Sessions(made.service.clock, made.service.core.database, made.service.reception.local_proof)
        )
    }
    assert {path for path, role in writes.items() if path.startswith("/store/") and role is Role.ADMINISTRATOR} == {
        f"/store/{what}" for what in ("sweep", "foretell", "check", "repair")
    }
    assert writes["/sites/{code}/remove"] is Role.ADMINISTRATOR
    assert writes["/points/{site}/{point}/repair"] is Role.OPERATOR
