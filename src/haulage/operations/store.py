"""What people ask of the content store; the asking is written down, the work is done by whoever cares for the store."""

from __future__ import annotations

from haulage.engine.status import on_requests
from haulage.operations.desk import Desk


def ask_check(desk: Desk, actor: str) -> None:
    """Somebody wants the whole store read."""
    with desk.database.writing() as tx:
        desk.journal.record(tx, on_requests.STORE_CHECK_ASKED, actor=actor)


def ask_sweep(desk: Desk, actor: str) -> None:
    """Somebody wants what nothing needs removed."""
    with desk.database.writing() as tx:
        desk.journal.record(tx, on_requests.STORE_SWEEP_ASKED, actor=actor)
