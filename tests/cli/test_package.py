"""What the verbs of ``package`` ask of the server, what they print, and how they end."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.cli.fake_api import TOKEN, Ask, Asked, FakeApi, refuse

MADE: dict[str, Any] = {"id": "HQ100001", "name": "Office", "version": 0, "assignments": ["CHI"], "keep": 2}
NEWEST: dict[str, Any] = {
    "id": "HQ100001:2",
    "version": 2,
    "files": 3,
    "streams": 1,
    "bytes": 4096,
    "new_bytes": 10,
    "manifest": "ab",
}


def shipment(place: str = "CHI", **changes: Any) -> dict[str, Any]:
    """One row of a package's status."""
    row: dict[str, Any] = {"package": "HQ100001", "place": place, "kind": "site", "wanted": 2, "present": 2, "state": "present"}
    row |= {"reason": "", "tries": 0, "due": None, "generation": 4, "bytes_planned": 10, "bytes_done": 10, "bytes_total": 4096}
    return row | {"bytes_wire": 10, "verified": "2026-01-01T00:00:00.000000Z", "error": None} | changes


ERROR = {"code": "point-damaged", "message": "Damaged.", "hint": "Repair.", "family": "integrity"}


def test_create(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /packages"] = MADE
    code, out, err = ask("package", "create", "Office", "--source", "/src")
    assert (code, out) == (0, "HQ100001\n")
    assert "haulage package publish HQ100001" in err
    assert api.asked[0].body == {"name": "Office", "source": "/src", "streams": "keep"}


def test_create_with_every_option(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /packages"] = MADE
    arguments = ("--source", "ntfs:/i!/D", "--streams", "drop:Z*", "--keep", "3", "--keep-special-bits", "--dry-run", "-o", "json")
    code, out, err = ask("package", "create", *arguments, "--", "-rf")
    assert (code, json.loads(out), err) == (0, MADE, "")
    wanted = {"name": "-rf", "source": "ntfs:/i!/D", "streams": "drop:Z*", "keep": 3, "keep_special_bits": True, "dry_run": True}
    assert api.asked[0].body == wanted


def test_set_changes_only_what_is_said(api: FakeApi, ask: Ask) -> None:
    api.replies["PATCH /packages/HQ100001"] = MADE
    assert ask("package", "set", "HQ100001", "--keep", "3")[0] == 0
    assert api.asked[0].body == {"keep": 3}
    assert ask("package", "set", "HQ100001")[0] == 2


def test_several_places_after_one_option(api: FakeApi, ask: Ask) -> None:
    api.replies |= {"PUT /packages/HQ100001/places": MADE, "DELETE /packages/HQ100001/places": MADE}
    assert ask("package", "assign", "HQ100001", "--to", "CHI", "LA1/SHOP")[0] == 0
    assert ask("package", "unassign", "HQ100001", "--to", "CHI", "--to", "LA1/SHOP", "--yes")[0] == 0
    assert ask("package", "unassign", "HQ100001", "--from", "CHI", "LA1/SHOP", "--dry-run")[0] == 0
    assert [asked.body["places"] for asked in api.asked] == [["CHI", "LA1/SHOP"]] * 3
    assert api.asked[2].body["dry_run"] is True


@pytest.mark.parametrize(
    "arguments",
    [
        ("package", "assign", "HQ100001", "--to"),
        ("package", "assign", "HQ100001"),
        ("package", "assign", "HQ100001", "--to", "chi"),
        ("package", "assign", "nonsense", "--to", "CHI"),
        ("package", "show", "../../sites"),
        ("package", "show"),
        ("package", "frobnicate"),
        ("package", "list", "-o", "xml"),
        ("package", "rollback", "HQ100001"),
        ("package", "diff", "HQ100001:1", "HQ100002:2"),
        ("package", "status", "HQ100001", "--wait", "present", "--timeout", "soon"),
        ("nonsense",),
        ("--nonsense",),
    ],
)
def test_senseless_commands_are_usage_errors_and_ask_nothing(api: FakeApi, ask: Ask, arguments: tuple[str, ...]) -> None:
    code, out, err = ask(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("haulage: ")
    assert "hint: " in err
    assert api.asked == []


def test_publish_without_waiting(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /packages/HQ100001/publish"] = {"id": "HQ100001", "request": 3}
    assert ask("package", "publish", "HQ100001", "--full")[1] == "HQ100001\n"
    assert api.asked[0].body == {"full": True}


def captures(api: FakeApi, *states: dict[str, Any]) -> None:
    """Each look at the package sees the next of these."""
    seen = list(states)

    def look(_asked: Asked) -> dict[str, Any]:
        source = {"state": "capturing", "done": 2, "outcome": "", "error": None}
        now = seen.pop(0) if len(seen) > 1 else seen[0]
        return {**MADE, "version": now.get("version", 1), "newest": NEWEST, "source": source | now}

    api.replies["POST /packages/HQ100001/publish"] = {"id": "HQ100001", "request": 3}
    api.replies["GET /packages/HQ100001"] = look


def test_publish_and_wait(api: FakeApi, ask: Ask) -> None:
    captures(api, {}, {}, {"done": 3, "outcome": "published", "version": 2})
    code, out, err = ask("package", "publish", "HQ100001", "--wait")
    assert (code, out) == (0, "HQ100001:2\n")
    assert "3 files, 1 streams" in err


def test_q281754_publish_without_a_change_says_so(api: FakeApi, ask: Ask) -> None:
    captures(api, {"done": 3, "outcome": "unchanged"})
    code, out, _err = ask("package", "publish", "HQ100001", "--wait", "-o", "json")
    assert (code, json.loads(out)["changed"]) == (0, False)


def test_q316316_a_failed_capture_is_told_with_its_cause(api: FakeApi, ask: Ask) -> None:
    error = {"code": "source-unreadable", "message": "setup.exe:Zone.Identifier cannot be read.", "hint": "Look at it."}
    captures(api, {"done": 3, "outcome": "failed", "error": error})
    code, out, err = ask("package", "publish", "HQ100001", "--wait")
    assert (code, out) == (1, "")
    assert "setup.exe:Zone.Identifier cannot be read." in err


def test_a_capture_that_takes_longer_than_the_timeout(api: FakeApi, ask: Ask) -> None:
    captures(api, {})
    code, _out, err = ask("package", "publish", "HQ100001", "--wait", "--timeout", "0.2")
    assert code == 10
    assert "capturing" in err


def statuses(api: FakeApi, *looks: list[dict[str, Any]]) -> None:
    """Each look at the status sees the next of these."""
    seen = list(looks)
    api.replies["GET /packages/HQ100001"] = {**MADE, "version": 2}
    api.replies["GET /packages/HQ100001/status"] = lambda _asked: seen.pop(0) if len(seen) > 1 else seen[0]


def test_status_waits_until_every_place_has_the_newest_version(api: FakeApi, ask: Ask) -> None:
    late = shipment("LA1", state="moving", present=1)
    statuses(api, [shipment(), late], [shipment(wanted=1, present=1), shipment("LA1")], [shipment(), shipment("LA1")])
    code, out, _err = ask("package", "status", "HQ100001", "--wait", "present", "-o", "json")
    assert code == 0
    assert [(row["place"], row["present"]) for row in json.loads(out)] == [("CHI", 2), ("LA1", 2)]


def test_status_does_not_wait_for_what_cannot_come_by_itself(api: FakeApi, ask: Ask) -> None:
    statuses(api, [shipment(), shipment("LA1", state="failed", present=0, error=ERROR)])
    code, out, err = ask("package", "status", "HQ100001", "--wait", "present", "-o", "json")
    assert code == 6
    assert len(json.loads(out)) == 2
    assert json.loads(err)["error"]["code"] == "partly-done"
    statuses(api, [shipment(state="failed", present=0, error=ERROR)])
    assert ask("package", "status", "HQ100001", "--wait", "present")[0] == 1


def test_status_gives_up_waiting_after_the_timeout(api: FakeApi, ask: Ask) -> None:
    statuses(api, [shipment(), shipment("LA1", state="waiting", reason="report", present=0)])
    code, out, err = ask("package", "status", "HQ100001", "--wait", "present", "--timeout", "0.2s")
    assert (code, out) == (10, "")
    assert "LA1 is waiting report" in err


def verifies(api: FakeApi, *looks: dict[str, Any]) -> None:
    statuses(api, *([look] for look in looks))
    api.replies["POST /packages/HQ100001/orders"] = {"id": "HQ100001@CHI", "generation": 4}


def test_verify_waits_for_the_order_to_arrive_and_to_end(api: FakeApi, ask: Ask) -> None:
    verifies(api, shipment(), shipment(), shipment(generation=5), shipment(generation=5, verified="2026-01-02T00:00:00.000000Z"))
    code, out, _err = ask("package", "verify", "HQ100001", "--at", "CHI", "-o", "json")
    assert (code, json.loads(out)[0]["outcome"]) == (0, "verified")
    assert next(asked.body for asked in api.asked if asked.method == "POST") == {"action": "verify", "place": "CHI"}


def test_verify_ends_with_7_for_damage(api: FakeApi, ask: Ask) -> None:
    verifies(api, shipment(), shipment(generation=5, state="retrying", tries=1, error=ERROR))
    code, out, err = ask("package", "verify", "HQ100001", "--at", "CHI")
    assert code == 7
    assert "damaged" in out
    assert "--repair" in err


def test_verify_ends_with_5_when_the_place_could_not_be_read(api: FakeApi, ask: Ask) -> None:
    verifies(api, shipment(), shipment(generation=5, state="retrying", tries=1, error={**ERROR, "family": "transfer"}))
    assert ask("package", "verify", "HQ100001", "--at", "CHI")[0] == 5


def test_repair_is_ordered_and_waited_for(api: FakeApi, ask: Ask) -> None:
    verifies(api, shipment(), shipment(generation=5, state="moving"), shipment(generation=5, verified="2026-01-02T00:00:00Z"))
    assert ask("package", "verify", "HQ100001", "--at", "CHI", "--repair")[0] == 0
    assert next(asked.body for asked in api.asked if asked.method == "POST")["action"] == "repair"


def test_verify_of_what_is_not_there(api: FakeApi, ask: Ask) -> None:
    verifies(api, shipment())
    assert ask("package", "verify", "HQ100001", "--at", "LA1")[0] == 3


def test_retry_waits_for_the_try(api: FakeApi, ask: Ask) -> None:
    verifies(api, shipment(state="retrying", tries=3, error=ERROR), shipment(generation=5))
    assert ask("package", "retry", "HQ100001", "--at", "CHI", "--wait")[0] == 0
    verifies(api, shipment(state="retrying", tries=3, error=ERROR), shipment(generation=5, state="retrying", tries=1, error=ERROR))
    assert ask("package", "retry", "HQ100001", "--at", "CHI", "--wait")[0] == 5


def test_extract_makes_the_path_absolute_for_the_local_server(
    api: FakeApi, ask: Ask, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    api.replies["POST /packages/HQ100001/extract"] = {"id": "HQ100001:1", "to": "x"}
    assert ask("package", "extract", "HQ100001:1", "--to", "out")[0] == 0
    assert api.asked[0].body == {"to": str(tmp_path / "out"), "version": 1}


def test_extract_from_afar_is_refused_unless_the_server_is_meant(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HAULAGE_URL", api.url), ("HAULAGE_TOKEN", TOKEN), ("HAULAGE_CA", api.authority)):
        monkeypatch.setenv(name, value)
    code, _out, err = ask("package", "extract", "HQ100001:1", "--to", "/tmp/out")
    assert code == 2
    assert "server:/PATH" in err
    assert api.asked == []
    api.replies["POST /packages/HQ100001/extract"] = {"id": "HQ100001:1", "to": "/srv/out"}
    assert ask("package", "extract", "HQ100001:1", "--to", "server:/srv/out")[0] == 0
    assert api.asked[0].body == {"to": "/srv/out", "version": 1}


def test_remove_never_hangs_without_a_terminal(api: FakeApi, ask: Ask) -> None:
    code, _out, err = ask("package", "remove", "HQ100001")
    assert code == 2
    assert "--yes" in err
    assert api.asked == []
    api.replies["DELETE /packages/HQ100001"] = {"id": "HQ100001", "removed": True}
    assert ask("package", "remove", "HQ100001", "--yes")[:2] == (0, "HQ100001\n")
    assert ask("package", "remove", "HQ100001", "--dry-run")[0] == 0
    assert [asked.query for asked in api.asked] == [{}, {"dry_run": "true"}]


def test_remove_asks_a_person(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n")
    code, _out, err = ask("package", "remove", "HQ100001")
    assert code == 4
    assert "[y/N]" in err
    assert api.asked == []
    api.replies["DELETE /packages/HQ100001"] = {"id": "HQ100001", "removed": True}
    monkeypatch.setattr("sys.stdin.readline", lambda: "Y\n")
    assert ask("package", "remove", "HQ100001")[0] == 0


def test_diff_and_rollback(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages/HQ100001/diff"] = [{"change": "added", "path": "a\\x1b", "what": [], "streams": []}]
    assert ask("package", "diff", "HQ100001:1", "HQ100001:2")[1] == "change  path   what\nadded   a\\x1b  -\n"
    assert api.asked[0].query["old"] == "1"
    api.replies["POST /packages/HQ100001/rollback"] = refuse("no-such-version", "not-found", status=404)
    assert ask("package", "rollback", "HQ100001:7")[0] == 3
