"""The pages about groups: what they show, whom they let act, and what a change means before it is done."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from haulage.domain.people.roles import Role
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.size import SMALL
from tests.console.first_run.person import Person
from tests.server.asgi import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(make_estate(str(tmp_path_factory.mktemp("groups") / "home"), SMALL))
    yield served
    served.close()


@pytest.fixture(scope="module")
def operator(served: Served) -> Person:
    return Person(served, Role.OPERATOR)


def places(person: Person, name: str = "shops") -> list[str]:
    found: list[str] = json.loads(person.get(f"/groups/{name}.json").body)["places"]
    return found


def test_f39_the_list_and_a_group_lead_to_what_they_count(operator: Person) -> None:
    html = operator.page("/groups")
    assert 'href="/groups/shops"' in html
    one = operator.page("/groups/shops")
    assert all(f'href="/points/{where}"' in one or f'href="/sites/{where}"' in one for where in places(operator))
    assert 'href="/packages/HQ10000' in one
    rows = list(csv.DictReader(io.StringIO(operator.get("/groups.csv").body.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["shops"]
    assert "No group is called that" in operator.page("/groups?q=none")
    assert "No place in this group" in operator.page("/groups/shops?q=ZZZ")
    assert "no group none" in operator.page("/groups/none", 404)


def test_a_change_shows_its_reach_and_is_done_only_then(operator: Person) -> None:
    before = places(operator)
    reply = operator.post("/groups/shops/places", places="\n".join([*before[1:], "L01"]))
    assert reply.status == 200
    html = reply.body.decode()
    assert "removed from <strong>0</strong>" in html, "the package goes there by its own name as well"
    assert places(operator) == before
    reply = operator.post("/groups/shops/set", places=",".join([*before[1:], "L01"]))
    assert (reply.status, reply.headers["location"]) == (303, "/groups/shops")
    assert places(operator) == sorted([*before[1:], "L01"])
    operator.post("/groups/shops/set", places=",".join(before))


def test_a_new_group_is_looked_at_made_and_removed(operator: Person) -> None:
    looked = operator.post("/groups/add", name="fresh", places="L01 P01").body.decode()
    assert 'action="/groups/fresh/set"' in looked
    assert operator.get("/groups/fresh").status == 404
    assert operator.post("/groups/fresh/set", places="L01\r\nP01").status == 303
    assert places(operator, "fresh") == ["L01", "P01"]
    assert "Remove it" in operator.page("/groups/fresh/remove")
    assert operator.post("/groups/fresh/remove").status == 303
    assert operator.get("/groups/fresh").status == 404


def test_a_group_in_use_goes_only_when_it_is_typed(operator: Person) -> None:
    operator.post("/groups/used/set", places="HQ1")
    made = operator.post("/groups/used/set", places="HQ1")
    assert made.status == 303
    assert operator.post("/groups/shops/remove").status == 409
    assert places(operator)


@pytest.mark.parametrize("typed", ["ZZZ", "@shops", "la1", "<script>alert(1)</script>", "", "\u202eL01"])
def test_what_is_mistyped_is_told_beside_what_was_typed(operator: Person, typed: str) -> None:
    reply = operator.post("/groups/add", name="fresh", places=typed)
    assert reply.status == 400
    html = reply.body.decode()
    assert "notice bad" in html
    assert "<script>alert" not in html
    assert operator.post("/groups/add", name="Shops", places="L01").status == 400


def test_a_reader_sees_and_changes_nothing(served: Served) -> None:
    reader = Person(served, Role.READER)
    assert "Change its places" not in reader.page("/groups/shops")
    for path in ("/groups/add", "/groups/shops/places", "/groups/shops/remove"):
        assert reader.get(path).status == 403
    for path in ("/groups/shops/set", "/groups/shops/remove", "/groups/add"):
        assert reader.post(path, places="L01").status == 403
