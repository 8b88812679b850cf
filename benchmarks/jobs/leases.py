"""The contender with lease columns on the duties: the pump claims what it hands over, a thread keeps the claims alive while there
are any, and a server that starts again takes back at once what its name held. What several processes for one site would need."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

import sqlalchemy as sa

from benchmarks.jobs.duties import Due, duties, read_due
from haulage.engine.database.transaction import Database

LEASE_SECONDS = 60.0
RENEW_SECONDS = 15.0
NAME = "server"


class Leases:
    """Claims of one process."""

    def __init__(self, workers: int) -> None:
        self._me = f"{NAME}:{os.urandom(8).hex()}"
        """Name and incarnation."""
        self._most = 2 * workers
        self._begun = False
        self._held = threading.Event()
        self._keeper: threading.Thread | None = None

    def claim(self, database: Database, now: float, limit: int) -> Sequence[Due]:
        """What is due and nobody holds is ours now. Fulfils ``Look``."""
        if not self._begun:
            self._take_back(database)
        free = sa.or_(duties.c.holder == "", duties.c.held_until < now)
        with database.reading() as tx:
            # Most looks find nothing new: they should not cost a commit.
            mine = tx.execute(sa.select(sa.func.count()).select_from(duties).where(duties.c.holder == self._me)).scalar_one()
            any_free = tx.execute(sa.select(duties.c.id).where(duties.c.due <= now, free).limit(1)).first()
        if not any_free or mine >= self._most:
            return []
        with database.writing() as tx:
            found = read_due(tx, sa.and_(duties.c.due <= now, free), min(limit, self._most - mine))
            values = {"holder": self._me, "held_until": now + LEASE_SECONDS}
            tx.execute(duties.update().where(duties.c.id.in_([due.id for due in found])).values(values))
        self._held.set()
        return found

    def _take_back(self, database: Database) -> None:
        with database.writing() as tx:
            theirs = sa.and_(duties.c.holder.like(f"{NAME}:%"), duties.c.holder != self._me)
            tx.execute(duties.update().where(theirs).values(holder="", held_until=0.0))
        self._begun = True
        self._keeper = threading.Thread(target=self._keep, args=(database,), name="leases", daemon=True)
        self._keeper.start()

    def _keep(self, database: Database) -> None:
        """Renew while anything is held; sleep without end when nothing is."""
        while True:
            self._held.wait()
            time.sleep(RENEW_SECONDS)
            with database.writing() as tx:
                until = time.time() + LEASE_SECONDS
                held = tx.execute(duties.update().where(duties.c.holder == self._me).values(held_until=until)).rowcount
                if not held:
                    self._held.clear()
