"""Transfers and traffic over the API: listing, holding one and many, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from haulage.base.ids import PackageId
from tests.server.asgi import Served

URL = "/api/v1/transfers"


@pytest.fixture
def package(served: Served, tmp_path: Path) -> PackageId:
    """A package at a point of this site and at a child that never answers."""
    for name in ("source", "point"):
        (tmp_path / name).mkdir()
    (tmp_path / "source" / "file").write_bytes(b"content" * 1000)
    place = f"HQ1/{tmp_path.name}"
    assert served.admin("POST", "/api/v1/points", {"place": place, "url": f"folder:{tmp_path / 'point'}"}).status == 201
    return served.publish(str(tmp_path / "source"), "CHI", place)


def test_b19_f2_what_is_on_its_way_is_listed_filtered_and_paged(served: Served, package: PackageId, tmp_path: Path) -> None:
    point = f"HQ1/{tmp_path.name}"
    url = f"{URL}?package={package}&state=all"
    rows = served.admin("GET", url).json["items"]
    assert {row["place"]: row["state"] for row in rows}[point] == "present"
    assert {row["place"] for row in rows} >= {"HQ1", point}
    first = served.admin("GET", f"{url}&limit=1").json
    second = served.admin("GET", f"{url}&limit=1&cursor={first['cursor']}").json
    assert [one["id"] for one in (*first["items"], *second["items"])] == [row["id"] for row in rows[:2]]
    assert [row["place"] for row in served.admin("GET", f"{url}&place={point}").json["items"]] == [point]
    one = served.admin("GET", f"{URL}/{package}?at={point}").json
    assert (one["sender"], one["present"], one["asked"], one["late"]) == ("HQ1", 1, None, "")
    files = served.admin("GET", f"{URL}/{package}/files?at={point}").json
    assert (files["base"], files["files"], files["items"]) == (1, 1, [])
    for bad, code in (
        ("state=flying", "bad-state"),
        ("limit=0", "bad-limit"),
        ("site=x", "bad-site-code"),
        ("cursor=x", "bad-cursor"),
    ):
        assert served.admin("GET", f"{URL}?{bad}").code == code
    assert served.admin("GET", f"{URL}/{package}?at=ZZZ").code == "not-assigned"


def test_one_is_held_and_released_again(served: Served, package: PackageId, tmp_path: Path) -> None:
    body = {"package": package, "place": f"HQ1/{tmp_path.name}"}
    tried = served.admin("POST", f"{URL}/hold", {**body, "dry_run": True})
    assert (tried.status, tried.json["issued"], tried.json["transfer"]["word"]) == (200, None, "")
    held = served.admin("POST", f"{URL}/hold", body)
    assert held.status == 202
    assert (held.json["transfer"]["word"], held.json["transfer"]["state"]) == ("held", "present")
    assert served.admin("GET", f"{URL}?state=held&package={package}").json["items"][0]["place"] == body["place"]
    released = served.admin("POST", f"{URL}/release", body).json
    assert released["transfer"]["word"] == ""
    assert served.admin("POST", f"{URL}/hold", {"package": package, "place": "HQ1"}).code == "own-source"
    assert served.admin("POST", f"{URL}/hold", {"package": "HQ1FFFFF", "place": "CHI"}).code == "no-such-package"
    assert served.admin("POST", f"{URL}/hold", {}).code == "which-transfers"


def test_a_child_that_does_not_answer_is_shown_as_asked(served: Served, package: PackageId) -> None:
    held = served.admin("POST", f"{URL}/hold", {"package": package, "place": "CHI"})
    assert held.status == 202
    (row,) = served.admin("GET", f"{URL}?state=asked&package={package}").json["items"]
    assert (row["place"], row["asked"]["action"], row["asked"]["actor"]) == ("CHI", "hold", held.json["transfer"]["asked"]["actor"])


def test_many_are_held_after_their_reach_was_told(served: Served, package: PackageId, tmp_path: Path) -> None:
    point = f"HQ1/{tmp_path.name}"
    told = served.admin("POST", f"{URL}/hold", {"package": package, "dry_run": True}).json
    assert told["transfers"] == told["present"] + told["stopped"] + told["moving"]
    assert told["issued"] is None
    assert served.admin("GET", f"{URL}/{package}?at={point}").json["word"] == ""
    done = served.admin("POST", f"{URL}/hold", {"package": package}).json
    assert done["transfers"] == told["transfers"] >= 1
    assert served.admin("GET", f"{URL}/{package}?at={point}").json["word"] == "held"
    assert served.admin("POST", f"{URL}/release", {"site": "HQ1", "package": package}).json["transfers"] == 1
    assert served.admin("POST", f"{URL}/cancel", {"package": package, "site": "HQ1"}).json["transfers"] == 0


def test_traffic_has_every_hour_of_the_time_asked_for(served: Served) -> None:
    found = served.admin("GET", "/api/v1/traffic?hours=48").json
    assert len(found["rows"]) == 48
    assert found["bytes_wire"] == sum(row["bytes_wire"] for row in found["rows"])
    assert served.admin("GET", "/api/v1/traffic?hours=0").code == "bad-hours"
    assert served.admin("GET", "/api/v1/traffic?site=HQ1").json["site"] == "HQ1"
