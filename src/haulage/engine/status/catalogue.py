"""All numbered messages of this version, by number. A number means one thing for ever and is never used again."""

from __future__ import annotations

from haulage.base.errors import NotFoundError
from haulage.engine.status import (
    on_backups,
    on_fixes,
    on_knowledge,
    on_packages,
    on_people,
    on_places,
    on_requests,
    on_server,
    on_sites,
    on_telling,
    on_transfers,
)
from haulage.engine.status.message import Message

MESSAGES: dict[int, Message] = {
    message.number: message
    for message in sorted(
        (
            *on_packages.MESSAGES,
            *on_places.MESSAGES,
            *on_requests.MESSAGES,
            *on_server.MESSAGES,
            *on_sites.MESSAGES,
            *on_transfers.MESSAGES,
            *on_backups.MESSAGES,
            *on_knowledge.MESSAGES,
            *on_fixes.MESSAGES,
            *on_people.MESSAGES,
            *on_telling.MESSAGES,
        ),
        key=lambda message: message.number,
    )
}

RETIRED: frozenset[int] = frozenset()
"""Numbers that once meant something; no message may take them."""


def explain(number: int) -> Message:
    """The message of a number. Raises NotFoundError ``no-such-message``."""
    if number not in MESSAGES:
        raise NotFoundError(
            "no-such-message", f"There is no status message {number}.", "`haulage status list` shows the numbers in use here."
        )
    return MESSAGES[number]
