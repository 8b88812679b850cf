"""SQLite's checkpoints: taken by one connection alone while another one holds the write lock, so that none ever meets a commit.

SQLite 3.7.0 to 3.51.2 can lose commits when a checkpoint meets a commit that begins the log anew (the "WAL-reset" defect, found
in March 2026). Debian 12 ships 3.40.1, so every connection of ours is told never to checkpoint by itself, and this does it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator

LOG_BYTES = 4 << 20
"""How large the log grows before it is copied into the database; what SQLite does by itself at 1,000 pages."""

PRAGMAS = ("wal_autocheckpoint=0", f"journal_size_limit={LOG_BYTES}")
"""What every connection is told. The limit cuts the file when the log begins anew, so that its size says when it is due again."""

SQLITE_VERSION = sqlite3.sqlite_version_info
"""The SQLite that Python found here."""

_log = logging.getLogger("haulage.database")


def has_reset_defect(version: tuple[int, ...]) -> bool:
    """Whether a version of SQLite has the defect; 3.44.6 and 3.50.7 got the cure later."""
    cured = (version[:2] == (3, 44) and version[2] >= 6) or (version[:2] == (3, 50) and version[2] >= 7)
    return (3, 7, 0) <= version < (3, 51, 3) and not cured


class Checkpointer:
    """Copies the log of one SQLite file. Safe to use from any thread, and beside other processes that do the same."""

    def __init__(self, path: str, *, log_bytes: int = LOG_BYTES, busy_seconds: float = 1.0) -> None:
        self._path = path
        self._log_bytes = log_bytes
        self._busy_seconds = busy_seconds
        self._due_bytes = log_bytes
        self._turn = threading.Lock()

    def when_due(self) -> bool:
        """To be called after a commit: copies the log if it has grown large, and returns whether all of it was copied.

        Never raises: the commit stands, whatever becomes of this. What did not work is tried again when the log has grown."""
        size = self._size()
        if size <= self._due_bytes or not self._turn.acquire(blocking=False):
            return False
        try:
            complete = self._checkpoint()
            # A reader may keep part of the log in use: look again when there is more to copy, not after every commit.
            self._due_bytes = self._log_bytes if complete else size + self._log_bytes // 4
            return complete
        except sqlite3.Error as error:
            self._due_bytes = size + self._log_bytes // 4
            _log.warning("the log of %s could not be copied into it, which is tried again: %s", self._path, error)
            return False
        finally:
            self._turn.release()

    def _size(self) -> int:
        try:
            return os.stat(self._path + "-wal").st_size
        except OSError:
            return 0

    def _checkpoint(self) -> bool:
        with self._connection() as guard, self._connection() as copier:
            # From here to the rollback nobody commits, here or in another process; nor does a second checkpoint get this far.
            guard.execute("BEGIN IMMEDIATE")
            try:
                return self._copy(copier)
            finally:
                guard.execute("ROLLBACK")

    def _copy(self, copier: sqlite3.Connection) -> bool:
        busy, frames, copied = copier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and frames == copied

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._path, timeout=self._busy_seconds, isolation_level=None)) as connection:
            for pragma in (*PRAGMAS, "synchronous=FULL"):
                connection.execute(f"PRAGMA {pragma}")
            yield connection
