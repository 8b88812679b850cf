"""Status messages as pages show them: a filtered list newest first, one message with what is around it, the numbers there are, and
who did what. Each look is bounded, however many messages there are."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from haulage.domain.knowledge.diagnosis import likely
from haulage.domain.knowledge.librarian import Librarian
from haulage.domain.telling.asked import Asked
from haulage.domain.telling.views import View, number_view, status_view
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.status import catalogue
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Listed, MessageType, Severity, StatusFilter, advice
from haulage.engine.status.records import WINDOW

ROWS = 50
LOOKS = 5
"""So many looks a page takes at most before it says that more is to be looked through."""
NEAR = 5
SLICE = 500

Keep = Callable[[Listed], bool]


class MessageList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of messages, newest first. ``older`` is the id from which the next page goes back; None at the end."""

    query: Mapping[str, str]
    items: Sequence[View]
    older: int | None
    counts: Mapping[str, int]
    """By severity, of the newest that fit the narrowest part of the filter; ``counted_all`` says whether these are all."""
    counted_all: bool


class OneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message with what it means, what is known about it, and what was said before and after about the same."""

    message: View
    meaning: View | None
    """None if this version does not know the number."""
    advice: str
    articles: Sequence[View]
    before: Sequence[View]
    after: Sequence[View]
    about: Mapping[str, str]
    """What the neighbours have in common, as a filter."""


class NumberList(msgspec.Struct, frozen=True, kw_only=True):
    """Every number that fits."""

    query: Mapping[str, str]
    items: Sequence[View]
    components: Sequence[str]


class OneNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number, what is known about it, and when it was said last."""

    meaning: View
    articles: Sequence[View]
    latest: Sequence[View]


def message_list(
    tx: Transaction, journal: Journal, asked: Asked, *, now: dt.datetime, before: int | None, keep: Keep = lambda _one: True
) -> MessageList:
    """A page. Raises UsageError for a filter that makes no sense."""
    wanted = asked.filter(tx, now)
    counts = journal.count(tx, wanted)
    rows: list[Listed] = []
    older = before
    for _look in range(LOOKS):
        found = journal.look(tx, dataclasses.replace(wanted, before=older), limit=ROWS - len(rows), newest=True)
        rows += [one for one in reversed(found.rows) if keep(one)]
        older = found.more
        if older is None or len(rows) >= ROWS:
            break
    return MessageList(
        query=query_of(asked),
        items=[status_view(one) for one in rows],
        older=older,
        counts={severity.value: counts.get(severity, 0) for severity in reversed(Severity)},
        counted_all=(before is None and older is None) or (sum(counts.values()) < WINDOW and _is_one_part(wanted)),
    )


def every_message(
    database: Database, journal: Journal, asked: Asked, now: dt.datetime, keep: Keep = lambda _one: True
) -> Iterator[View]:
    """All that fit, newest first, each slice in a transaction of its own."""
    before: int | None = None
    while True:
        with database.reading() as tx:
            found = journal.look(tx, dataclasses.replace(asked.filter(tx, now), before=before), limit=SLICE, newest=True)
        yield from (status_view(one) for one in reversed(found.rows) if keep(one))
        before = found.more
        if before is None:
            return


def one_message(tx: Transaction, journal: Journal, librarian: Librarian, local_id: int) -> OneMessage | None:
    """A message; None if there is none."""
    found = journal.get(tx, local_id)
    if found is None:
        return None
    record, known = found.record, catalogue.MESSAGES.get(found.record.number)
    same = _same(found)
    before = journal.look(tx, dataclasses.replace(same, before=local_id), limit=NEAR, newest=True).rows
    after = journal.look(tx, dataclasses.replace(same, after=local_id), limit=NEAR).rows
    view = status_view(found)
    articles: list[View] = []
    if record.severity is not Severity.INFORMATION:
        articles = likely(tx, record.site, librarian, str(view["text"]), messages=[record.number])
    return OneMessage(
        message=view,
        meaning=None if known is None else number_view(known),
        advice="" if known is None else advice(record, known),
        articles=articles,
        before=[status_view(one) for one in reversed(before)],
        after=[status_view(one) for one in reversed(after)],
        about={"package": record.package or "", "place": record.place or ""}
        if record.package or record.place
        else {"site": record.site},
    )


def number_list(asked: Asked) -> NumberList:
    """Every number whose message has the severity, the type, the component and the words asked for."""
    words = (asked.text or "").lower().split()
    rows = []
    for message in catalogue.MESSAGES.values():
        text = f"{message.number} {message.name} {message.text} {message.cause} {message.remedy}".lower()
        fits = asked.severity in (None, "", message.severity.value) and asked.type in (None, "", message.type.value)
        if fits and asked.component in (None, "", message.component.value) and all(word in text for word in words):
            rows.append(number_view(message))
    components = sorted({message.component.value for message in catalogue.MESSAGES.values()})
    return NumberList(query=query_of(asked), items=rows, components=components)


def one_number(tx: Transaction, journal: Journal, librarian: Librarian, number: int) -> OneNumber:
    """A number. Raises NotFoundError ``no-such-message``."""
    message = catalogue.explain(number)
    latest = journal.look(tx, StatusFilter(numbers=(number,)), limit=NEAR, newest=True).rows
    return OneNumber(
        meaning=number_view(message),
        articles=likely(tx, journal.site, librarian, message.name, messages=[number]),
        latest=[status_view(one) for one in reversed(latest)],
    )


def audit_of(actor: str, about: str, since: str, until: str) -> tuple[Asked, Keep]:
    """A filter of what people asked for: by whom, about what (a package, a place, or a word), when."""
    kinds = MessageType.AUDIT.value
    asked = Asked(type=kinds, since=since or None, until=until or None, text=" ".join((actor, about)).strip() or None)

    def keep(one: Listed) -> bool:
        return not actor or actor.lower() in str(one.record.fields.get("actor", "")).lower()

    return asked, keep


def query_of(asked: Asked) -> dict[str, str]:
    """What of a filter is set, as an address has it."""
    return {name: str(value) for name, value in msgspec.structs.asdict(asked).items() if value and name in _NAMES}


_NAMES = frozenset(each.name for each in msgspec.structs.fields(Asked))


def _is_one_part(wanted: StatusFilter) -> bool:
    """Whether nothing of the filter is left after its narrowest part, so that what was counted is all."""
    parts = (wanted.packages, wanted.places, wanted.sites, wanted.numbers, wanted.components, wanted.types, wanted.words)
    rest = (wanted.since, wanted.until, wanted.at_least is not Severity.INFORMATION)
    return sum(map(bool, (*parts, *rest))) <= 1


def _same(found: Listed) -> StatusFilter:
    record = found.record
    if record.package is None and record.place is None:
        return StatusFilter(sites=(record.site,))
    packages = (record.package,) if record.package is not None else ()
    return StatusFilter(packages=packages, places=(record.place,) if record.place is not None else ())
