"""What holding, releasing or cancelling many transfers at once would reach, told before it is done."""

from __future__ import annotations

import datetime as dt

import msgspec

from haulage.domain.reporting.moving import records
from haulage.domain.reporting.moving.wanted import Wanted, check
from haulage.engine.database.transaction import Transaction


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """``moving`` stop in the middle, ``stopped`` wait or end without having begun, ``present`` are there already and only newer
    versions wait; of a release ``stopped`` go on. ``left_bytes`` is what would not be brought, or would be brought now."""

    word: str
    what: str
    transfers: int
    packages: int
    places: int
    sites: int
    moving: int
    stopped: int
    present: int
    left_bytes: int


def reach(tx: Transaction, word: str, wanted: Wanted, *, now: dt.datetime) -> Reach:
    """Of every transfer a filter leaves for which the word changes anything. Raises UsageError ``bad-state``."""
    check(wanted)
    transfers, packages, places, sites, moving, present, left_bytes = records.figures_of(tx, word, wanted, now)
    return Reach(
        word=word,
        what=wanted.words,
        transfers=transfers,
        packages=packages,
        places=places,
        sites=sites,
        moving=moving,
        stopped=transfers - moving - present,
        present=present,
        left_bytes=left_bytes,
    )
