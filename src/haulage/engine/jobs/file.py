"""A jobs database that cannot be read is set aside and a new one begun: it holds no truth, and work must not wait for it."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3

from haulage.base.files import rename, unlink

_log = logging.getLogger("haulage.jobs")


def set_aside_if_damaged(path: str) -> bool:
    """Rename a damaged SQLite file to ``….damaged`` (replacing an older one); returns whether it did."""
    if not os.path.exists(path) or _is_sound(path):
        return False
    _log.error("%s is damaged; it is set aside and a new one is begun, which loses only history", path)
    rename(path, path + ".damaged")
    for companion in ("-wal", "-shm", "-journal"):
        unlink(path + companion)
    return True


def _is_sound(path: str) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]
        except sqlite3.OperationalError:
            # Busy or unreachable is not damaged; the opening that follows says what it is.
            return True
        except sqlite3.DatabaseError:
            return False
