"""What ``diff``, ``apply`` and ``declared`` ask of the server, what they show, when they ask the person, and how they end."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.cli.fake_api import Ask, FakeApi, refuse

STEP: dict[str, Any] = {
    "number": 1, "act": "assign", "name": "Office", "package": "HQ100001", "sentence": "assign Office (HQ100001) to LA1",
    "standing": "ready", "why": "", "places": ["LA1"], "groups": [], "gained": 1, "lost": 0, "bytes_wire": 2048, "at_most": False,
    "unknown": 0, "costs": [{"package": "HQ100001", "place": "LA1", "bytes_new": 4096, "bytes_wire": 2048}],
}  # fmt: skip
FOUND: dict[str, Any] = {
    "id": "abc", "differs": True, "steps": [STEP], "ready": 1, "gained": 1, "lost": 0, "bytes_wire": 2048, "at_most": False,
    "unknown": 0, "kept": {"points": 3}, "removals": {"places": 0, "points": 0}, "must_allow": 0,
}  # fmt: skip
NOTHING = FOUND | {"differs": False, "steps": [], "ready": 0, "gained": 0, "bytes_wire": 0, "kept": {}}
DONE: dict[str, Any] = {
    "id": "abc", "steps": [STEP | {"outcome": "done", "error": None}], "done": 1, "failed": 0, "left": 0, "dry_run": False,
    "joins": [{"code": "NEW", "parent": "HQ1", "join": "haulage-join-1", "expires": "2026-01-01T00:00:00Z"}],
}  # fmt: skip
ERROR = {"code": "no-such-place", "message": "There is no place LA1.", "hint": "haulage site list"}


@pytest.fixture
def file(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "shops.toml"
    path.write_text("format = 1\n")
    return str(path)


def test_a_difference_is_shown_in_order_with_its_bytes(api: FakeApi, ask: Ask, file: str) -> None:
    api.replies["POST /declared/compare"] = FOUND
    code, out, err = ask("diff", file, "--places")
    assert code == 6
    assert "assign Office (HQ100001) to LA1" in out
    assert "~2.0 KiB" in out
    assert "4.0 KiB" in out
    assert "3 points" in err
    assert api.asked[0].body == {"text": "format = 1\n", "publish": False}


def test_no_difference_is_exit_0(api: FakeApi, ask: Ask, file: str) -> None:
    api.replies["POST /declared/compare"] = NOTHING
    assert ask("diff", file) == (0, "", "Nothing differs.\n")
    assert ask("apply", file)[0] == 0
    assert json.loads(ask("apply", file, "-o", "json")[1])["done"] == 0
    assert [asked.path for asked in api.asked] == ["/declared/compare"] * 3


def test_apply_shows_asks_once_and_does_what_was_shown(api: FakeApi, ask: Ask, file: str) -> None:
    api.replies |= {"POST /declared/compare": FOUND, "POST /declared/apply": DONE}
    code, _out, err = ask("apply", file)
    assert code == 2
    assert "Do 1 changes?" in err
    assert len(api.asked) == 1
    code, out, _err = ask("apply", file, "--yes")
    assert (code, out.splitlines()[-1]) == (0, "NEW haulage-join-1")
    assert api.asked[-1].body == {
        "text": "format = 1\n", "publish": False, "expected": "abc", "allow_removing": 0, "keep_going": False,
    }  # fmt: skip


def test_join_strings_go_into_a_new_file_that_nobody_else_reads(api: FakeApi, ask: Ask, file: str, tmp_path: pathlib.Path) -> None:
    api.replies |= {"POST /declared/compare": FOUND, "POST /declared/apply": DONE}
    joins = tmp_path / "joins.txt"
    code, out, err = ask("apply", file, "--yes", "--join-strings", str(joins))
    assert (code, "haulage-join-1" in out + err) == (0, False)
    assert (joins.read_text(), joins.stat().st_mode & 0o777) == ("NEW haulage-join-1\n", 0o600)
    api.asked.clear()
    assert ask("apply", file, "--yes", "--join-strings", str(joins))[0] == 5
    assert [asked.path for asked in api.asked] == ["/declared/compare"]


def test_what_failed_and_what_is_left_is_told_and_is_no_success(api: FakeApi, ask: Ask, file: str) -> None:
    failed = STEP | {"outcome": "failed", "error": ERROR}
    api.replies |= {"POST /declared/compare": FOUND, "POST /declared/apply": DONE | {"steps": [failed], "done": 0, "failed": 1}}
    code, out, err = ask("apply", file, "--yes")
    assert code == 1
    assert "There is no place LA1." in out
    assert "assign Office" in err
    left = STEP | {"outcome": "left", "standing": "later", "why": "CHI must be let in first.", "error": None}
    api.replies["POST /declared/apply"] = DONE | {
        "steps": [STEP | {"outcome": "done", "error": None}, left],
        "left": 1,
        "joins": [],
    }
    code, out, _err = ask("apply", file, "--yes")
    assert code == 6
    assert "CHI must be let in first." in out


def test_many_removals_are_refused_before_anybody_is_asked(api: FakeApi, ask: Ask, file: str) -> None:
    api.replies["POST /declared/compare"] = FOUND | {"removals": {"places": 30}, "must_allow": 30, "lost": 30}
    code, _out, err = ask("apply", file, "--yes")
    assert code == 4
    assert "--allow-removing 30" in err
    api.replies["POST /declared/apply"] = DONE
    assert ask("apply", file, "--yes", "--allow-removing", "30")[0] == 0


def test_a_dry_run_is_told_to_the_server_as_one(api: FakeApi, ask: Ask, file: str) -> None:
    api.replies |= {"POST /declared/compare": FOUND, "POST /declared/apply": DONE | {"dry_run": True, "joins": []}}
    assert ask("apply", file, "--dry-run")[0] == 0
    assert api.asked[-1].body["dry_run"] is True


def test_files_that_are_none(api: FakeApi, ask: Ask, tmp_path: pathlib.Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"format = 1\n\xff\n")
    assert ask("diff", str(tmp_path / "none"))[0] == 2
    assert ask("diff", str(tmp_path))[0] == 2
    code, _out, err = ask("diff", str(bad))
    assert (code, "line 2" in err) == (2, True)
    assert api.asked == []


def test_mistakes_are_told_line_by_line(api: FakeApi, ask: Ask, file: str) -> None:
    api.replies["POST /declared/compare"] = refuse(
        "bad-declaration", "usage", "The file cannot be used:\nline 2: a\nline 3: \x1b[2Jb", status=400
    )
    code, _out, err = ask("diff", file)
    assert code == 2
    assert err.splitlines()[1:3] == ["line 2: a", "line 3: \\x1b[2Jb"]


def test_what_there_is_comes_as_it_is(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /declared"] = {"id": "HQ1", "text": "format = 1\n"}
    assert ask("declared", "show") == (0, "format = 1\n", "")
    assert json.loads(ask("declared", "show", "-o", "json")[1])["text"] == "format = 1\n"
