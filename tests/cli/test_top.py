"""haulage top: frames that fit any terminal, whatever names and texts hold; and the real thing on a terminal of its own."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from haulage.base.clock import SystemClock
from haulage.cli.options import PLAIN
from haulage.cli.top import _Watch
from haulage.cli.top_frame import LEAST_HEIGHT, LEAST_WIDTH, SORTS, Wish, frame
from tests.cli.fake_api import Ask, FakeApi, refuse

NOW = "2026-03-01T12:00:00.000000Z"
EVIL = "\x1b[2J\u202e漢字\n" + "x" * 300


def neighbour(code: str, **more: Any) -> dict[str, Any]:
    link = {"state": "connected", "heard": "2026-03-01T11:59:40.000000Z", "backlog": 3}
    return {"code": code, "name": EVIL, "is_parent": False, "health": "well", "link": link} | more


def transfer(package: str, place: str = "CHI", **more: Any) -> dict[str, Any]:
    row = {"package": package, "version": 2, "place": place, "state": "moving", "reason": "", "name": EVIL, "rate": 1_500_000}
    row |= {"bytes_planned": 1000, "bytes_done": 250, "eta": "2026-03-01T12:30:00.000000Z", "error": None, "late_why": ""}
    return row | more


def glance(**more: Any) -> dict[str, Any]:
    message = {"time": NOW, "number": 2328, "site": "CHI", "severity": "error", "text": EVIL}
    return {
        "site": "HQ1",
        "time": NOW,
        "sites": {"failed": 1, "stuck": 0, "away": 1, "well": 7},
        "neighbours": [neighbour("LON", health="away"), neighbour("CHI")],
        "transfers": {"failed": 2, "moving": 2, "open": 4},
        "moving": [transfer("HQ100001"), transfer("HQ100002", "LA1/SHOP", bytes_done=999, rate=9)],
        "stuck": [transfer("HQ100003", state="failed", error={"message": EVIL})],
        "messages": [message] * 40,
    } | more


def texts(view: dict[str, Any], **how: Any) -> list[str]:
    return [line.text for line in frame(view, Wish(**({"width": 80, "height": 24} | how)))]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 200), st.integers(1, 80), st.integers(0, 60), st.sampled_from(SORTS), st.booleans(), st.text(max_size=60))
def test_a_frame_fits_whatever_the_size_and_the_texts(
    width: int, height: int, rows: int, sort: str, problems: bool, text: str
) -> None:
    view = glance(
        neighbours=[neighbour("CHI", name=text)] * rows,
        moving=[transfer("HQ100001", name=text)] * rows,
        stuck=[transfer("HQ100001", state="failed", error={"message": text})] * rows,
    )
    lines = texts(view, width=width, height=height, sort=sort, problems=problems)
    assert len(lines) <= max(height, LEAST_HEIGHT)
    assert all(cell_len(line) <= max(width, LEAST_WIDTH) for line in lines)
    assert all(line.isprintable() for line in lines)
    assert lines[-1].startswith("q quit")


def test_everything_has_its_place_at_80_by_24() -> None:
    lines = texts(glance())
    page = "\n".join(lines)
    assert len(lines) == 24
    for words in (
        "Haulage HQ1  2026-03-01 12:00:00Z  live",
        "sites:     1 failed  1 away  7 well",
        "transfers: 2 failed  2 moving",
        "  LON  child   connected  heard 20 s ago",
        "  HQ100001:2    CHI            [###.........]  25%    1.4 MiB/s there 12:30",
        "  HQ100003:2    CHI            failed   ",
        "Messages (40 more)" if "Messages (40 more)" in page else "Messages (",
        "q quit",
    ):
        assert words in page, (words, page)
    assert "\\x1b[2J" in page


def test_sorting_and_problems_only() -> None:
    first = next(line for line in texts(glance(), sort="rate") if "[#" in line)
    assert "HQ100001" in first
    assert "HQ100002" in next(line for line in texts(glance(), sort="done") if "[#" in line)
    page = "\n".join(texts(glance(), problems=True))
    assert "LON" in page
    assert "  CHI  child" not in page
    assert "Moving" not in page


def test_nothing_to_show_says_so() -> None:
    page = "\n".join(texts(glance(neighbours=[], moving=[], stuck=[], messages=[], sites={}, transfers={})))
    for words in ("no links", "nothing moves", "nothing is stuck", "nothing was said", "sites:     none"):
        assert words in page


def test_once_prints_a_frame_without_keys_and_colours(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /glance"] = glance()
    code, out, _err = ask("top", "--once")
    assert code == 0
    assert out.startswith("Haulage HQ1")
    assert "q quit" not in out
    assert "\x1b" not in out
    code, out, _err = ask("top", "-o", "json")
    assert (code, json.loads(out)["site"]) == (0, "HQ1")
    assert ask("top", "--interval", "0")[0] == 2
    api.replies["GET /glance"] = refuse("role-too-low", "not-allowed", status=403)
    assert ask("top", "--once")[0] == 8


class HandClock:
    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at


def test_a_server_that_is_away_is_told_and_what_was_seen_stays(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAULAGE_HOME", api.home)
    clock: Any = HandClock()
    watch = _Watch(PLAIN, glance(), Wish(width=80, height=24), 2.0, clock)
    api.replies["GET /glance"] = glance(site="NEW")
    watch.refresh()
    assert watch.view["site"] == "HQ1"
    clock.at = 2.0
    watch.refresh()
    assert watch.view["site"] == "NEW"
    api.replies["GET /glance"] = refuse("busy", "transfer", "The server starts.", status=503)
    clock.at = 4.0
    watch.refresh()
    assert (watch.view["site"], watch.wish.trouble) == ("NEW", "The server starts.")
    assert "not live: The server starts." in frame(watch.view, watch.wish)[0].text
    api.replies["GET /glance"] = glance(site="HQ1")
    clock.at = 6.0
    watch.refresh()
    assert (watch.view["site"], watch.wish.trouble) == ("HQ1", "")


def test_keys() -> None:
    watch = _Watch(PLAIN, glance(), Wish(width=80, height=24), 2.0)
    assert watch.press("p")
    assert watch.wish.paused
    assert watch.press("s")
    assert watch.wish.sort == SORTS[1]
    assert watch.press("f")
    assert watch.wish.problems
    assert watch.press("x")
    assert not watch.press("q")


@pytest.mark.parametrize("end", [b"q", b"\x03"])
def test_on_a_terminal_it_shows_itself_and_gives_the_terminal_back(api: FakeApi, end: bytes) -> None:
    api.replies["GET /glance"] = glance()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    before = termios.tcgetattr(theirs)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HAULAGE_")}
    environment |= {"HAULAGE_HOME": api.home, "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-c", "import sys; from haulage.cli.main import main; sys.exit(main(['top']))"]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        # Whoever runs the tests in the background has the signal ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        said = _read_until(ours, b"q quit")
        assert b"Haulage HQ1" in said
        assert b"\x1b[31m" not in said
        if end == b"\x03":
            process.send_signal(signal.SIGINT)
        else:
            os.write(ours, end)
        said = _read_until(ours, b"\x1b[?1049l")
        assert process.wait(20) == 0
        assert termios.tcgetattr(theirs)[3] == before[3]
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def _read_until(fd: int, mark: bytes) -> bytes:
    clock, said = SystemClock(), b""
    end = clock.monotonic() + 30
    while mark not in said:
        assert clock.monotonic() < end, said
        if select.select([fd], [], [], 0.2)[0]:
            said += os.read(fd, 65536)
    return said
