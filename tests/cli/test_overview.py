"""haulage overview: each cause once, the figures, and the whole as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from haulage.cli.overview import what
from tests.cli.fake_api import Ask, FakeApi

NEED: dict[str, Any] = {
    "kind": "space",
    "severity": "error",
    "count": 37,
    "at_least": False,
    "words": "transfers wait for space",
    "cause": "CHI/SHOP is full.\x1b[2J",
    "next": "Free space there.",
    "code": "no-space-at-point",
    "since": None,
    "examples": [{"package": "HQ100001", "place": "CHI/SHOP"}],
}
NAMES = ("moving", "verifying", "waiting", "held", "retrying", "failed", "late", "present", "packages", "sites", "away")
VIEW: dict[str, Any] = {"needs": [NEED], "totals": dict.fromkeys(NAMES, 0) | {"waiting": 37, "sites": 2}}


def test_each_cause_is_one_line_with_the_next_step_and_the_figures_follow(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /overview"] = VIEW
    code, out, _err = ask("overview")
    assert code == 0
    for said in (
        "37 transfers wait for space",
        "HQ100001 at CHI/SHOP",
        "Free space there.",
        "0 moving, 37 waiting, 0 failed, 2 sites",
    ):
        assert said in " ".join(out.split()), said
    assert "\x1b" not in out


def test_nothing_to_do_is_said(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /overview"] = VIEW | {"needs": []}
    _code, out, err = ask("overview")
    assert "Nothing needs anybody." in out + err


def test_programs_get_all_of_it(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /overview"] = VIEW
    assert json.loads(ask("overview", "-o", "json")[1]) == VIEW


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "37 transfers wait for space: HQ100001 at CHI/SHOP and 36 more"),
        ({"count": 2000, "at_least": True}, "2000+ transfers wait for space: HQ100001 at CHI/SHOP and 1999 more"),
        ({"count": 1, "words": "site is away", "examples": [{"package": "", "place": "CHI"}]}, "1 site is away: CHI"),
        ({"kind": "server"}, "this server"),
    ],
)
def test_what_it_is_stands_in_few_words(change: dict[str, Any], said: str) -> None:
    assert what(NEED | change) == said
