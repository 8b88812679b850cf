"""What people ask of those who are told of status messages."""

from __future__ import annotations

from haulage.engine.status.message import Listed
from haulage.engine.status.on_telling import NOTIFIER_TESTED
from haulage.operations.desk import Desk


def ask_test(desk: Desk, actor: str, name: str) -> Listed:
    """Somebody wants to know whether a receiver is told: the message that says so is what it is sent."""
    with desk.database.writing() as tx:
        desk.journal.record(tx, NOTIFIER_TESTED, actor=actor, notifier=name)
        said = desk.journal.get(tx, desk.journal.last_id(tx))
    assert said is not None
    return said
