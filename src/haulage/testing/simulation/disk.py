"""The disk of a simulated site: what survives a kill, and what a backup takes. Must not know what lies on it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import sqlalchemy as sa

from haulage.base.files import step
from haulage.engine.content.memory_store import MemorySession, MemoryStore
from haulage.engine.content.model import ChunkId, Pin
from haulage.engine.database.connection import memory_engine
from haulage.engine.database.template import image_of
from haulage.engine.database.transaction import Database


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


_idle: list[sa.Engine] = []
"""Engines of worlds that ended: what SQLAlchemy has compiled for them is most of what a short schedule would cost."""


class Disk:
    """Database, content and parcels of one site."""

    def __init__(self, image: bytes) -> None:
        self._engine = _idle.pop() if _idle else memory_engine()
        self.store = SteppedStore()
        self._load(image)

    def database(self) -> Database:
        """The database, opened by a new process."""
        return Database(self._engine)

    def crash(self) -> None:
        """The process is gone; what it had not made durable is lost."""
        self.store.crash()

    def backup(self) -> Backup:
        """Copy everything. The process must not be in the middle of anything."""
        return Backup(image=image_of(self.database()), chunks=dict(self.store.chunks), pins=tuple(self.store.pins()))

    def restore(self, backup: Backup) -> None:
        """Everything as it was then."""
        self._load(backup.image)
        self.store.replace(backup.chunks, backup.pins)

    def close(self) -> None:
        """Give the memory back."""
        _idle.append(self._engine)

    def _load(self, image: bytes) -> None:
        connection = self._engine.raw_connection().driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.deserialize(image)
