"""Tables, JSON, JSON lines, CSV; hostile names; pipes; what is loaded."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from haulage.cli.output import size_text, time_text
from tests.cli.fake_api import Ask, FakeApi

RUN = [sys.executable, "-c", "from haulage.cli.main import run; run()"]
PACKAGE = {"id": "HQ100001", "name": "Office", "version": 2, "owner": "HQ1", "assignments": ["CHI", "LA1/SHOP"], "keep": 2}
HOSTILE = "a\x1b[31m\nb\u202e\x9b"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (1 << 20, "1.0 MiB"),
        (102_273_533, "97.5 MiB"),
        (1023 * 1024, "1.0 MiB"),
        (1 << 60, "1024 PiB"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    assert size_text(size) == text


def test_times() -> None:
    assert time_text("2026-01-02T03:04:05.678901Z") == "2026-01-02 03:04:05Z"
    assert time_text(None) == "-"


def test_a_table(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages"] = [PACKAGE, {**PACKAGE, "id": "HQ10000A", "assignments": []}]
    assert ask("package", "list") == (
        0,
        "id        name    version  owner  places\n"
        "HQ100001  Office  2        HQ1    CHI, LA1/SHOP\n"
        "HQ10000A  Office  2        HQ1    -\n",
        "",
    )


def test_json_keeps_every_field(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages"] = [PACKAGE]
    assert json.loads(ask("package", "list", "-o", "json")[1]) == [PACKAGE]
    assert json.loads(ask("package", "list", "--output", "jsonl")[1]) == PACKAGE


def test_csv(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages"] = [{**PACKAGE, "name": 'quote " comma ,'}, {"id": "HQ100002", "new_field": True}]
    rows = list(csv.DictReader(io.StringIO(ask("package", "list", "-o", "csv")[1])))
    assert [row["id"] for row in rows] == ["HQ100001", "HQ100002"]
    assert rows[0]["name"] == 'quote " comma ,'
    assert json.loads(rows[0]["assignments"]) == ["CHI", "LA1/SHOP"]
    assert (rows[1]["name"], rows[1]["new_field"]) == ("", "true")


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_hostile_names_cannot_move_the_cursor(api: FakeApi, ask: Ask, form: str) -> None:
    api.replies["GET /packages"] = [{**PACKAGE, "name": HOSTILE}]
    out = ask("package", "list", "-o", form)[1]
    assert out.replace("\n", "").isprintable()
    if form in ("table", "csv"):
        assert r"a\x1b[31m\nb\u202e\x9b" in out
    else:
        assert HOSTILE.encode("unicode_escape").decode().replace(r"\x", r"\u00") in out


def test_an_empty_list_says_what_to_do_on_stderr_only(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages"] = []
    code, out, err = ask("package", "list")
    assert (code, out) == (0, "")
    assert "haulage package create" in err


def test_one_thing(api: FakeApi, ask: Ask) -> None:
    source = {
        "spec": "/src",
        "state": "idle",
        "outcome": "failed",
        "finished": None,
        "error": {"message": "gone\x07", "hint": "Look."},
    }
    api.replies["GET /packages/HQ100001"] = {**PACKAGE, "source": source, "newest": None}
    out = ask("package", "show", "HQ100001")[1]
    assert "capture message  gone\\x07" in out
    assert json.loads(ask("package", "show", "HQ100001", "-o", "json")[1])["source"] == source


def test_a_reader_that_leaves_is_no_error(api: FakeApi) -> None:
    api.replies["GET /packages"] = [{**PACKAGE, "name": "x" * 1000}] * 2000
    process = subprocess.Popen([*RUN, "package", "list", "-o", "jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_no_colour_and_no_bars_in_a_pipe(api: FakeApi) -> None:
    api.replies["GET /packages"] = [PACKAGE]
    done = subprocess.run([*RUN, "package", "list"], capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr


def test_on_a_terminal_no_color_is_honoured(api: FakeApi) -> None:
    api.replies["GET /packages"] = [{**PACKAGE, "name": HOSTILE}]

    def seen(**environment: str) -> bytes:
        master, slave = os.openpty()
        subprocess.run(
            [*RUN, "package", "list"], stdout=slave, check=True, env={**os.environ, "TERM": "xterm-256color", **environment}
        )
        os.close(slave)
        found = b""
        while True:
            try:
                found += os.read(master, 65536)
            except OSError:
                os.close(master)
                return found

    plain = seen(NO_COLOR="1", COLUMNS="200")
    assert b"Office" not in plain
    assert rb"a\x1b[31m\nb\u202e\x9b" in plain
    assert b"\x1b[3" not in plain.replace(rb"\x1b", b"")


def test_an_api_command_loads_nothing_heavy(api: FakeApi) -> None:
    api.replies["GET /packages"] = [PACKAGE]
    program = (
        "import sys; from haulage.cli.main import main; code = main(['package', 'list', '-o', 'json'])\n"
        "heavy = {'psycopg', 'sqlalchemy', 'alembic', 'fastapi', 'granian', 'aiohttp', 'cryptography', 'rich.progress'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr.strip() == b"[]"
