"""What API, console and those who are told see of status messages."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from haulage.base.clock import iso
from haulage.base.notify_settings import Chosen, EmailSettings, WebhookSettings
from haulage.domain.telling.notifier import Progress
from haulage.engine.status import catalogue
from haulage.engine.status.message import Listed, Message, sentence

View = dict[str, object]


def status_view(listed: Listed) -> View:
    """One message in the stable form scripts rely on; ``id`` is this server's cursor."""
    record = listed.record
    return {
        "id": listed.id,
        "sequence": record.sequence,
        "number": record.number,
        "severity": record.severity.value,
        "type": record.type.value,
        "site": record.site,
        "component": record.component,
        "package": record.package,
        "place": record.place,
        "time": iso(record.time),
        "received": iso(listed.received),
        "text": sentence(record, catalogue.MESSAGES.get(record.number)),
        "fields": dict(record.fields),
    }


def number_view(message: Message) -> View:
    """What a number means."""
    return {
        "id": message.number,
        "number": message.number,
        "name": message.name,
        "severity": message.severity.value,
        "type": message.type.value,
        "component": message.component.value,
        "text": message.text,
        "cause": message.cause,
        "remedy": message.remedy,
    }


class NotifierView(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver as it stands; never its secret, nor the part of its address that may be one."""

    id: str
    name: str
    kind: str
    to: str
    filter: str
    state: str
    waiting: int
    told: int
    told_at: str | None
    skipped: int
    tries: int
    failures: int
    """Since the server started."""
    failing_since: str | None
    due: str | None
    failure: str


def notifier_view(settings: Chosen, row: Progress, waiting: int, failures: int) -> NotifierView:
    """One receiver."""
    kind, to = ("webhook", "")
    if isinstance(settings, WebhookSettings):
        parts = urlsplit(settings.url)
        to = f"{parts.scheme}://{parts.netloc}/…"
    elif isinstance(settings, EmailSettings):
        kind, to = "email", ", ".join(settings.to)
    return NotifierView(
        id=settings.name,
        name=settings.name,
        kind=kind,
        to=to,
        filter=filter_text(settings),
        state=row.state,
        waiting=waiting,
        told=row.told,
        told_at=None if row.told_at is None else iso(row.told_at),
        skipped=row.skipped,
        tries=row.tries,
        failures=failures,
        failing_since=None if row.failing_since is None else iso(row.failing_since),
        due=None if row.due is None or row.gone else iso(row.due),
        failure=row.failure,
    )


def filter_text(settings: Chosen) -> str:
    """Which messages, in words."""
    parts = [f"{settings.severity} or worse" if settings.severity != "information" else "all"]
    named: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("number", settings.numbers),
        ("type", settings.types),
        ("at or below", settings.sites),
        ("package", settings.packages),
        ("place", settings.places),
    )
    parts += [f"{what} {', '.join(map(str, values))}" for what, values in named if values]
    return "; ".join(parts)
