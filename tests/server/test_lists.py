"""Lists over the API: read in parts, searched, and followed by their cursor while rows come and go."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Site, SiteStatus
from haulage.server.app import create_app
from haulage.testing.estate.opened import Estate
from tests.server.asgi import ask

CODES = [f"Z{first}{second}" for first in "0A9" for second in "0123"]
"""Of sites that come and go behind all others."""


class Lists:
    """The API of the small estate."""

    def __init__(self, one: Estate) -> None:
        self.estate = one
        self._app = create_app(one.service())
        self._headers = {"Authorization": f"Bearer {one.home.token}"}

    def get(self, target: str) -> Any:
        reply = asyncio.run(ask(self._app, "GET", f"/api/v1{target}", headers=self._headers))
        return reply.json if reply.status == 200 else reply.code

    def write(self, present: set[str]) -> None:
        """Let exactly these of the coming and going sites be there."""
        with self.estate.service().core.database.writing() as tx:
            for code in CODES:
                estate.remove_site(tx, SiteCode(code))
            for code in sorted(present):
                site = Site(
                    code=SiteCode(code),
                    name=f"passing {code}",
                    parent=SiteCode("HQ1"),
                    url="",
                    key="",
                    certificate="",
                    status=SiteStatus.INVITED,
                )
                estate.put_site(tx, dataclasses.replace(site))


@pytest.fixture(scope="module")
def lists(small_estate: Estate) -> Iterator[Lists]:
    found = Lists(small_estate)
    yield found
    found.write(set())


@pytest.mark.parametrize(("path", "key"), [("/packages", "id"), ("/sites", "code"), ("/points", "place"), ("/sites/tree", "code")])
@pytest.mark.parametrize("limit", [1, 4, 5, 5000])
def test_pages_put_together_are_the_whole_list(lists: Lists, path: str, key: str, limit: int) -> None:
    whole, seen, cursor = lists.get(path), [], None
    while True:
        page = lists.get(f"{path}?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert len(page["items"]) <= limit
        seen += page["items"]
        cursor = page["cursor"]
        if cursor is None:
            break
        assert cursor == page["items"][-1][key]
    assert [one[key] for one in seen] == [one[key] for one in whole]


def test_lists_are_searched_and_narrowed(lists: Lists) -> None:
    assert [one["id"] for one in lists.get("/packages?q=TILL%20nightly")] == ["HQ100001"]
    assert lists.get("/packages?q=nightly&owner=CHI") == []
    whole = {one["id"]: one for one in lists.get("/packages")}
    assert lists.get("/packages?q=nightly") == [whole["HQ100001"]]
    assert {one["code"] for one in lists.get("/sites?parent=CHI")} == {"LAX", "NYC"}
    assert [one["code"] for one in lists.get("/sites?q=harbour")] == ["L01"]
    assert {one["place"] for one in lists.get("/points?site=L01")} == {"L01/SHOP", "L01/KIOSK"}
    assert {one["place"] for one in lists.get("/points?q=kiosk")} == {"L01/KIOSK"}
    assert lists.get("/packages?q=100%25") == []
    assert lists.get("/sites?parent=chicago") == "bad-site-code"
    assert lists.get("/points?limit=0") == "bad-limit"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.sets(st.sampled_from(CODES)), min_size=1, max_size=6), limit=st.integers(1, 7))
def test_paging_while_rows_come_and_go_shows_each_lasting_row_exactly_once(lists: Lists, turns: list[set[str]], limit: int) -> None:
    lasting = set.intersection(*turns) | {one["code"] for one in lists.get("/sites")} - set(CODES)
    seen: list[str] = []
    cursor, turn = "", 0
    while True:
        lists.write(turns[min(turn, len(turns) - 1)])
        turn += 1
        page = lists.get(f"/sites?limit={limit}&cursor={cursor}")
        seen += [one["code"] for one in page["items"]]
        if page["cursor"] is None:
            break
        cursor = page["cursor"]
    assert len(seen) == len(set(seen))
    assert lasting <= set(seen)
    assert seen == sorted(seen)
