"""What API, console and those who are told see of status messages."""

from __future__ import annotations

from haulage.base.clock import iso
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
