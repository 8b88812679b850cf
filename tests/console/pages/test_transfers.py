"""The pages about transfers: what they show of a whole estate, whom they let act, what an act reaches before it is done."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from haulage.domain.people.roles import Role
from haulage.domain.transit import records
from haulage.domain.transit.shipment import Shipment
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.size import SMALL
from tests.console.first_run.person import Person
from tests.server.asgi import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(make_estate(str(tmp_path_factory.mktemp("transfers") / "home"), SMALL))
    yield served
    served.close()


@pytest.fixture(scope="module")
def person(served: Served) -> Person:
    return Person(served, Role.OPERATOR)


def waiting(served: Served, state: str, reason: str = "") -> Shipment:
    """Some shipment of another site that stands so and was not touched by a test."""
    with served.service.core.database.reading() as tx:
        rows = records.list_shipments(tx)
    return next(
        row for row in rows if (row.state.value, row.reason.value, row.word.value) == (state, reason, "") and row.owner != "HQ1"
    )


def test_f2_67_the_list_shows_what_moves_first_and_every_id_is_a_link(person: Person, served: Served) -> None:
    moving = waiting(served, "moving")
    html = person.page("/transfers")
    assert html.index(f'id="{moving.package}%40{moving.place}"') < html.index("failed</span>")
    assert f'href="/packages/{moving.package}/at/{moving.place}"' in html
    assert f'href="/packages/{moving.package}"' in html
    assert 'action="/transfers/hold"' in html
    assert "Over the lines" in html
    rows = json.loads(person.get("/transfers.json?state=failed").body)["items"]
    assert {row["state"] for row in rows} == {"failed"}
    cells = list(csv.DictReader(io.StringIO(person.get("/transfers.csv?state=waiting").body.decode("utf-8-sig"))))
    assert len(cells) > 20
    assert {row["state"] for row in cells} == {"waiting"}


def test_filters_pages_and_spans_stay_in_the_address(person: Person) -> None:
    html = person.page("/transfers?state=all&hours=168")
    assert "Next page" in html
    assert "state=all" in html
    assert 'aria-current="page">7 days' in html
    cursor = json.loads(person.get("/transfers.json?state=all").body)["cursor"]
    assert "From the first" in person.page(f"/transfers?state=all&after={cursor.replace('|', '%7C').replace('/', '%2F')}")
    assert "No transfer is like that" in person.page("/transfers?state=cancelled&site=CHI")
    assert "is no state of transfers" in person.page("/transfers?state=flying", 400)
    assert person.get("/transfers?site=%3Cscript%3E").status == 400


def test_one_is_held_from_its_row_and_shown_as_asked_until_its_site_answers(person: Person, served: Served) -> None:
    row = waiting(served, "waiting", "space")
    reply = person.post("/transfers/hold", package=row.package, place=row.place, to="/transfers?state=asked")
    assert (reply.status, reply.headers["location"]) == (303, "/transfers?state=asked")
    assert "has not answered" in person.page("/transfers?state=asked")
    page = person.page(f"/packages/{row.package}/at/{row.place}")
    assert "a-operator asked to hold it" in page
    assert "asked to hold 1 transfers" in page, "what people asked for is part of the story"


def test_many_are_held_after_their_reach_was_shown(person: Person, served: Served) -> None:
    asking = person.page("/transfers/hold?state=retrying&back=%2Ftransfers%3Fstate%3Dretrying")
    assert "What this reaches" in asking
    assert 'href="/transfers?state=retrying"' in asking
    counted = json.loads(person.get("/transfers.json?state=retrying").body)["items"]
    assert f"<strong>{len(counted)}</strong>" in asking
    reply = person.post("/transfers/hold", state="retrying", to="/transfers?state=retrying")
    assert reply.status == 303
    assert len(json.loads(person.get("/transfers.json?state=asked").body)["items"]) >= len(counted)
    assert "nothing to release" in person.page("/transfers/release?state=removed", 404)
    row = waiting(served, "planned")
    cancel = person.page(f"/transfers/cancel?package={row.package}&place={row.place.replace('/', '%2F')}&state=all")
    assert 'class="danger"' in cancel


def test_who_only_reads_sees_no_button_and_is_refused(served: Served) -> None:
    reader = Person(served, Role.READER)
    row = waiting(served, "planned")
    for target in ("/transfers", f"/packages/{row.package}/at/{row.place}"):
        html = reader.page(target)
        assert "/transfers/hold" not in html
        assert "/retry" not in html
    for path in ("/transfers/hold", "/transfers/cancel", f"/packages/{row.package}/at/{row.place}/retry"):
        assert reader.post(path, package=row.package, place=row.place).status == 403


def test_f69_a_package_at_a_place_tells_cause_next_step_known_issues_and_its_story(person: Person, served: Served) -> None:
    with served.service.core.database.reading() as tx:
        full = next(row for row in records.list_shipments(tx) if row.error_code == "no-space-at-point")
    html = person.page(f"/packages/{full.package}/at/{full.place}")
    assert "are free" in html
    assert "Free space at the place" in html
    assert "Known issues like this one" not in html or "/knowledge/HLG" in html
    assert "What happened" in html
    assert "Try again now" in html
    view = json.loads(person.get(f"/packages/{full.package}/at/{full.place}.json").body)
    assert view["transfer"]["state"] == "waiting"
    assert view["next"] in html
    times = [event["id"] for event in view["events"]]
    assert times == sorted(times, reverse=True)
    here = f"/packages/{full.package}/at/{full.place}"
    reply = person.post(f"{here}/retry", to=here)
    assert (reply.status, reply.headers["location"]) == (303, here)
    assert "asked to retry it" in person.page(here)


def test_c14_files_that_come_are_listed(person: Person, served: Served) -> None:
    row = waiting(served, "waiting", "content")
    target = f"/transfers/files?package={row.package}&place={row.place.replace('/', '%2F')}"
    assert "/transfers/files?package=" in person.page(f"/packages/{row.package}/at/{row.place}")
    view = json.loads(person.get(target.replace("files?", "files.json?")).body)
    assert view["items"]
    html = person.page(target)
    assert f"/packages/{row.package}/versions/{view['version']}" in html
    assert person.get("/transfers/files?package=HQ100001&place=HQ1%2FNOWHERE").status == 404
    assert person.get("/transfers/files").status == 400


def test_what_is_not_meant_for_a_place_is_told_with_what_to_do(person: Person) -> None:
    assert "is not meant for" in person.page("/packages/HQ100001/at/HQ1/NOWHERE", 404)
    assert "haulage package assign" in person.page("/packages/HQ100001/at/HQ1/NOWHERE", 404)
    assert person.get("/packages/HQ1FFFFF/at/CHI").status == 404
    assert person.get("/packages/x/at/CHI").status == 400


def test_names_that_are_hostile_are_text(person: Person, served: Served) -> None:
    with served.service.core.database.reading() as tx:
        where = next(row for row in records.list_shipments(tx) if row.package == "HQ100001").place
    html = person.page(f"/packages/HQ100001/at/{where}")
    assert "<nightly>" not in html
    assert "&lt;nightly&gt;" in html
