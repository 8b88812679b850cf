"""How a site, a point and the store stand, in a terminal."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.fake_api import Ask, FakeApi

STANDING = {"failed": 0, "stuck": 7, "late": 0, "busy": 2, "held": 0, "leaving": 0, "present": 1}
LINK = {"state": "away", "heard": None, "away_since": "2026-11-20T10:00:00.123456Z"}
PLACE: dict[str, Any] = {
    "place": "LA1/SHOP",
    "kind": "folder",
    "url": "folder:/srv",
    "owner": "HQ1",
    "health": "stuck",
    "link": LINK,
    "standing": STANDING,
    "bytes_wanted": 2048,
    "bytes_present": 1024,
    "ages": {"verified_first": None, "verified_last": None, "updated": "2026-11-20T10:00:00Z"},
    "troubles": [
        {"count": 7, "state": "waiting", "reason": "space", "cause": "It is full.", "next": "Free space there.", "due": None}
    ],
}


def test_sites_are_listed_by_how_they_stand(api: FakeApi, ask: Ask) -> None:
    row = {"code": "LA1", "name": "Shop", "parent": "HQ1", "health": "stuck", "standing": STANDING, "link": LINK}
    api.replies["GET /sites/health"] = [row]
    code, out, _err = ask("site", "health", "--problems", "--below", "HQ1")
    assert code == 0
    assert out.splitlines()[1].split()[:9] == ["LA1", "Shop", "HQ1", "stuck", "0", "7", "0", "2", "away"]
    assert "2026-11-20 10:00:00Z" in out
    assert (api.asked[0].query["top"], api.asked[0].query["problems"].lower()) == ("HQ1", "true")


def test_a_stuck_point_says_why_and_what_to_do(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /points/LA1/SHOP"] = PLACE
    code, out, _err = ask("point", "show", "LA1/SHOP")
    assert code == 0
    assert "should hold     2.0 KiB" in out
    assert "It is full." in out
    assert "Free space there." in out
    assert json.loads(ask("point", "show", "LA1/SHOP", "-o", "json")[1]) == PLACE


def test_a_site_by_its_code_and_this_one_without(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /sites/CHI"] = PLACE | {"code": "CHI", "name": "", "parent": "HQ1", "state": "active", "troubles": []}
    assert "stuck" in ask("site", "show", "CHI")[1]
    api.replies["GET /site"] = {"code": "HQ1", "served": {"CHI": {"bytes": 2048}}}
    assert "served to CHI" in ask("site", "show")[1]


def test_what_the_store_saved(api: FakeApi, ask: Ask) -> None:
    saved = {
        "versions": 3,
        "bytes_plain": 4096,
        "bytes_raw": 2048,
        "bytes_stored": 1024,
        "by_deduplication": 2048,
        "by_compression": 1024,
    }
    api.replies["GET /store"] = {"used": 1024, "free": 1 << 30, "bytes_parcels": 0, "saved": saved}
    code, out, _err = ask("store", "show")
    assert code == 0
    assert [line.split() for line in out.splitlines() if line.startswith("by dedup")] == [["by", "deduplication", "2.0", "KiB"]]
