"""What holding, releasing or cancelling many transfers at once would reach, told before it is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from haulage.base.ids import NO_VERSION, PackageId, Place
from haulage.domain.reporting.transfers import Wanted, check, in_states, narrowed
from haulage.domain.transit.records import shipments
from haulage.domain.transit.states import ShipmentState, Word
from haulage.engine.database.transaction import Transaction

_S = shipments.c
SITE_CHARACTERS = 3
_UNDER_WAY = (ShipmentState.MOVING, ShipmentState.VERIFYING)


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
    """Of every transfer a filter leaves for which the word changes anything."""
    arrived = _S.present == _S.wanted
    moving = sa.and_(_S.state.in_([state.value for state in _UNDER_WAY]), sa.not_(arrived))
    left = sa.case((sa.and_(sa.not_(arrived), _S.bytes_planned > _S.bytes_done), _S.bytes_planned - _S.bytes_done), else_=0)
    query = sa.select(
        sa.func.count(),
        sa.func.count(sa.distinct(_S.package)),
        sa.func.count(sa.distinct(_S.place)),
        sa.func.count(sa.distinct(_S.owner)),
        sa.func.sum(sa.case((moving, 1), else_=0)),
        sa.func.sum(sa.case((arrived, 1), else_=0)),
        sa.func.sum(left),
    ).where(*_affected(word, wanted, now))
    transfers, packages, places, sites, under_way, present, left_bytes = [int(one or 0) for one in tx.execute(query).one()]
    return Reach(
        word=word,
        what=wanted.words,
        transfers=transfers,
        packages=packages,
        places=places,
        sites=sites,
        moving=under_way,
        stopped=transfers - under_way - present,
        present=present,
        left_bytes=left_bytes,
    )


def pairs_of(tx: Transaction, word: str, wanted: Wanted, *, now: dt.datetime, limit: int) -> Sequence[tuple[PackageId, Place]]:
    """The transfers themselves, by package and place."""
    query = sa.select(_S.package, _S.place).where(*_affected(word, wanted, now)).order_by(_S.package, _S.place).limit(limit)
    return [(PackageId(package), Place(place)) for package, place in tx.execute(query)]


def _affected(word: str, wanted: Wanted, now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    """Nothing is brought to a package's own site, and what is being removed is not on its way."""
    check(wanted)
    brought = sa.and_(_S.wanted != NO_VERSION, _S.place != sa.func.substr(_S.package, 1, SITE_CHARACTERS))
    changes = {
        "hold": _S.word != Word.HELD.value,
        "release": _S.word != Word.NONE.value,
        "cancel": sa.and_(_S.present != _S.wanted, _S.word != Word.CANCELLED.value),
    }
    return [brought, changes[word], in_states(wanted), *narrowed(wanted, now)]
