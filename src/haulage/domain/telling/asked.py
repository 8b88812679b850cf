"""A filter of status messages as people write it, in an address, on a command line or in a form, made into one the journal takes.
Pure but for the tree of sites."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from haulage.base.errors import UsageError
from haulage.base.ids import SiteCode, package_id, place, site_code
from haulage.domain.estate import records as estate
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.message import MessageType, Severity, StatusFilter

MOST_VALUES = 100
TEXT_CHARACTERS = 200
MOST_WORDS = 8
_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SEVERITIES = {severity.value: severity for severity in Severity}
_TYPES = {kind.value: kind for kind in MessageType}

Value = TypeVar("Value")


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which messages. Several packages, places, sites, numbers, types and components are separated by commas."""

    package: str | None = None
    place: str | None = None
    site: str | None = None
    below: str | None = None
    """Sites: what they and all below them said."""
    number: str | None = None
    severity: str | None = None
    """The least."""
    type: str | None = None
    component: str | None = None
    since: str | None = None
    """A moment in ISO 8601, or how long ago: 90s, 15m, 2h, 7d."""
    until: str | None = None
    text: str | None = None
    """Words that must all stand in the sentence or the fields."""

    def filter(self, tx: Transaction, now: dt.datetime) -> StatusFilter:
        """As the journal takes it. Raises UsageError naming what makes no sense."""
        return StatusFilter(
            packages=_several(self.package, package_id),
            places=_several(self.place, place),
            sites=self._sites(tx),
            numbers=_several(self.number, _number),
            components=_several(self.component, _component),
            types=_several(self.type, _type),
            at_least=_severity(self.severity) if self.severity else Severity.INFORMATION,
            since=_moment(self.since, now) if self.since else None,
            until=_moment(self.until, now) if self.until else None,
            words=_words(self.text or ""),
        )

    def _sites(self, tx: Transaction) -> tuple[SiteCode, ...]:
        named = _several(self.site, site_code)
        if not self.below:
            return named
        tree, tops = estate.hierarchy(tx), _several(self.below, site_code)
        if tree.central in tops and not named:
            return ()  # everything that is known here is below it
        # Of a site nobody knows only its own messages can be here.
        below = dict.fromkeys(code for top in tops for code in tree.subtree(top) or [top])
        both = [code for code in below if not named or code in named]
        return tuple(both) if both else (NOBODY,)


NOBODY = SiteCode("")
"""No site has this code: what two filters that exclude each other leave."""


def _several(text: str | None, read: Callable[[str], Value]) -> tuple[Value, ...]:
    if not text:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MOST_VALUES:
        raise UsageError("too-many-values", f"{len(parts)} values are given where {MOST_VALUES} are the most.", "Ask twice.")
    return tuple(dict.fromkeys(read(part) for part in parts if part))


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise UsageError("bad-number", f"{text[:40]!r} is not a message number.", "haulage status list shows numbers.")
    return int(text)


def _component(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9-]{0,39}", text):
        raise UsageError("bad-component", f"{text[:40]!r} is not a component.", "haulage status list -o json shows components.")
    return text


def _type(text: str) -> MessageType:
    return _one_of(text, _TYPES, "bad-type", "type of message")


def _severity(text: str) -> Severity:
    return _one_of(text, _SEVERITIES, "bad-severity", "severity")


def _one_of(text: str, words: dict[str, Value], code: str, what: str) -> Value:
    if text not in words:
        raise UsageError(code, f"{text[:40]!r} is no {what}.", f"Use one of {_listed(words)}.")
    return words[text]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return now - dt.timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            "bad-moment", f"{text[:40]!r} is no moment.", "Write 2026-01-31T08:00:00Z, 2026-01-31, or 2h ago as 2h."
        ) from None


def _words(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.split()))
    if len(text) > TEXT_CHARACTERS or len(words) > MOST_WORDS:
        most = f"{TEXT_CHARACTERS} characters in {MOST_WORDS} words"
        raise UsageError("bad-text", f"A text to look for has at most {most}.", "Look for the words that matter.")
    return words
