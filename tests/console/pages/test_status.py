"""Pages about status messages, over a made-up estate: every filter in the address, every id a link, hostile texts as text."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from urllib.parse import unquote_plus, urlencode

import pytest

from haulage.base.ids import PackageId, Place
from haulage.console.app import Console
from haulage.console.frame.cookies import SESSION
from haulage.console.frame.sessions import Sessions
from haulage.domain.people.model import LOCAL
from haulage.engine.status.message import StatusFilter
from haulage.engine.status.on_packages import POINT_COPY_FAILED
from haulage.engine.status.on_requests import STORE_CHECK_ASKED
from haulage.server.app import create_app
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SMALL
from haulage.wiring.console import pages_of, writes_of
from haulage.wiring.home import load_home
from tests.console.inert import assert_own_page
from tests.server.asgi import Reply, ask
from tests.server.telling.receivers import HookServer, answering, hook_server

EVIL = "<script>alert(1)</script>\"'&\u202e\x1b[2J"


class Reading:
    """The console of the estate, with an administrator and a reader signed in."""

    def __init__(self, estate: Estate) -> None:
        self.service = estate.service()
        core = self.service.core
        with core.database.writing() as tx:
            core.journal.record(
                tx,
                POINT_COPY_FAILED,
                version=1,
                cause=EVIL,
                code="x",
                tries=1,
                package=PackageId("HQ100001"),
                place=Place("L01/SHOP"),
            )
            self.evil = core.journal.last_id(tx)
            core.journal.record(tx, STORE_CHECK_ASKED, actor="anna <b>")
            core.journal.record(tx, STORE_CHECK_ASKED, actor="otto")
        sessions = Sessions(self.service.clock, core.database, self.service.reception.local_proof)
        console = Console(self.service, sessions, pages_of(self.service), writes_of(self.service, sessions))
        self.app = create_app(self.service, pages=console)
        self.secret = sessions.begin(LOCAL, browser="a test")

    def get(self, path: str, **query: object) -> Reply:
        target = path + ("?" + urlencode(query) if query else "")
        headers = {"cookie": f"{SESSION}={self.secret}", "accept": "text/html"}
        return asyncio.run(ask(self.app, "GET", target, headers=headers))

    def page(self, path: str, **query: object) -> str:
        reply = self.get(path, **query)
        assert reply.status == 200, reply.body[-800:]
        html = reply.body.decode()
        assert_own_page(html)
        assert EVIL[:8] not in html
        assert "\u202e" not in html
        return html

    def view(self, path: str, **query: object) -> dict[str, object]:
        reply = self.get(path + ".json", **query)
        assert reply.status == 200, reply.body
        found: dict[str, object] = json.loads(reply.body)
        return found

    def items(self, path: str, **query: object) -> list[dict[str, object]]:
        found = self.view(path, **query)
        listed = found.get("items", found.get("messages"))
        rows = listed["items"] if isinstance(listed, dict) else listed
        assert isinstance(rows, list)
        return rows


@pytest.fixture(scope="module")
def hook() -> Iterator[HookServer]:
    with hook_server(answering("500 <b>no</b>", "204 No Content")) as server:
        yield server


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory, hook: HookServer) -> Iterator[Reading]:
    folder = tmp_path_factory.mktemp("reading")
    home = make_estate(str(folder / "home"), SMALL)
    (folder / "secret").write_text("whsec_" + "QUJD" * 10)
    (folder / "secret").chmod(0o600)
    with open(home.file("haulage.toml"), "a", encoding="utf-8") as file:
        file.write(f'\n[[notify.webhook]]\nname = "ops"\nurl = "{hook.url}"\nsecret_file = "{folder}/secret"\n')
    with Estate(load_home(home.path)) as estate:
        yield Reading(estate)


def every(reading: Reading) -> list[int]:
    core = reading.service.core
    with core.database.reading() as tx:
        return [one.id for one in core.journal.find(tx, StatusFilter(), limit=100_000)]


def test_pages_go_back_through_everything(reading: Reading) -> None:
    got: list[object] = []
    query: dict[str, object] = {}
    while True:
        view = reading.view("/status", **query)
        items = view["items"]
        assert isinstance(items, list)
        got += [one["id"] for one in items]
        if view["older"] is None:
            break
        query = {"before": view["older"]}
    assert got == every(reading)[::-1]


def test_a_hostile_message_is_text_and_its_ids_are_links(reading: Reading) -> None:
    html = reading.page("/status", package="HQ100001", place="L01/SHOP", severity="error")
    assert f'href="/status/{reading.evil}"' in html
    for link in ("/status/numbers/2328", "/packages/HQ100001", "/packages/HQ100001/at/L01/SHOP", "/sites/HQ1"):
        assert f'href="{link}"' in html, link
    assert "&lt;script&gt;" in html


def test_every_filter_is_in_the_address_and_kept_by_its_links(reading: Reading) -> None:
    html = reading.page("/status", text="alert", severity="error", below="HQ1", since="24h", type="milestone", component="points")
    assert 'value="alert"' in html
    assert "severity=error" in html
    assert reading.items("/status", text="alert script") != []
    assert reading.items("/status", text="alert nowhere-to-be-found") == []
    assert {one["number"] for one in reading.items("/status", number="2328,506")} <= {2328, 506}
    assert all(one["type"] == "audit" for one in reading.items("/status", type="audit"))


def test_a_filter_that_makes_no_sense_says_so(reading: Reading) -> None:
    for query in ({"number": "x"}, {"severity": "bad"}, {"since": "soon"}, {"package": "../x"}, {"before": "x"}):
        reply = reading.get("/status", **query)
        assert reply.status in (400, 422), query
        assert_own_page(reply.body.decode())


def test_nothing_found_says_what_to_do(reading: Reading) -> None:
    assert "Show all messages" in reading.page("/status", text="nowhere-to-be-found")
    assert "Show all numbers" in reading.page("/status/numbers", text="nowhere-to-be-found")
    assert "Show everything" in reading.page("/audit", actor="nobody-of-this-name")


def test_one_message_with_what_it_means_and_what_is_around_it(reading: Reading) -> None:
    html = reading.page(f"/status/{reading.evil}")
    for words in ("What it means", "What to do", "Around it", "&lt;script&gt;"):
        assert words in html
    view = reading.view(f"/status/{reading.evil}")
    before = view["before"]
    assert isinstance(before, list)
    assert all(one["package"] == "HQ100001" and one["place"] == "L01/SHOP" for one in before)
    assert reading.get("/status/999999999").status == 404
    assert reading.get("/status/x").status == 404


def test_every_number_is_explained(reading: Reading) -> None:
    assert len(reading.items("/status/numbers")) > 100
    assert 'href="/status/numbers/2302"' in reading.page("/status/numbers", text="capture", severity="error")
    assert "What to do" in reading.page("/status/numbers/2302")
    assert reading.get("/status/numbers/1").status == 404


def test_who_did_what(reading: Reading) -> None:
    html = reading.page("/audit")
    assert "anna &lt;b&gt;" in html
    rows = reading.items("/audit", actor="anna", about="")
    assert [row["fields"]["actor"] for row in rows] == ["anna <b>"]  # type: ignore[index]
    assert reading.items("/audit", actor="otto", about="HQ100001") == []


def test_all_that_is_filtered_as_a_spreadsheet(reading: Reading) -> None:
    for path, query in (("/status.csv", {"severity": "warning"}), ("/audit.csv", {"actor": "otto"}), ("/status/numbers.csv", {})):
        reply = reading.get(path, **query)
        assert reply.status == 200
        rows = list(csv.DictReader(io.StringIO(reply.body.decode("utf-8-sig"))))
        assert rows
        assert all(row.get("severity") != "information" for row in rows) or path != "/status.csv"


def test_who_is_told_is_shown_without_secrets_and_tried_by_an_administrator(reading: Reading, hook: HookServer) -> None:
    html = reading.page("/settings/notifications")
    for words in ("ops", "warning or worse", "Send a test", "working"):
        assert words in html
    assert "token=hidden" not in html
    assert "/secret" not in html
    token = html.partition('name="token" value="')[2].partition('"')[0]
    headers = {
        "cookie": f"{SESSION}={reading.secret}",
        "origin": reading.service.url(),
        "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
    }
    for outcome in ("was not told", "was told"):
        form = urlencode({"token": token, "to": "/settings/notifications"}).encode()
        reply = asyncio.run(ask(reading.app, "POST", "/settings/notifications/ops/test", headers=headers, body=form))
        assert reply.status == 303, reply.body
        assert reply.headers["location"] == "/settings/notifications"
        assert outcome in unquote_plus(reply.headers.get("set-cookie", "")) + reading.page("/settings/notifications")
    assert len(hook.requests) == 2
