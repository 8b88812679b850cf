"""Finding the server, believing it, and what happens when it is not there or not it."""

from __future__ import annotations

import json
import pathlib
import socket

import pytest

from tests.cli.fake_api import TOKEN, Ask, Asked, FakeApi, Says, refuse


def test_the_home_names_the_server_and_its_token(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /points"] = []
    assert ask("point", "list", "-o", "json") == (0, "[]\n", "")
    assert api.asked[0].token == f"Bearer {TOKEN}"


def test_a_list_is_read_page_by_page(api: FakeApi, ask: Ask) -> None:
    pages = {None: ({"place": "HQ1/A"}, "x y"), "x y": ({"place": "HQ1/B"}, None)}

    def reply(asked: Asked) -> dict[str, object]:
        row, cursor = pages[asked.query.get("cursor")]
        return {"items": [row], "cursor": cursor}

    api.replies["GET /points"] = reply
    code, out, _err = ask("point", "list", "-o", "jsonl")
    assert (code, [json.loads(line)["place"] for line in out.splitlines()]) == (0, ["HQ1/A", "HQ1/B"])


@pytest.mark.parametrize("name", ["../sites", "..", ".", "", "a/b"])
@pytest.mark.parametrize(
    "verb", [("kb", "show"), ("kb", "graph"), ("fix", "show"), ("package", "show"), ("site", "remove", "--yes")]
)
def test_a_name_is_never_another_path(api: FakeApi, ask: Ask, verb: tuple[str, ...], name: str) -> None:
    code, _out, err = ask(*verb, name)
    assert (code, api.asked) == (2, [])
    assert repr(name) in err


def test_a_name_is_quoted(api: FakeApi, ask: Ask) -> None:
    ask("kb", "show", "Q1?x=1#é ")
    assert (api.asked[0].path, api.asked[0].query) == ("/articles/Q1%3Fx%3D1%23%C3%A9%20", {})


def test_no_home_given(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HAULAGE_HOME")
    code, out, err = ask("site", "list")
    assert (code, out) == (2, "")
    assert "--home" in err


def test_a_folder_that_is_no_home(api: FakeApi, ask: Ask, tmp_path: pathlib.Path) -> None:
    code, _out, err = ask("site", "list", "--home", str(tmp_path))
    assert code == 3
    assert "haulage init" in err


def test_no_server_running_is_exit_5_and_says_how_to_start_one(api: FakeApi, ask: Ask) -> None:
    (pathlib.Path(api.home) / "run/server.json").unlink()
    code, _out, err = ask("site", "list")
    assert code == 5
    assert f"hint: haulage serve --home {api.home}" in err


def test_b_server_file_left_by_a_killed_server_is_exit_5_too(api: FakeApi, ask: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        facts = {"url": f"https://127.0.0.1:{unused.getsockname()[1]}", "pid": 1, "fingerprint": "ab"}
    (pathlib.Path(api.home) / "run/server.json").write_text(json.dumps(facts))
    code, _out, err = ask("site", "list")
    assert code == 5
    assert "haulage serve" in err


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 7}', '{"url": "https://x", "fingerprint": 7}'])
def test_a_broken_server_file_is_refused(api: FakeApi, ask: Ask, content: str) -> None:
    (pathlib.Path(api.home) / "run/server.json").write_text(content)
    code, _out, err = ask("site", "list")
    assert code == 1
    assert "Restart the server" in err


def test_a_server_with_another_certificate_never_sees_the_token(api: FakeApi, ask: Ask) -> None:
    facts = {"url": api.url, "pid": 1, "fingerprint": "00" * 32}
    (pathlib.Path(api.home) / "run/server.json").write_text(json.dumps(facts))
    code, _out, err = ask("site", "list")
    assert code == 8
    assert "did not prove" in err
    assert api.asked == []


def test_a_remote_server_by_url_token_and_ca(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    api.replies["GET /points"] = []
    monkeypatch.setenv("HAULAGE_URL", api.url + "/")
    monkeypatch.setenv("HAULAGE_TOKEN", "other-token")
    monkeypatch.setenv("HAULAGE_CA", api.authority)
    assert ask("point", "list", "-o", "json")[0] == 0
    assert api.asked[0].token == "Bearer other-token"


def test_a_remote_server_nobody_vouches_for_never_sees_the_token(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAULAGE_URL", api.url)
    monkeypatch.setenv("HAULAGE_TOKEN", "other-token")
    code, _out, err = ask("point", "list")
    assert code == 8
    assert "HAULAGE_CA" in err
    assert api.asked == []


@pytest.mark.parametrize(("url", "token", "code"), [("http://x", "t", 2), ("https://x", "", 2), ("https://x", "a b", 1)])
def test_a_senseless_environment(ask: Ask, monkeypatch: pytest.MonkeyPatch, url: str, token: str, code: int) -> None:
    monkeypatch.setenv("HAULAGE_URL", url)
    monkeypatch.setenv("HAULAGE_TOKEN", token)
    assert ask("point", "list")[0] == code


def test_home_goes_before_the_environment(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    api.replies["GET /points"] = []
    monkeypatch.setenv("HAULAGE_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("HAULAGE_TOKEN", "t")
    assert ask("point", "list", "--home", api.home)[0] == 0


def test_an_answer_that_is_not_haulage(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /sites"] = Says(raw=b"<html>", media_type="text/html")
    assert ask("site", "list")[0] == 1
    api.replies["GET /sites"] = Says(raw=b"<html>", media_type="text/html", status=502)
    assert ask("site", "list")[0] == 5


def test_what_a_server_says_is_shown_escaped(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /sites"] = refuse("x", "conflict", "bad \x1b[2J name \u202e", "\rdo")
    assert ask("site", "list")[2] == "haulage: bad \\x1b[2J name \\u202e\nhint: \\rdo\n"


def test_only_reading_is_tried_twice(api: FakeApi, ask: Ask) -> None:
    def reset(asked: Asked) -> Says:
        raise ConnectionResetError

    api.replies |= {"GET /sites": reset, "DELETE /sites/CHI": reset}
    assert ask("site", "list")[0] == 5
    assert ask("site", "remove", "CHI", "--yes")[0] == 5
    assert [asked.method for asked in api.asked] == ["GET", "GET", "DELETE"]
