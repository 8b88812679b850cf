"""Moments and spans of time as people read them. Pure: it is told what the time is."""

from __future__ import annotations

import datetime as dt

_STEPS: tuple[tuple[float, float, str], ...] = (
    (90, 1, "s"),
    (90 * 60, 60, "min"),
    (36 * 3600, 3600, "h"),
    (60 * 86400, 86400, "days"),
)
"""Below so many seconds, in units of so many, called so."""


def parsed(value: dt.datetime | str | None) -> dt.datetime | None:
    """A moment as views carry it: ISO 8601 with Z, or aware already; None for none."""
    if value is None or value == "":
        return None
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value


def moment(value: dt.datetime | str | None) -> str:
    """To the second, in UTC: 2026-11-23 03:10:22 UTC."""
    found = parsed(value)
    return "" if found is None else f"{found.replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def minute(value: str) -> str:
    """A moment as views carry it, to the minute, without its zone: 2026-11-23 03:10."""
    return value[:16].replace("T", " ")


def ago(value: dt.datetime | str | None, now: dt.datetime) -> str:
    """How long ago, or how far ahead, in one unit: 4 min ago, in 2 h, just now; "never" for none."""
    found = parsed(value)
    if found is None:
        return "never"
    seconds = (now - found).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    span = duration(abs(seconds))
    return f"{span} ago" if seconds > 0 else f"in {span}"


def duration(seconds: float) -> str:
    """A span in one unit; months and years in days would say nothing, so those are given too."""
    for below, unit, name in _STEPS:
        if seconds < below:
            return f"{max(1, round(seconds / unit))} {name}"
    months = seconds / (30.44 * 86400)
    return f"{round(months)} months" if months < 24 else f"{round(months / 12)} years"
