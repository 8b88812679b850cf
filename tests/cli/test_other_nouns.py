"""Sites, points, status, store, explain, doctor."""

from __future__ import annotations

import io
import itertools
import json
import pathlib
from typing import Any

import pytest

from haulage.base.errors import UsageError
from haulage.cli.options import seconds
from haulage.cli.waiting import Look, wait
from haulage.testing.clock import HandClock
from tests.cli.fake_api import Ask, Asked, FakeApi, Says
from tests.cli.test_package import shipment

SITE: dict[str, Any] = {
    "code": "HQ1",
    "name": "",
    "parent": None,
    "url": "https://h",
    "state": "active",
    "last_seen": None,
    "link": None,
}


def test_the_join_string_stands_alone_on_stdout(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /sites/invitations"] = {"id": "CHI", "join": "haulage1abc"}
    code, out, err = ask("invite", "site", "CHI", "--parent", "HQ1", "--name", "Chicago", "--hours", "2")
    assert (code, out) == (0, "haulage1abc\n")
    assert "haulage join" in err
    assert api.asked[0].body == {"code": "CHI", "parent": "HQ1", "name": "Chicago", "hours": 2.0}
    assert json.loads(ask("invite", "site", "CHI", "-o", "json")[1])["join"] == "haulage1abc"


def test_i19_a_join_string_may_come_by_stdin(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """What stands on a command line is read by everybody on the machine."""
    monkeypatch.setattr("sys.stdin", io.StringIO("haulage1nonsense\n"))
    code, _out, err = ask("join", "-", "--home", str(tmp_path / "home"))
    assert code == 2
    assert "join string" in err
    assert "nonsense" not in err


def test_the_tree_is_drawn(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /sites/tree"] = [
        {**SITE, "depth": 0},
        {**SITE, "code": "CHI", "depth": 1},
        {**SITE, "code": "LA1", "depth": 2, "link": {"messages_waiting": 7}},
    ]
    lines = ask("site", "tree")[1].splitlines()
    assert [line.split("  -")[0].rstrip() for line in lines[1:]] == ["HQ1", "└─ CHI", "   └─ LA1"]
    assert " 7 " in lines[3]


def test_removing_a_site_asks(api: FakeApi, ask: Ask) -> None:
    assert ask("site", "remove", "CHI")[0] == 2
    api.replies["DELETE /sites/CHI"] = {"id": "CHI", "removed": False}
    assert ask("site", "remove", "CHI", "--dry-run")[0] == 0
    assert api.asked[0].query == {"dry_run": "true"}


def test_this_site(api: FakeApi, ask: Ask) -> None:
    served = {"CHI": {"bytes": 4096}}
    api.replies["GET /site"] = {"code": "HQ1", "served": served, "started": "2026-01-02T03:04:05Z"}
    assert "served to CHI  4.0 KiB" in ask("site", "show")[1]


def test_points(api: FakeApi, ask: Ask) -> None:
    point = {"id": "LA1/SHOP", "place": "LA1/SHOP", "kind": "folder", "url": "folder:/srv", "owner": "HQ1"}
    api.replies |= {"POST /points": point, "GET /points": [point], "DELETE /points/LA1/SHOP": {"id": "LA1/SHOP"}}
    assert ask("point", "add", "LA1/SHOP", "--url", "folder:/srv")[:2] == (0, "LA1/SHOP\n")
    assert ask("point", "list")[1].splitlines()[1].split() == ["LA1/SHOP", "folder", "folder:/srv", "HQ1"]
    assert ask("point", "remove", "LA1/SHOP")[0] == 0
    assert ask("point", "remove", "LA1/../X")[0] == 2


def test_a_point_is_verified_package_by_package(api: FakeApi, ask: Ask) -> None:
    looks = [shipment("HQ1/A"), shipment("HQ1/A"), shipment("HQ1/A", generation=5, verified="2026-01-02T00:00:00Z")]
    api.replies |= {
        "GET /packages": [{"id": "HQ100001"}, {"id": "HQ100002"}],
        "GET /packages/HQ100001/status": lambda _asked: [looks.pop(0) if len(looks) > 1 else looks[0]],
        "GET /packages/HQ100002/status": [shipment("HQ1/B")],
        "POST /packages/HQ100001/orders": {"generation": 4},
    }
    code, out, _err = ask("point", "verify", "HQ1/A", "-o", "json")
    assert (code, [row["id"] for row in json.loads(out)]) == (0, ["HQ100001@HQ1/A"])


def test_status_list_and_explain(api: FakeApi, ask: Ask) -> None:
    message = {"sequence": 1, "number": 2302, "severity": "error", "site": "HQ1", "time": "2026-01-02T03:04:05Z", "text": "x\x1b"}
    api.replies["GET /status"] = [message]
    code, out, _err = ask("status", "list", "--severity", "error", "--limit", "5", "--place", "CHI")
    assert code == 0
    assert "2302" in out
    assert "\x1b" not in out
    assert api.asked[0].query == {"severity": "error", "limit": "5", "place": "CHI", "newest": "true"}
    api.replies["GET /status/numbers/2302"] = {"number": 2302, "cause": "Because.", "remedy": "Do."}
    assert "remedy     Do." in ask("status", "explain", "2302")[1]
    assert ask("status", "explain", "x")[0] == 2


def test_status_list_looks_back_until_there_are_enough(api: FakeApi, ask: Ask) -> None:
    looks = {None: ([9, 8][::-1], "7"), "7": ([], "4"), "4": ([3], None)}

    def page(asked: Asked) -> object:
        numbers, cursor = looks[asked.query.get("cursor")]
        rows = [{"id": number, "number": number, "severity": "error"} for number in numbers]
        return {"items": rows, "cursor": cursor}

    api.replies["GET /status"] = page
    options = ["--number", "2302", "--number", "2321", "--since", "2h", "--text", "disk full", "--below", "CHI", "--type", "audit"]
    code, out, _err = ask("status", "list", "--limit", "5", "-o", "json", *options)
    assert (code, [row["id"] for row in json.loads(out)]) == (0, [3, 8, 9])
    assert [asked.query["limit"] for asked in api.asked] == ["5", "3", "3"]
    wanted = {
        "number": "2302,2321",
        "since": "2h",
        "text": "disk full",
        "below": "CHI",
        "type": "audit",
        "newest": "true",
        "limit": "5",
    }
    assert api.asked[0].query == wanted


def test_follow_begins_with_what_was_before(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_clock: object, _seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("haulage.base.clock.SystemClock.sleep", leave)
    api.replies["GET /status"] = lambda asked: {
        "items": [{"id": 9, "number": 9}] if asked.query.get("newest") else [{"id": 3, "number": 3}, {"id": 12, "number": 12}],
        "cursor": None,
    }
    api.replies["GET /status/stream"] = Says(raw=b": nothing\n\n", media_type="text/event-stream")
    code, out, _err = ask("status", "follow", "-o", "jsonl", "--since", "1h")
    assert (code, [json.loads(line)["id"] for line in out.splitlines()]) == (0, [3, 12])
    # One came while the others were listed: it is not shown twice.
    assert api.asked[-1].query == {"since": "1h", "after": "12"}


def test_follow_goes_on_where_it_was(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(_clock: object, pause_seconds: float) -> None:
        pauses.append(pause_seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    def stream(asked: Asked) -> Says:
        number = int(asked.query.get("after", 0)) + 1
        text = f': hello\n\nid: {number}\nevent: status\ndata: {{"number": {number},\ndata: "text": "t"}}\n\n'
        return Says(raw=text.encode(), media_type="text/event-stream")

    monkeypatch.setattr("haulage.base.clock.SystemClock.sleep", pause)
    api.replies["GET /status/stream"] = stream
    api.replies["GET /status"] = {"items": [{"id": 4}], "cursor": None}
    code, out, _err = ask("status", "follow", "-o", "json", "--severity", "warning")
    assert code == 0
    assert [json.loads(line)["number"] for line in out.splitlines()] == [5, 6]
    # It begins behind what was the newest when it was started, whenever the first connection comes about.
    assert [asked.query.get("after") for asked in api.asked if asked.path.endswith("stream")] == ["4", "5"]


def test_the_store(api: FakeApi, ask: Ask) -> None:
    api.replies |= {
        "GET /store/stats": {"chunks": 3, "bytes_stored": 2048},
        "POST /store/check": {"chunks_checked": 3, "damaged": 0, "damages": []},
        "POST /store/sweep": {"freed_bytes": 0},
    }
    assert ask("store", "stats")[1] == "chunks        3\nbytes stored  2.0 KiB\n"
    assert ask("store", "check")[0] == 0
    assert ask("store", "sweep", "--dry-run")[0] == 0
    assert api.asked[-1].body == {"dry_run": True}
    api.replies["POST /store/check"] = {"chunks_checked": 3, "damaged": 1, "damages": [{"where": "pack", "chunks": 1}]}
    assert ask("store", "check")[0] == 7


def test_explain(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages/HQ100001/explain"] = shipment(meaning="m", cause="c", next="Nothing to do.", when=None)
    code, out, _err = ask("explain", "HQ100001", "--at", "CHI")
    assert code == 0
    assert "next               Nothing to do." in out
    assert api.asked[0].query == {"at": "CHI"}


FILE = {"path": "a.dll", "stream": None, "size": 90, "bytes_reused": 80, "bytes_new": 10, "base": "a.dll", "why": "delta"}
ACCOUNT = {
    "files": [FILE | {"meaning": "encoded against what is held"}],
    "reasons": [{"why": "delta", "meaning": "encoded against what is held", "files": 1, "size": 90, "bytes_new": 10}],
}


def test_c14_explain_accounts_for_files(api: FakeApi, ask: Ask) -> None:
    said = shipment(meaning="m", cause="c", next="n", when=None, bases=["HQ100001:1"], level="smallest", why="It was made on top.")
    api.replies["GET /packages/HQ100001/explain"] = said | ACCOUNT
    code, out, _err = ask("explain", "HQ100001", "--at", "CHI", "--files")
    assert (code, api.asked[0].query) == (0, {"at": "CHI", "files": "true"})
    assert "made from          HQ100001:1" in out
    assert "encoded against what is held" in out
    assert "a.dll" in out


def test_plan(api: FakeApi, ask: Ask) -> None:
    row = {"id": "HQ100001@CHI", "place": "CHI", "present": 1, "bytes_total": 4096, "bytes_reused": 3072, "bytes_new": 1024}
    row |= {"bytes_wire": 128, "wire": "estimated", "bases": ["HQ100001:1"], "level": "smallest", "level_why": "It is little."}
    row |= {"rate": 2048, "seconds": 7300.0, "finish": None, "note": "Reckoned."} | ACCOUNT
    exact = row | {"place": "LA1/P", "wire": "made", "rate": None, "seconds": None}
    api.replies["GET /packages/HQ100001/plan"] = [row, exact]
    code, out, err = ask("plan", "HQ100001", "--to", "CHI", "LA1/P")
    assert (code, api.asked[0].query) == (0, {"to": "CHI,LA1/P"})
    first, second = out.splitlines()[1:3]
    assert "~128 B" in first
    assert "2.0 KiB/s" in first
    assert "2.0 h" in first
    assert "~" not in second
    assert "CHI: smallest. It is little." in err
    code, out, _err = ask("plan", "HQ100001", "--to", "CHI", "--files")
    assert "a.dll" in out
    assert ask("plan", "HQ100001", "--to", "CHI", "-o", "json")[1].startswith("[")


def test_doctor_ends_with_1_if_anything_is_an_error(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /doctor"] = [{"severity": "warning", "what": "w", "hint": "h"}]
    assert ask("doctor")[0] == 0
    api.replies["GET /doctor"] = [{"severity": "error", "what": "w", "hint": "h"}]
    assert ask("doctor")[0] == 1
    api.replies["GET /doctor"] = []
    assert ask("doctor")[:2] == (0, "")


def test_q163379_doctor_looks_at_a_home_whose_server_does_not_start(api: FakeApi, ask: Ask) -> None:
    home = pathlib.Path(api.home)
    (home / "run/server.json").unlink()
    (home / "haulage.toml").write_text("[site]\nlisten = 7\n")
    (home / "keys").chmod(0o755)
    code, out, _err = ask("doctor", "-o", "json")
    assert code == 1
    found = " ".join(row["what"] for row in json.loads(out))
    for word in ("No server is running", "line 2", "Others may look into"):
        assert word in found


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("1.5s", 1.5), ("15m", 900), ("2h", 7200), ("1d", 86400), ("0", None)])
def test_durations(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "1w", "1 s", "inf", "1e9", "٣"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError):
        seconds(text)


def test_waiting_looks_less_and_less_often() -> None:
    clock = HandClock()
    begin = clock.monotonic()
    looks: list[float] = []

    def look() -> Look[str]:
        looks.append(clock.monotonic() - begin)
        return Look(answer="there" if len(looks) == 20 else None)

    assert wait(look, None, clock) == "there"
    pauses = [after - before for before, after in itertools.pairwise(looks)]
    assert pauses == sorted(pauses)
    assert (round(pauses[0], 3), pauses[-1]) == (0.1, 1.0)
