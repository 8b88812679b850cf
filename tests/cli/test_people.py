"""``haulage user`` and ``haulage token``: passwords never as arguments, a token told once, what ends with an act told before it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.cli.fake_api import TOKEN, Ask, FakeApi, Says

PASSWORD = "correct horse battery"
ADA: dict[str, Any] = {
    "id": "ada",
    "name": "ada",
    "display_name": "Ada",
    "role": "operator",
    "disabled": False,
    "has_password": True,
    "created": "2026-11-23T01:00:00.000000Z",
    "signed_in": None,
    "sessions": 2,
    "tokens": 1,
}
MADE: dict[str, Any] = {
    "id": "1f0c2b7d",
    "name": "build",
    "role": "reader",
    "owner": "",
    "made_by": "administrator",
    "created": "2026-11-23T01:00:00.000000Z",
    "expires": "2027-11-23T01:00:00.000000Z",
    "used": None,
}


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_i19_a_password_comes_from_standard_input_and_is_shown_nowhere(
    api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.replies["POST /users"] = ADA
    typed(monkeypatch, PASSWORD + "\n")
    code, out, err = ask("user", "add", "ada", "--role", "operator", "--name", "Ada")
    assert (code, out) == (0, "ada\n")
    assert PASSWORD not in out + err
    assert api.asked[0].body == {
        "name": "ada",
        "role": "operator",
        "display_name": "Ada",
        "dry_run": False,
        "password": PASSWORD,
    }


def test_at_a_terminal_a_password_is_typed_twice_without_echo(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    api.replies["PUT /users/ada/password"] = {"id": "ada", "sessions_ended": 2, "dry_run": False}
    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter([PASSWORD, PASSWORD, PASSWORD, "another"])
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: next(answers))
    code, _out, err = ask("user", "password", "ada")
    assert code == 0
    assert "2 sessions ended" in err
    assert api.asked[0].body == {"password": PASSWORD}
    code, _out, err = ask("user", "password", "ada")
    assert (code, len(api.asked)) == (2, 1)
    assert "not the same" in err


def test_no_password_is_no_empty_password(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "\n")
    assert ask("user", "add", "ada")[0] == 2
    assert api.asked == []
    api.replies["POST /users"] = ADA
    assert ask("user", "add", "ada", "--no-password")[0] == 0
    assert "password" not in api.asked[0].body
    assert ask("user", "add", "ada", "--dry-run")[0] == 0
    assert api.asked[1].body == {"name": "ada", "role": "reader", "display_name": "", "dry_run": True}


def test_ones_own_password_is_changed_with_the_old_one(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    api.replies["PUT /me/password"] = {"id": "ada", "sessions_ended": 0, "dry_run": False}
    typed(monkeypatch, f"{PASSWORD}\nanother horse battery\n")
    assert ask("user", "password")[0] == 0
    assert api.asked[0].body == {"old": PASSWORD, "password": "another horse battery"}


def test_users_are_listed_and_shown(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /users"] = [ADA]
    api.replies["GET /users/ada"] = ADA
    assert json.loads(ask("user", "list", "-o", "json")[1]) == [ADA]
    assert "operator" in ask("user", "list")[1]
    assert json.loads(ask("user", "show", "ada", "-o", "json")[1]) == ADA
    api.replies["GET /users"] = []
    assert "no user yet" in ask("user", "list")[2]


def test_only_what_is_given_is_changed(api: FakeApi, ask: Ask) -> None:
    api.replies["PATCH /users/ada"] = {**ADA, "sessions_ended": 2, "dry_run": False}
    code, _out, err = ask("user", "set", "ada", "--disable")
    assert (code, api.asked[0].body) == (0, {"disabled": True, "dry_run": False})
    assert "2 sessions ended" in err
    ask("user", "set", "ada", "--enable", "--role", "reader", "--dry-run")
    assert api.asked[1].body == {"disabled": False, "role": "reader", "dry_run": True}
    assert ask("user", "set", "ada")[0] == 2
    assert ask("user", "set", "ada", "--enable", "--disable")[0] == 2
    assert ask("user", "set", "ada", "--role", "root")[0] == 2
    assert len(api.asked) == 2


def test_removing_a_user_asks_and_tells_its_reach(api: FakeApi, ask: Ask) -> None:
    reach = {"id": "ada", "removed": False, "dry_run": True, "sessions_ended": 2, "tokens_withdrawn": 1}
    api.replies["DELETE /users/ada"] = reach
    code, _out, err = ask("user", "remove", "ada")
    assert code == 2
    assert "1 tokens and 2 sessions" in err
    assert [asked.query for asked in api.asked] == [{"dry_run": "true"}]
    assert ask("user", "remove", "ada", "--yes")[0] == 0
    assert api.asked[-1].query == {}


def test_a_token_is_told_once_alone_on_stdout(api: FakeApi, ask: Ask) -> None:
    api.replies["POST /tokens"] = {**MADE, "token": TOKEN, "dry_run": False}
    code, out, err = ask("token", "create", "build", "--role", "reader", "--user", "ada", "--days", "90")
    assert (code, out) == (0, TOKEN + "\n")
    assert TOKEN not in err
    assert api.asked[0].body == {"name": "build", "role": "reader", "owner": "ada", "days": 90.0, "dry_run": False}
    assert json.loads(ask("token", "create", "build", "-o", "json")[1])["token"] == TOKEN
    api.replies["POST /tokens"] = {**MADE, "token": "", "dry_run": True}
    assert TOKEN not in ask("token", "create", "build", "--dry-run")[1]


def test_tokens_are_listed_and_withdrawn(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /tokens"] = [MADE]
    api.replies["DELETE /tokens/1f0c2b7d"] = {**MADE, "removed": True, "dry_run": False}
    assert json.loads(ask("token", "list", "-o", "json")[1]) == [MADE]
    code, _out, err = ask("token", "withdraw", "1f0c2b7d")
    assert code == 2
    assert "build" in err
    assert ask("token", "withdraw", "1f0c2b7d", "--yes")[0] == 0
    assert ask("token", "withdraw", "../users", "--yes")[0] == 2


def test_who_may_not_ends_with_8_and_reads_who_can_give_it(api: FakeApi, ask: Ask) -> None:
    problem = {
        "type": "about:blank",
        "title": "",
        "status": 403,
        "code": "role-too-low",
        "family": "not-allowed",
        "detail": "This needs the role administrator; ada has the role reader.",
        "hint": "An administrator of this site can give it: haulage user set NAME --role administrator.",
    }
    api.replies["GET /users"] = Says(value=problem, status=403, media_type="application/problem+json")
    code, _out, err = ask("user", "list")
    assert code == 8
    assert "needs the role administrator" in err
    assert "haulage user set" in err
    error = json.loads(ask("user", "list", "-o", "json")[2])["error"]
    assert error["code"] == "role-too-low"


def test_whose_token_it_is(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /me"] = {"name": "ada", "role": "operator", "role_words": "also changes packages", "token": "1f0c2b7d"}
    assert "also changes packages" in ask("user", "me")[1]


def test_settings_are_listed_with_what_counts_later(api: FakeApi, ask: Ask) -> None:
    row = {"section": "status", "name": "retention_days", "value": "30", "is_default": True, "default": "30", "pending": "77"}
    hidden = {"section": "content", "name": "path", "value": None, "is_default": True, "default": '""', "pending": None}
    api.replies["GET /settings"] = Says(value=[row, hidden])
    out = ask("settings")[1]
    assert "[status] retention_days" in out
    assert "77" in out
    assert "not shown" in out
    assert json.loads(ask("settings", "-o", "json")[1]) == [row, hidden]
