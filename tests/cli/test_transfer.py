"""What the verbs of ``transfer`` ask of the server, when they ask the person, how they wait and how they end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.fake_api import Ask, FakeApi, Says

ROW: dict[str, Any] = {
    "id": "HQ100001@LA1", "package": "HQ100001", "name": "demo", "version": 2, "present": 1, "place": "LA1", "site": "LA1",
    "kind": "site", "sender": "CHI", "state": "moving", "reason": "", "word": "", "word_by": "", "word_time": None, "asked": None,
    "bytes_planned": 2000, "bytes_done": 500, "bytes_total": 9000, "bytes_reused": 7000, "bytes_new": 2000, "bytes_wire": 500,
    "rate": 1024, "eta": "2026-03-01T12:00:00.000000Z", "expected": None, "late": "", "late_why": "", "due": None, "tries": 0,
    "since": None, "updated": "2026-03-01T11:00:00.000000Z", "age_seconds": 3, "error": None,
}  # fmt: skip
ASKED = ROW | {"asked": {"action": "hold", "actor": "ann", "sender": "HQ1", "issued": "2026-03-01T11:00:00.000000Z"}}
REACH = {
    "id": "hold", "word": "hold", "what": "to LA1 and its points", "transfers": 7, "packages": 2, "places": 3, "sites": 1,
    "moving": 1, "stopped": 2, "present": 4, "left_bytes": 4096, "issued": None, "dry_run": True,
}  # fmt: skip


def test_f2_list_shows_rate_progress_and_what_is_the_matter(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /transfers"] = [ROW, ASKED | {"late": "quiet", "late_why": "Nothing was heard."}]
    code, out, _err = ask("transfer", "list", "--site", "LA1", "--state", "open")
    assert code == 0
    assert "500 B of 2.0 KiB, 25 %" in out
    assert "1.0 KiB/s" in out
    assert "asked to hold, not answered" in out
    assert (api.asked[0].query["site"], api.asked[0].query["state"]) == ("LA1", "open")
    code, out, _err = ask("transfer", "list", "-o", "json")
    assert [row["rate"] for row in json.loads(out)] == [1024, 1024]


def test_show_and_its_files(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /transfers/HQ100001"] = ROW
    api.replies["GET /transfers/HQ100001/files"] = [
        {"path": "d/file", "change": "changed", "what": ["content"], "streams": ["s"], "size": 10, "bytes_new": 4}
    ]
    assert "2026-03-01 12:00:00Z" in ask("transfer", "show", "HQ100001", "--at", "LA1")[1]
    assert "d/file" in ask("transfer", "show", "HQ100001", "--at", "LA1", "--files")[1]


def test_one_is_held_without_asking_and_a_silent_site_is_told(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /transfers/hold"] = {"id": "HQ100001@LA1", "transfers": 1}
    api.replies["GET /transfers/HQ100001"] = ASKED
    code, out, err = ask("transfer", "hold", "HQ100001", "--at", "LA1")
    assert (code, out.strip()) == (0, "HQ100001@LA1")
    assert "site LA1 has not answered yet" in err
    assert api.asked[0].body == {"package": "HQ100001", "place": "LA1"}


@pytest.mark.parametrize("words", [("--site", "LA1"), ("--all",), ("--package", "HQ100001"), ("--state", "late")])
def test_many_are_told_first_and_asked_about(api: FakeApi, ask: Ask, words: tuple[str, ...]) -> None:
    api.replies["POST /transfers/cancel"] = REACH
    code, _out, err = ask("transfer", "cancel", *words)
    assert code == 2
    assert "7 transfers at 3 places of 1 sites" in err
    assert [asked.body["dry_run"] for asked in api.asked] == [True]
    api.asked.clear()
    assert ask("transfer", "cancel", *words, "--yes")[0] == 0
    assert [asked.body.get("dry_run", False) for asked in api.asked] == [True, False]


def test_a_dry_run_tells_the_reach_and_does_nothing(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /transfers/hold"] = REACH
    code, _out, err = ask("transfer", "hold", "--site", "LA1", "--dry-run")
    assert code == 0
    assert "1 of them move now" in err
    assert "4.0 KiB have not arrived" in err
    assert len(api.asked) == 1


def test_wait_returns_when_the_site_has_answered_and_ends_in_time(api: FakeApi, ask: Ask) -> None:
    answers = [[ASKED], []]
    api.replies["POST /transfers/release"] = {"id": "HQ100001@LA1", "transfers": 1}
    api.replies["GET /transfers/HQ100001"] = ROW
    api.replies["GET /transfers"] = lambda _asked: Says(value={"items": answers.pop(0), "cursor": None})
    assert ask("transfer", "release", "HQ100001", "--at", "LA1", "--wait")[0] == 0
    assert answers == []
    api.replies["GET /transfers"] = lambda _asked: Says(value={"items": [ASKED], "cursor": None})
    code, _out, err = ask("transfer", "release", "HQ100001", "--at", "LA1", "--wait", "--timeout", "0.1s")
    assert code == 10
    assert "site LA1 has not answered about HQ100001@LA1" in err


def test_who_does_not_say_which_is_told_so(api: FakeApi, ask: Ask) -> None:
    for verb in ("hold", "release", "cancel"):
        assert ask("transfer", verb)[0] == 2
    assert ask("transfer", "hold", "nonsense", "--at", "LA1")[0] == 2
    assert api.asked == []
