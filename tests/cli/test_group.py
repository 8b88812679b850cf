"""What the verbs of ``group`` ask of the server, when they ask the person, and how they end."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.fake_api import Ask, FakeApi

REACH: dict[str, Any] = {
    "id": "HQ1.shops", "name": "shops", "gained": [], "lost": [], "packages": 1, "additions": 0, "removals": 0, "moved": [],
    "not_shown": 0, "dry_run": False,
}  # fmt: skip
LOSS = REACH | {"lost": ["LA1"], "removals": 1, "moved": [{"package": "HQ100001", "gained": [], "lost": ["LA1"]}]}


def test_add_asks_nobody(api: FakeApi, ask: Ask) -> None:
    api.replies["PUT /groups/shops/places"] = REACH | {"gained": ["LA1"]}
    code, out, err = ask("group", "add", "shops", "LA1", "CHI/SHOP")
    assert (code, out) == (0, "")
    assert "1 places came" in err
    assert api.asked[0].body == {"places": ["LA1", "CHI/SHOP"], "dry_run": False}


def test_who_takes_places_out_sees_the_reach_and_is_asked(api: FakeApi, ask: Ask) -> None:
    api.replies |= {"PUT /groups/shops": LOSS, "DELETE /groups/shops/places": LOSS, "DELETE /groups/shops": LOSS}
    for verb in (("set", "shops", "CHI"), ("drop", "shops", "LA1"), ("remove", "shops")):
        api.asked.clear()
        code, _out, err = ask("group", *verb)
        assert code == 2
        assert "HQ100001 leaves LA1" in err
        assert len(api.asked) == 1
        assert ask("group", *verb, "--yes")[0] == 0
        assert len(api.asked) == 3
    assert api.asked[-1].query == {"even_used": "true"}


def test_a_dry_run_asks_nobody_and_is_one_request(api: FakeApi, ask: Ask) -> None:
    api.replies["DELETE /groups/shops"] = LOSS | {"dry_run": True}
    code, out, err = ask("group", "remove", "@shops", "--dry-run")
    assert code == 0
    assert "HQ100001" in out
    assert "only looked at" in err
    assert [asked.query for asked in api.asked] == [{"dry_run": "true"}]


def test_what_is_refused_before_anybody_is_asked(api: FakeApi, ask: Ask) -> None:
    for words in (
        ("add", "Shops", "LA1"),
        ("add", "shops", "@other"),
        ("set", "shops"),
        ("drop", "shops"),
        ("add", "shops", "la1"),
    ):
        assert ask("group", *words)[0] == 2
    assert api.asked == []


def test_an_emptied_group_is_meant(api: FakeApi, ask: Ask) -> None:
    api.replies["PUT /groups/shops"] = REACH
    assert ask("group", "set", "shops", "--empty", "-o", "json")[0] == 0
    assert api.asked[-1].body == {"places": [], "empty": True, "dry_run": False}


def test_list_and_show(api: FakeApi, ask: Ask) -> None:
    row = {"id": "HQ1.shops", "name": "shops", "owner": "HQ1", "revision": 1, "packages": 2}
    api.replies |= {"GET /groups": [row | {"places": 5}], "GET /groups/shops": row | {"places": ["LA1"], "assigned": ["HQ100001"]}}
    assert "shops" in ask("group", "list")[1]
    assert json.loads(ask("group", "show", "shops", "-o", "json")[1])["assigned"] == ["HQ100001"]


def test_packages_take_groups_where_places_are(api: FakeApi, ask: Ask) -> None:
    made = {"id": "HQ100001", "name": "Office", "version": 0, "assignments": ["CHI"], "groups": ["shops"], "direct": []}
    api.replies |= {"POST /packages": made, "PUT /packages/HQ100001/places": made, "GET /packages": [made]}
    assert ask("package", "create", "Office", "--source", "/s", "--to", "@shops", "LA1")[0] == 0
    assert api.asked[-1].body["places"] == ["@shops", "LA1"]
    assert ask("package", "assign", "HQ100001", "--to", "@shops")[0] == 0
    assert ask("package", "assign", "HQ100001", "--to", "@Shops")[0] == 2
    assert "@shops" in ask("package", "list")[1]
