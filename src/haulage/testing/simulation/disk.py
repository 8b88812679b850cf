"""The disk of a simulated site: what survives a kill, and what a backup takes. Must not know what lies on it."""

from __future__ import annotations

from dataclasses import dataclass

from haulage.base.files import step
from haulage.engine.content.memory_store import MemorySession, MemoryStore
from haulage.engine.content.model import ChunkId, Pin
from haulage.engine.database.transaction import Database
from haulage.testing import scratch


class SteppedSession(MemorySession):
    """A session whose durable moments can be stopped at."""

    def checkpoint(self) -> None:
        step("checkpoint")
        super().checkpoint()


class SteppedStore(MemoryStore):
    """A store whose durable moments can be stopped at."""

    def session(self, owner: str) -> MemorySession:
        self.require_open()
        session = SteppedSession(self, owner)
        self.sessions.add(session)
        return session

    def pin(self, pin: Pin) -> None:
        step("pin")
        super().pin(pin)

    def unpin(self, owner: str) -> None:
        step("unpin")
        super().unpin(owner)

    def replace(self, chunks: dict[ChunkId, bytes], pins: tuple[Pin, ...]) -> None:
        """Everything as it was in a backup."""
        self.chunks = dict(chunks)
        self._pins = {pin.owner: pin for pin in pins}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of a disk."""

    image: bytes
    chunks: dict[ChunkId, bytes]
    pins: tuple[Pin, ...]


class Disk:
    """Database, content and parcels of one site."""

    def __init__(self, image: bytes) -> None:
        self._scratch, self._give_back = scratch.take(image)
        self.store = SteppedStore()

    def database(self) -> Database:
        """The database, opened by a new process."""
        return self._scratch.open()

    def crash(self) -> None:
        """The process is gone; what it had not made durable is lost."""
        self.store.crash()

    def backup(self) -> Backup:
        """Copy everything. The process must not be in the middle of anything."""
        return Backup(image=self._scratch.image(), chunks=dict(self.store.chunks), pins=tuple(self.store.pins()))

    def restore(self, backup: Backup) -> None:
        """Everything as it was then."""
        self._scratch.load(backup.image)
        self.store.replace(backup.chunks, backup.pins)

    def close(self) -> None:
        """Give the database back."""
        self._give_back()
