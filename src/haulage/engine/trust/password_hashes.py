"""Passwords as hashes that take time and memory: Argon2id as RFC 9106 recommends where memory is not plenty. Knows no user and no
rule of what a password is."""

from __future__ import annotations

import contextlib
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from haulage.base.errors import TransferError

AT_ONCE = 2
"""So many are made or checked at once, each with its memory; the rest of the server must have its turn, too."""
WAITING = 4
"""And so many wait. Whoever comes beyond that is sent away at once, for a waiting request holds a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one hash takes."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


class Hasher:
    """Makes and checks hashes. Any thread may use it; never the event loop."""

    def __init__(self, cost: Cost | None = None) -> None:
        cost = cost or Cost()
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, hash_len=32, salt_len=16, type=Type.ID
        )
        self._running = threading.BoundedSemaphore(AT_ONCE)
        self._places = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._nobodys_lock = threading.Lock()
        self._nobodys = ""

    def make(self, password: str) -> str:
        """The hash to keep, with its salt and cost in it. Raises TransferError ``too-many-requests``."""
        with self._turn():
            return self._hasher.hash(_spelled(password))

    def matches(self, stored: str, password: str) -> bool:
        """Whether it is the password. An empty hash is nobody's: it takes as long, and is never right. Raises TransferError
        ``too-many-requests``."""
        with self._turn():
            against = stored or self._hash_of_nobody()
            try:
                return self._hasher.verify(against, _spelled(password)) and bool(stored)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made at another cost than is asked for today."""
        return self._hasher.check_needs_rehash(stored)

    def _hash_of_nobody(self) -> str:
        with self._nobodys_lock:
            if not self._nobodys:
                self._nobodys = self._hasher.hash(b"of nobody")
            return self._nobodys

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TransferError("too-many-requests", "Too many passwords are being checked at once.", "Try again in a moment.")
        try:
            with self._running:
                yield
        finally:
            self._places.release()


def _spelled(password: str) -> bytes:
    """One spelling for what looks the same (NFKC, as NIST SP 800-63B-4 wants it), whatever keyboard it came from."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
