"""What a status message is: a number with a fixed meaning, a sentence with named fields, its cause and its remedy.

The numbers themselves stand in the ``on_*`` modules, all together in ``catalogue.py``.
"""

from __future__ import annotations

import datetime as dt
import enum
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.base.text import shown

FieldValue: TypeAlias = str | int

_GIVEN = frozenset({"package", "place"})
"""Fields of the sentence that come from the record's own columns."""


class Severity(enum.Enum):
    """How bad it is; ``rank`` orders them."""

    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class MessageType(enum.Enum):
    """Milestone: something began or ended. Detail: a step between. Audit: a person asked for it."""

    MILESTONE = "milestone"
    DETAIL = "detail"
    AUDIT = "audit"


class Component(enum.Enum):
    """Who speaks."""

    CATALOG = "catalog"
    TRANSIT = "transit"
    POINTS = "points"
    ESTATE = "estate"
    REPLICATION = "replication"
    STORE = "store"
    SERVER = "server"
    OPERATIONS = "operations"
    KNOWLEDGE = "knowledge"
    FIXES = "fixes"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One numbered message of the catalogue."""

    number: int
    name: str
    severity: Severity
    type: MessageType
    component: Component
    text: str
    """The sentence; ``{name}`` stands for a field, ``{package}`` and ``{place}`` for what the record is about."""
    cause: str
    """What it means."""
    remedy: str
    """What to do."""

    @property
    def fields(self) -> frozenset[str]:
        """The fields a record of this message must bring."""
        return self.mentions - _GIVEN

    @property
    def mentions(self) -> frozenset[str]:
        """Every name in the sentence."""
        return names_in(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecord:
    """One message as it was said: by whom, about what, when. Its identity is (site, epoch, sequence)."""

    site: SiteCode
    epoch: int
    sequence: int
    number: int
    severity: Severity
    type: MessageType
    component: str
    """A :class:`Component` of the version that wrote it; kept as text because a newer site may know more of them."""
    package: PackageId | None
    place: Place | None
    time: dt.datetime
    """By the clock of the site that said it; never used for order."""
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFilter:
    """Which records to list; None or nothing means any."""

    after: int | None = None
    """Only those with a greater local id: the cursor of those who follow."""
    before: int | None = None
    """Only those with a smaller one: the cursor of those who look back."""
    packages: tuple[PackageId, ...] = ()
    places: tuple[Place, ...] = ()
    sites: tuple[SiteCode, ...] = ()
    numbers: tuple[int, ...] = ()
    components: tuple[str, ...] = ()
    types: tuple[MessageType, ...] = ()
    at_least: Severity = Severity.INFORMATION
    since: dt.datetime | None = None
    """Received here at or after this moment…"""
    until: dt.datetime | None = None
    """…and before this one."""
    words: tuple[str, ...] = ()
    """Each stands in the sentence or in a field, in large or small letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A stored record with its local id (a cursor) and when it reached this site."""

    id: int
    received: dt.datetime
    record: StatusRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One look at the journal."""

    rows: Sequence[Listed]
    """In the order they came here."""
    more: int | None
    """Where the next look goes on; None at the end. A look examines a bounded number of records, so one that found nothing may
    have more before it."""


def sentence(record: StatusRecord, message: Message | None) -> str:
    """The record as one line for people. ``message`` is None when this version does not know the number."""
    if message is None:
        listed = ", ".join(f"{name}={shown(str(value))}" for name, value in sorted(record.fields.items()))
        return f"Message {record.number}, which this version does not know: {listed}"
    text = _filled(message.text, record)
    left_out = record.fields.get("left_out")
    return f"{text} ({left_out} more like it were counted, not kept.)" if left_out else text


def advice(record: StatusRecord, message: Message) -> str:
    """What to do about this very record."""
    return _filled(message.remedy, record)


def _filled(template: str, record: StatusRecord) -> str:
    values = {name: shown(str(value)) for name, value in record.fields.items()}
    values.update(package=record.package or "?", place=record.place or "?")
    return template.format_map({name: values.get(name, "?") for name in names_in(template)})


def names_in(template: str) -> frozenset[str]:
    """The names in braces of a template."""
    return frozenset(name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name)
