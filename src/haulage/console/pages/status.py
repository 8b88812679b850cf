"""Status messages: the list with every filter in its address, one message, the numbers, one number; and who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from haulage.base.errors import NotFoundError
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.telling.asked import Asked
from haulage.domain.telling.reading import (
    MessageList,
    audit_of,
    every_message,
    message_list,
    number_list,
    one_message,
    one_number,
)
from haulage.server.core import SiteCore


class StatusQuery(Asked, frozen=True, forbid_unknown_fields=False, kw_only=True):
    """Parameters of the list; ``before``: older than this one."""

    before: int | None = None


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the audit: by whom, about what, when."""

    actor: str = ""
    about: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """What people asked for."""

    actor: str
    about: str
    since: str
    until: str
    messages: MessageList


def status_pages(core: SiteCore) -> tuple[Page, ...]:
    """The list and what hangs on it. An address with a name in it stands behind those it would take for its own."""

    def listed(visit: Visit) -> Shown:
        asked: StatusQuery = visit.query
        with core.database.reading() as tx:
            view = message_list(tx, core.journal, asked, now=visit.service.clock.now(), before=asked.before)
        return Shown(title="Status messages", view=view)

    def every(visit: Visit) -> Iterator[Mapping[str, object]]:
        return every_message(core.database, core.journal, visit.query, visit.service.clock.now())

    def numbers(visit: Visit) -> Shown:
        return Shown(title="Message numbers", view=number_list(visit.query))

    def number(visit: Visit) -> Shown:
        with core.database.reading() as tx:
            view = one_number(tx, core.journal, core.librarian, _whole(visit.path["number"], "number"))
        return Shown(title=f"Message {view.meaning['number']}", view=view)

    def one(visit: Visit) -> Shown:
        with core.database.reading() as tx:
            view = one_message(tx, core.journal, core.librarian, _whole(visit.path["message"], "id"))
        if view is None:
            raise _no_message(visit.path["message"])
        return Shown(title=f"Status message {view.message['number']}", view=view)

    def rows(visit: Visit) -> Iterator[Mapping[str, object]]:
        return iter(number_list(visit.query).items)

    return (
        Page(path="/status", template="status.html", show=listed, query=StatusQuery, place="status", live=True, rows=every),
        Page(path="/status/numbers", template="status_numbers.html", show=numbers, query=StatusQuery, place="status", rows=rows),
        Page(path="/status/numbers/{number}", template="status_number.html", show=number, place="status"),
        Page(path="/status/{message}", template="status_one.html", show=one, place="status"),
        _audit_page(core),
    )


def _audit_page(core: SiteCore) -> Page:
    def show(visit: Visit) -> Shown:
        asked: AuditQuery = visit.query
        wanted, keep = audit_of(asked.actor, asked.about, asked.since, asked.until)
        with core.database.reading() as tx:
            found = message_list(tx, core.journal, wanted, now=visit.service.clock.now(), before=asked.before, keep=keep)
        view = AuditPage(actor=asked.actor, about=asked.about, since=asked.since, until=asked.until, messages=found)
        return Shown(title="Audit", view=view)

    def every(visit: Visit) -> Iterator[Mapping[str, object]]:
        asked: AuditQuery = visit.query
        wanted, keep = audit_of(asked.actor, asked.about, asked.since, asked.until)
        return every_message(core.database, core.journal, wanted, visit.service.clock.now(), keep)

    return Page(path="/audit", template="audit.html", show=show, query=AuditQuery, place="audit", rows=every)


def _whole(text: str, what: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise _no_message(text) if what == "id" else NotFoundError("no-such-message", f"There is no number {text[:40]!r}.", "")
    return int(text)


def _no_message(text: str) -> NotFoundError:
    return NotFoundError("no-such-message", f"There is no status message {text[:40]!r} here.", "It may have expired: see /status.")
