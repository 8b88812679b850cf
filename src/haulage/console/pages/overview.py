"""The first page: what needs a person, what moves, what changed today. On a site where nothing was made yet it leads into the first
run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from haulage.base.clock import parse_iso
from haulage.console.frame.moments import moment
from haulage.console.frame.page import Page, Shown, Visit
from haulage.console.frame.rendering import size
from haulage.domain.people.roles import Role
from haulage.domain.reporting.overview.view import Overview, overview
from haulage.domain.transit.hourly import traffic_view
from haulage.server.service import Service
from haulage.server.sight import sight_of

REMEMBERED_SECONDS = 30.0
"""What is dear to find out and changes slowly is asked for so often at most, however many windows are open."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of the chart."""

    label: str
    seconds: int
    value: int
    words: str


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes over lines between sites, the last 24 hours; reused are those that did not have to cross."""

    bytes_wire: int
    bytes_reused: int
    hours: Sequence[Bar]


class OverviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """What is known, and the traffic."""

    overview: Overview
    traffic: Traffic


class Remembered:
    """The answer of a question for a while. Any thread may ask."""

    def __init__(self, ask: Callable[[], Any], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._answer: Any = None

    def __call__(self) -> Any:
        """The answer, at most ``REMEMBERED_SECONDS`` old."""
        with self._lock:
            if self._clock() >= self._until:
                self._answer = self._ask()
                self._until = self._clock() + REMEMBERED_SECONDS
            return self._answer


def overview_page(service: Service) -> Page:
    """The page."""
    clock = service.clock.monotonic
    findings: Callable[[], Sequence[Mapping[str, object]]] = Remembered(service.troubles, clock)
    traffic: Callable[[], Traffic] = Remembered(lambda: _traffic(service), clock)

    def show(visit: Visit) -> Shown:
        # What is wrong with the server names its files.
        wrong = findings() if visit.caller.role >= Role.ADMINISTRATOR else ()
        core = service.core
        with core.database.reading() as tx:
            view = overview(tx, sight_of(service), core.journal, wrong)
        return Shown(title="Overview", view=OverviewPage(overview=view, traffic=traffic()))

    return Page(path="/", template="overview.html", show=show, place="overview", live=True)


def _traffic(service: Service) -> Traffic:
    with service.core.database.reading() as tx:
        view: Any = traffic_view(tx, now=service.clock.now())
    return Traffic(
        bytes_wire=view["bytes_wire"],
        bytes_reused=view["bytes_reused"],
        hours=[_bar(row) for row in view["rows"]],
    )


def _bar(row: Mapping[str, Any]) -> Bar:
    hour, wire = str(row["hour"]), int(row["bytes_wire"])
    return Bar(label=moment(hour)[:16], seconds=int(parse_iso(hour).timestamp()), value=wire, words=size(wire))
