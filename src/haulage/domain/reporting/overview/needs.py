"""What needs a person: each with its cause, the next step and the place where it is done; many alike are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.catalog.model import CaptureState
from haulage.domain.reporting.contact import LinkView
from haulage.domain.reporting.overview import records
from haulage.domain.reporting.overview.records import LOOKED_AT, Alike
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction

MOST = 40
MANY_TRIES = 5
"""What failed so often in a row deserves a look, although it is tried again by itself."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One of those that are alike: a package, a place, or a package at a place; what does not apply is empty."""

    package: str = ""
    place: str = ""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One thing for a person to do, or to look at."""

    kind: str
    """``failed``, ``person``, ``space``, ``retrying``, ``capture``, ``away``, ``server``."""
    severity: str
    """``error`` or ``warning``."""
    count: int
    at_least: bool
    """Whether there may be more than were counted."""
    words: str
    """What it is, without the number."""
    cause: str
    next: str
    code: str
    """Of the error, if there is one."""
    since: str | None
    examples: Sequence[Example] = ()


_KINDS: tuple[tuple[str, str, ShipmentState, Reason, str, str], ...] = (
    ("failed", "error", ShipmentState.FAILED, Reason.NONE, "transfer failed", "transfers failed"),
    ("person", "error", ShipmentState.WAITING, Reason.PERSON, "transfer waits for somebody", "transfers wait for somebody"),
    ("space", "error", ShipmentState.WAITING, Reason.SPACE, "transfer waits for space", "transfers wait for space"),
    ("retrying", "warning", ShipmentState.RETRYING, Reason.NONE, "transfer keeps failing", "transfers keep failing"),
)
_NEXT = {
    "failed": "Publish a version that can be taken, or ask for a retry.",
    "person": "Mend what the cause says; it is looked at again by itself.",
    "space": "Free space at the place; it goes on by itself.",
    "retrying": "They are tried again by themselves; mend the cause to make it sooner.",
}


def needs(tx: Transaction, away: Mapping[SiteCode, LinkView], findings: Sequence[Mapping[str, object]]) -> list[Need]:
    """Everything, errors first, then by how many it concerns. ``findings`` are what is wrong with this server."""
    found = [*_of_server(findings), *_of_captures(tx), *_of_shipments(tx), *_of_sites(away)]
    return sorted(found, key=lambda one: (one.severity != "error", -one.count))[:MOST]


def _of_shipments(tx: Transaction) -> Iterator[Need]:
    for kind, severity, state, reason, one, many in _KINDS:
        rows: Iterable[Alike] = records.alike(tx, state, reason)
        if kind == "retrying":
            rows = [row for row in rows if row.tries >= MANY_TRIES]
        for row in rows:
            yield Need(
                kind=kind,
                severity=severity,
                count=row.count,
                at_least=row.count >= LOOKED_AT,
                words=one if row.count == 1 else many,
                cause=row.message,
                next=row.hint or _NEXT[kind],
                code=row.error_code,
                since=iso(row.since),
                examples=[Example(package=package, place=place) for package, place in row.examples],
            )


def _of_captures(tx: Transaction) -> Iterator[Need]:
    for one in records.captures(tx, [CaptureState.FAILED], MOST):
        yield Need(
            kind="capture",
            severity="error",
            count=1,
            at_least=False,
            words=f"package could not be captured: {one.name}",
            cause=one.message,
            next=one.hint,
            code=one.error_code,
            since=None if one.finished is None else iso(one.finished),
            examples=[Example(package=PackageId(one.package))],
        )


def _of_sites(away: Mapping[SiteCode, LinkView]) -> Iterator[Need]:
    if away:
        since = min((link.away_since for link in away.values() if link.away_since), default=None)
        yield Need(
            kind="away",
            severity="warning",
            count=len(away),
            at_least=False,
            words="site is away" if len(away) == 1 else "sites are away",
            cause="Its server was not heard for minutes." if len(away) == 1 else "Their servers were not heard for minutes.",
            next="See that the server runs there and that the line is up; everything owed goes on by itself when it is back.",
            code="",
            since=since,
            examples=[Example(place=Place(code)) for code in list(away)[: records.EXAMPLES]],
        )


def _of_server(findings: Sequence[Mapping[str, object]]) -> Iterator[Need]:
    for one in findings:
        if one["severity"] in ("error", "warning"):
            yield Need(
                kind="server",
                severity=str(one["severity"]),
                count=1,
                at_least=False,
                words="of this server",
                cause=str(one["what"]),
                next=str(one["hint"]),
                code=str(one["code"]),
                since=None,
            )
