"""The matrix over a made-up estate: what each cell says is what the shipments are, in every part, form and filter."""

from __future__ import annotations

import asyncio
import collections
import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa

from haulage.console.app import Console
from haulage.console.frame.cookies import SESSION
from haulage.console.frame.sessions import Sessions
from haulage.domain.people.model import LOCAL
from haulage.domain.reporting.matrix import window
from haulage.domain.reporting.matrix.records import SHOWS
from haulage.domain.transit.records import shipments
from haulage.server.app import create_app
from haulage.testing.estate.opened import Estate
from haulage.wiring.console import pages_of, writes_of
from tests.console.inert import assert_own_page
from tests.server.asgi import Reply, ask


class Asker:
    """The estate's console, asked as its administrator."""

    def __init__(self, estate: Estate) -> None:
        self.estate, service = estate, estate.service()
        sessions = Sessions(service.clock, service.core.database, service.reception.local_proof)
        self._app = create_app(service, pages=Console(service, sessions, pages_of(service), writes_of(service, sessions)))
        self._fields = {"accept": "text/html", "cookie": f"{SESSION}={sessions.begin(LOCAL, browser='a test')}"}
        self._token = {"Authorization": f"Bearer {estate.home.token}"}

    def get(self, target: str) -> Reply:
        return asyncio.run(ask(self._app, "GET", target, headers=self._fields))

    def api(self, target: str) -> Any:
        reply = asyncio.run(ask(self._app, "GET", f"/api/v1{target}", headers=self._token))
        return reply.json if reply.status == 200 else reply.code

    def rows(self) -> list[Any]:
        with self.estate.service().core.database.reading() as tx:
            return list(tx.execute(sa.select(shipments).where(shipments.c.state != "removed")))


@pytest.fixture(scope="module")
def asker(small_estate: Estate) -> Asker:
    return Asker(small_estate)


def cells(items: list[Any]) -> dict[tuple[str, str], str]:
    return {(line["id"], code): group for line in items for code, group in line["sites"].items()}


def test_every_shipment_is_in_its_cell_and_the_worst_of_them_is_told(asker: Asker) -> None:
    found = cells(asker.api("/matrix")["items"])
    at = collections.defaultdict(list)
    for row in asker.rows():
        at[row.package, row.owner].append(row)
    assert found.keys() == at.keys()
    for key, rows in at.items():
        if any(row.state == "failed" for row in rows):
            assert found[key] == "failed"
        elif any(row.state == "waiting" and row.reason in ("space", "person") for row in rows):
            assert found[key] == "stuck"
        elif all(row.state == "present" for row in rows):
            assert found[key] == "present"
        else:
            assert found[key] in ("late", "held", "report", "busy", "leaving")
    assert {"failed", "stuck", "present", "report"} <= set(found.values())


@pytest.mark.parametrize("show", SHOWS)
def test_a_filter_leaves_the_packages_and_sites_that_have_such_a_cell(asker: Asker, show: str) -> None:
    everything, left = cells(asker.api("/matrix")["items"]), cells(asker.api(f"/matrix?show={show}")["items"])
    assert left.items() <= everything.items()
    wanted = {"problems": ("failed", "stuck", "late")}.get(show, (show,))
    for (package, code), group in everything.items():
        if group in wanted and show != "busy":
            assert (package, code) in left
    if show in ("failed", "stuck", "report"):
        assert {package for package, _code in left} == {package for (package, _code), group in left.items() if group == show}


def test_a_subtree_and_words_narrow_it(asker: Asker) -> None:
    found = asker.api("/matrix?below=CHI&q=till")["items"]
    assert found
    assert {code for _package, code in cells(found)} <= {"CHI", "LAX", "NYC", "L01", "N01"}
    assert all("till" in line["name"].lower() for line in found)
    assert asker.api("/matrix?q=nothing%20is%20called%20so")["items"] == []
    assert asker.api("/matrix?show=purple") == "bad-filter"


def test_pages_of_the_api_hold_each_package_once(asker: Asker) -> None:
    seen, cursor = [], ""
    while True:
        page = asker.api(f"/matrix?limit=4&cursor={cursor}")
        seen += page["items"]
        if page["cursor"] is None:
            break
        cursor = page["cursor"]
    assert seen == asker.api("/matrix")["items"]


def test_windows_put_together_are_the_whole(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Followed to the right and downwards from part to part; every part knows the way back."""
    monkeypatch.setattr(window, "LINES", 4)
    monkeypatch.setattr(window, "COLUMNS", 5)
    found: dict[tuple[str, str], str] = {}
    package = ""
    while True:
        site = ""
        while True:
            view = json.loads(asker.get(f"/matrix.json?package={package}&site={site}").body)["matrix"]
            codes = [column["code"] for column in view["columns"]]
            assert len(view["lines"]) <= 4
            assert len(codes) <= 5
            for line in view["lines"]:
                pairs = zip(codes, line["cells"], strict=True)
                found |= {(line["package"], code): cell["group"] for code, cell in pairs if cell is not None}
            assert bool(view["previous_site"]) == bool(site)
            site = view["next_site"]
            if not site:
                break
        assert bool(view["previous_package"]) == bool(package)
        package = view["next_package"]
        if not package:
            break
    assert found == cells(asker.api("/matrix")["items"])


def test_the_page_says_in_words_and_links_what_the_colours_say(asker: Asker) -> None:
    text = asker.get("/matrix").body.decode()
    assert_own_page(text)
    assert "<script>alert" not in text
    assert "Till software &lt;nightly&gt; &amp; samples" in text
    for row in asker.rows():
        if row.state == "failed":
            assert f'aria-label="{row.package} at {row.place}: failed"' in text
            assert f'href="/packages/{row.package}/at/{row.place}"' in text


def test_an_empty_part_says_why(asker: Asker) -> None:
    text = asker.get("/matrix?q=nothing+is+called+so").body.decode()
    assert_own_page(text)
    assert "Nothing here is like that." in text


def test_the_spreadsheet_is_the_whole(asker: Asker) -> None:
    lines = list(csv.DictReader(io.StringIO(asker.get("/matrix.csv?below=CHI").body.decode("utf-8-sig"))))
    names = set(lines[0]) - {"id", "name", "version"}
    assert names == {"CHI", "LAX", "NYC", "L01", "N01"}
    assert {(line["id"], code): line[code] for line in lines for code in names if line[code]} == cells(
        asker.api("/matrix?below=CHI")["items"]
    )
