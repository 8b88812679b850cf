"""Status messages over the API: pages in both directions, every filter, numbers, one message, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from haulage.base.ids import PackageId, Place
from haulage.engine.status.on_packages import POINT_COPY_FAILED, UNCHANGED
from haulage.wiring.founding import init_central
from haulage.wiring.home import load_home
from tests.server.asgi import Served
from tests.server.telling.receivers import answering, hook_server

SECRET = "whsec_" + "QUJD" * 10


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("told")
    home = init_central(str(folder / "hq"), code="HQ1", listen="127.0.0.1:0")
    with hook_server(answering("204 No Content", "500 Broken")) as hook:
        (folder / "secret").write_text(SECRET)
        (folder / "secret").chmod(0o600)
        settings = Path(home.path, "haulage.toml")
        hooks = f'[[notify.webhook]]\nname = "ops"\nurl = "{hook.url}"\nsecret_file = "{folder}/secret"\n'
        settings.write_text(settings.read_text() + hooks)
        served = Served(load_home(home.path))
        core = served.service.core
        with core.database.writing() as tx:
            for index in range(7):
                package = PackageId(f"HQ10000{index}")
                core.journal.record(tx, UNCHANGED, package=package, version=1)
                where = Place(f"HQ1/P{index}")
                core.journal.record(
                    tx, POINT_COPY_FAILED, package=package, place=where, version=1, cause="disk full", code="x", tries=1
                )
        yield served
        served.close()


def page(at: Served, /, **query: Any) -> dict[str, Any]:
    reply = at.admin("GET", "/api/v1/status?" + urlencode(query))
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


def walk(site: Served, **query: Any) -> list[list[int]]:
    pages, more = [], dict(query)
    while True:
        found = page(site, **more)
        pages.append([row["id"] for row in found["items"]])
        if found["cursor"] is None:
            return pages
        more["cursor"] = found["cursor"]


def test_pages_in_both_directions_are_all_of_it(site: Served) -> None:
    every = [row["id"] for row in page(site, limit=5000)["items"]]
    forwards = walk(site, limit=4)
    assert [one for listed in forwards for one in listed] == every == sorted(every)
    back = walk(site, limit=4, newest="true")
    assert [one for listed in back[::-1] for one in listed] == every
    assert back[0] == every[-4:]
    assert [row["id"] for row in page(site, limit=3, newest="true", before=every[5])["items"]] == every[2:5]
    assert [row["id"] for row in page(site, limit=3, after=every[5])["items"]] == every[6:9]


def test_every_filter(site: Served) -> None:
    assert {row["number"] for row in page(site, number="2304,2328")["items"]} == {2304, 2328}
    assert {row["severity"] for row in page(site, severity="warning")["items"]} <= {"warning", "error"}
    assert len(page(site, text="DISK p3")["items"]) == 1
    assert len(page(site, package="HQ100003", place="HQ1/P3", component="catalog,points", type="milestone")["items"]) == 1
    assert len(page(site, below="HQ1", number=2328)["items"]) == len(page(site, site="HQ1", number=2328)["items"]) == 7
    assert page(site, since="1h", number=2328)["items"] != [] == page(site, until="1h", number=2328)["items"]
    for bad in ("number=x", "severity=bad", "type=x", "since=x", "component=A", "text=" + "x" * 201, "below=nowhere", "limit=0"):
        assert site.admin("GET", f"/api/v1/status?{bad}").status == 400, bad


def test_one_message_and_every_number(site: Served) -> None:
    row = page(site, number=2328, limit=1)["items"][0]
    assert site.admin("GET", f"/api/v1/status/{row['id']}").json == row
    for nobody in ("0", "99999999", "x", "1" * 30):
        assert site.admin("GET", f"/api/v1/status/{nobody}").code == "no-such-message"
    numbers = site.admin("GET", "/api/v1/status/numbers?limit=5").json
    assert [one["number"] for one in numbers["items"]] == [500, 501, 502, 503, 506]
    assert site.admin("GET", "/api/v1/status/numbers/520").json["name"] == "notifier-fails"


def test_who_is_told_and_trying_it(site: Served) -> None:
    site.service.teller._cursors.begin([told.to for told in site.service.teller._all.values()])
    (row,) = site.admin("GET", "/api/v1/notifiers").json
    assert (row["name"], row["kind"], row["state"], row["filter"]) == ("ops", "webhook", "working", "warning or worse")
    assert "hidden" not in str(row)
    tried = site.admin("POST", "/api/v1/notifiers/ops/test", {}).json
    assert (tried["told"], tried["answer"]) == (True, "204 No Content")
    again = site.admin("POST", "/api/v1/notifiers/ops/test", {}).json
    assert (again["told"], again["answer"]) == (False, "500 Broken")
    assert site.admin("POST", "/api/v1/notifiers/nobody/test", {}).code == "no-such-notifier"
    said = page(site, number=30090)["items"]
    assert [row["fields"]["notifier"] for row in said] == ["ops", "ops"]
