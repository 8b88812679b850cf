"""What ``haulage top`` shows, as lines that fit a terminal of any size: health, links, what moves, what is stuck, what was said.
Pure but for the widths of characters; knows no terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.cells import cell_len, set_cell_size

from haulage.base.text import shown
from haulage.cli.output import Row, size_text

Tone = Literal["plain", "head", "bad", "warm", "good", "quiet"]
SORTS: tuple[str, ...] = ("package", "place", "rate", "done")
LEAST_WIDTH, LEAST_HEIGHT = 40, 10
_BAR = 12
_TONES: Mapping[str, Tone] = {
    "failed": "bad",
    "stuck": "bad",
    "error": "bad",
    "away": "warm",
    "late": "warm",
    "retrying": "warm",
    "warning": "warm",
    "waiting": "bad",
    "well": "good",
    "connected": "good",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, cut to the width."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How it is looked at."""

    width: int
    height: int
    sort: str = "package"
    problems: bool = False
    """Only what is wrong."""
    paused: bool = False
    trouble: str = ""
    """Why what is shown is old."""
    keys: bool = True
    """Whether the last line tells the keys."""


def frame(view: Row, wish: Wish) -> list[Line]:
    """The lines, at most as many as fit."""
    width, height = max(wish.width, LEAST_WIDTH), max(wish.height, LEAST_HEIGHT)
    top = [_head(view, wish), _counts("sites", view["sites"]), _counts("transfers", _states(view["transfers"]))]
    foot = [Line(text="q quit  p pause  s sort  f problems only", tone="quiet")] if wish.keys else []
    parts = [
        _part(
            "Links", [_neighbour(row, view["time"]) for row in view["neighbours"] if not wish.problems or _is_bad(row)], "no links"
        ),
        *([] if wish.problems else [_part(f"Moving, by {wish.sort}", _moving(view["moving"], wish.sort, width), "nothing moves")]),
        _part("Stuck", [_stuck(row) for row in view["stuck"]], "nothing is stuck"),
        _part("Messages", [_message(row) for row in view["messages"]], "nothing was said"),
    ]
    room = height - len(top) - len(foot) - len(parts)
    out = list(top)
    for (title, lines), share in zip(parts, _shares([len(lines) for _title, lines in parts], room), strict=True):
        more = f" ({len(lines) - share} more)" if len(lines) > share else ""
        out += [Line(text=f"{title}{more}", tone="head"), *lines[:share]]
    out += [Line(text="")] * (height - len(out) - len(foot)) if wish.keys else []
    return [Line(text=_fit(line.text, width), tone=line.tone) for line in [*out[: height - len(foot)], *foot]]


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """Room for each part: what little it wants, and the rest evenly among those that want more."""
    shares = [0] * len(wanted)
    left = max(room, 0)
    while left > 0 and any(share < want for share, want in zip(shares, wanted, strict=True)):
        for index, want in enumerate(wanted):
            if left and shares[index] < want:
                shares[index] += 1
                left -= 1
    return shares


def _part(title: str, lines: list[Line], empty: str) -> tuple[str, list[Line]]:
    return title, lines or [Line(text=f"  {empty}", tone="quiet")]


def _head(view: Row, wish: Wish) -> Line:
    how = "paused" if wish.paused else "live"
    tail = f"not live: {wish.trouble}" if wish.trouble else how
    clock = dt.datetime.fromisoformat(view["time"]).strftime("%Y-%m-%d %H:%M:%SZ")
    return Line(text=f"Haulage {view['site']}  {clock}  {tail}", tone="bad" if wish.trouble else "head")


def _counts(what: str, figures: Mapping[str, int]) -> Line:
    told = "  ".join(f"{count} {name}" for name, count in figures.items() if count)
    worst: Tone = next((_TONES.get(name, "plain") for name, count in figures.items() if count), "plain")
    return Line(text=f"{what + ':':<10} {told or 'none'}", tone=worst if worst in ("bad", "warm") else "plain")


def _states(figures: Mapping[str, int]) -> dict[str, int]:
    order = ("failed", "late", "retrying", "moving", "verifying", "planned", "waiting", "removing", "held")
    return {name: figures.get(name, 0) for name in order}


def _is_bad(row: Row) -> bool:
    return _TONES.get(row["health"]) in ("bad", "warm")


def _neighbour(row: Row, now: str) -> Line:
    link = row["link"]
    heard = f"heard {_ago(link['heard'], now)}" if link["heard"] else "never heard"
    backlog = f"{link['backlog']} to tell" if link["backlog"] else ""
    kind = "parent" if row["is_parent"] else "child"
    text = f"  {row['code']}  {kind:<6}  {link['state']:<9}  {heard:<17}  {row['health']:<7}  {backlog:<12}  {row['name']}"
    return Line(text=text, tone=_TONES.get(row["health"], "plain"))


def _moving(rows: Sequence[Row], sort: str, width: int) -> list[Line]:
    keys: Mapping[str, Callable[[Row], Any]] = {
        "package": lambda row: (row["package"], row["place"]),
        "place": lambda row: (row["place"], row["package"]),
        "rate": lambda row: -row["rate"],
        "done": lambda row: -_share(row),
    }
    return [_move(row, width) for row in sorted(rows, key=keys[sort])]


def _move(row: Row, width: int) -> Line:
    share = _share(row)
    full = round(share * _BAR)
    rate = f"{size_text(row['rate'])}/s" if row["rate"] else "-"
    head = f"  {row['package']}:{row['version']:<4} {row['place']:<14} [{'#' * full}{'.' * (_BAR - full)}] {share:>4.0%}"
    when = "" if not row["eta"] else " there " + dt.datetime.fromisoformat(row["eta"]).strftime("%H:%M")
    wide = f"  {row['name']}" if width > 90 else ""
    return Line(text=f"{head}  {rate:>11}{when}{wide}")


def _share(row: Row) -> float:
    planned = row["bytes_planned"]
    return min(1.0, row["bytes_done"] / planned) if planned else 0.0


def _stuck(row: Row) -> Line:
    why = row["error"]["message"] if row["error"] else row["late_why"] or row["reason"]
    text = f"  {row['package']}:{row['version']:<4} {row['place']:<14} {row['state']:<8} {why}"
    return Line(text=text, tone=_TONES.get(row["state"], "plain"))


def _message(row: Row) -> Line:
    clock = dt.datetime.fromisoformat(row["time"]).strftime("%H:%M:%S")
    return Line(text=f"  {clock} {row['number']:>5} {row['site']} {row['text']}", tone=_TONES.get(row["severity"], "plain"))


def _ago(moment: str, now: str) -> str:
    seconds = max(0, round((dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(moment)).total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _fit(text: str, width: int) -> str:
    """No longer than the width, with nothing in it that could move a cursor."""
    plain = shown(text.rstrip(), limit=1000)
    return plain if cell_len(plain) <= width else set_cell_size(plain, width - 1).rstrip() + "…"
