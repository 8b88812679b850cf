"""Who is heard of, and how that is known: neighbours by their own word, sites further away by what their neighbours say of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from haulage.base.clock import iso, parse_iso
from haulage.base.ids import SiteCode
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.replication import records as replication
from haulage.domain.reporting import records
from haulage.engine.database.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """From where, and when, something is looked at. ``heard``: when each neighbour was last heard since this server started, which
    is newer than what the tables say."""

    code: SiteCode
    now: dt.datetime
    heard: Mapping[SiteCode, dt.datetime] = field(default_factory=dict)
    away_seconds: float
    """Who was not heard for so long is away."""


class LinkView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a site is reached. ``state``: here, connected, away, behind, told, never, unknown."""

    state: str
    heard: str | None = None
    """When its own word last came here; None where only others can hear it."""
    away_since: str | None = None
    said_by: str = ""
    """The site that says so, unless it is this one; with ``behind`` the site that is away in between."""
    backlog: int | None = None
    """Messages this site still has to tell it; None where it is no neighbour."""
    messages_sent: int = 0
    messages_acknowledged: int = 0
    messages_received: int = 0
    bytes_sent: int = 0


class Contacts:
    """Read once, asked for every site."""

    def __init__(self, tx: Transaction, sight: Sight, tree: Hierarchy, *, full: bool = True) -> None:
        """``full``: also count what waits for each neighbour."""
        self._sight = sight
        self._tree = tree
        self._streams = {stream.peer: stream for stream in replication.list_streams(tx)}
        self._backlog = replication.count_dirty_of_all(tx) if full else {}
        self._said: dict[SiteCode, tuple[SiteCode, bool, str]] = {}
        for who, child, away, since in records.said_away(tx):
            if tree.parent(child) == who and child not in self._said and who != sight.code:
                self._said[child] = (who, away, since)
        parent = tree.parent(sight.code)
        near = {*tree.children(sight.code), *({parent} if parent else ())}
        self._near = {code: self._of_neighbour(code) for code in near}
        self._away = {code for code, link in self._near.items() if link.state == "away"}
        self._away |= {code for code, (_who, away, _since) in self._said.items() if away and code not in self._near}
        self._reached: dict[SiteCode, bool] = {sight.code: True}

    def link(self, code: SiteCode) -> LinkView:
        """Of one site."""
        if code == self._sight.code:
            return LinkView(state="here")
        near = self._near.get(code)
        if near is not None:
            return near
        if code in self._away:
            who, _away, since = self._said[code]
            return LinkView(state="away", away_since=_moment(since) or None, said_by=who)
        silent = self._silent_between(code)
        if silent is not None:
            return LinkView(state="behind", said_by=silent)
        return LinkView(state="told", said_by=self._tree.parent(code) or "") if self._below(code) else LinkView(state="unknown")

    def is_away(self, code: SiteCode) -> bool:
        """Whether a site itself is away."""
        return code in self._away

    def hears(self, code: SiteCode) -> bool:
        """Whether what is known of a site is what it says now: nobody on the way is away, and there is a way."""
        near = self._near.get(code)
        if near is not None:
            return near.state != "never"
        parent = self._tree.parent(code)
        return code == self._sight.code or (parent is not None and self._reaches(parent))

    def _reaches(self, code: SiteCode) -> bool:
        """Whether the children of a site can be heard of."""
        known = self._reached.get(code)
        if known is None:
            parent = self._tree.parent(code)
            known = self._reached[code] = code not in self._away and parent is not None and self._reaches(parent)
        return known

    def _below(self, code: SiteCode) -> bool:
        return self._tree.is_within(code, self._sight.code)

    def _of_neighbour(self, code: SiteCode) -> LinkView:
        stream = self._streams.get(code)
        heard = max(
            (one for one in (self._sight.heard.get(code), stream.heard if stream else None) if one is not None), default=None
        )
        away = heard is not None and (self._sight.now - heard).total_seconds() > self._sight.away_seconds
        return LinkView(
            state="never" if heard is None else "away" if away else "connected",
            heard=None if heard is None else iso(heard),
            away_since=iso(heard) if away and heard is not None else None,
            backlog=self._backlog.get(code, 0),
            messages_sent=0 if stream is None else stream.out_next - 1,
            messages_acknowledged=0 if stream is None else stream.out_acknowledged,
            messages_received=0 if stream is None else stream.in_sequence,
            bytes_sent=0 if stream is None else stream.out_bytes,
        )

    def _silent_between(self, code: SiteCode) -> SiteCode | None:
        """A site on the way from here that is away: what is below it is heard of when it is back."""
        for above in self._tree.upwards(code):
            if above == self._sight.code:
                return None
            if above != code and above in self._away:
                return above
        return None


def _moment(text: str) -> str:
    """A moment as another site wrote it; nothing, if it is none."""
    try:
        return iso(parse_iso(text))
    except ValueError:
        return ""
