"""One servicing at a time for each root: a lock the system releases however its holder ends, with the holder's name in it."""

from __future__ import annotations

import errno
import json
import os
from types import TracebackType

from haulage.engine.servicing.errors import RefusedError

_FAR = 1 << 30
"""Windows locks bytes against reading, too: one far behind the holder's name."""


class Lock:
    """Held while the context is open. Raises RefusedError ``busy`` naming the holder, ``read-only-root`` or ``no-rights``."""

    def __init__(self, path: str, holder: dict[str, object]) -> None:
        self._path = path
        self._holder = holder
        self._fd = -1

    def __enter__(self) -> Lock:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as cause:
            code = "read-only-root" if cause.errno == errno.EROFS else "no-rights"
            raise RefusedError(
                code, f"{self._path} cannot be opened: {cause.strerror}.", "Run it with the rights of an administrator."
            ) from cause
        if not _try_lock(self._fd):
            os.lseek(self._fd, 0, os.SEEK_SET)
            who = _name_of(os.read(self._fd, 4096))
            os.close(self._fd)
            raise RefusedError("busy", f"Another servicing is at work: {who}.", "Wait until it has ended, then run this again.")
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, json.dumps(self._holder).encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._fd)
        self._fd = -1


def _name_of(data: bytes) -> str:
    try:
        holder = json.loads(data)
        return f"{holder['fix']} by {holder['actor']}, process {holder['pid']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "it did not say who it is"


def _try_lock(fd: int) -> bool:
    try:
        if os.name == "nt":
            _lock_windows(fd)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock_windows(fd: int) -> None:
    import msvcrt

    os.lseek(fd, _FAR, os.SEEK_SET)
    getattr(msvcrt, "locking")(fd, getattr(msvcrt, "LK_NBLCK"), 1)  # noqa: B009  (the names are there on Windows only)
    os.lseek(fd, 0, os.SEEK_SET)
