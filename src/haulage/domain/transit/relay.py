"""Handing on: a parcel that arrives is written to the cache as it comes, if a child below may want the very same one, so that a
difference is worked out once in the whole hierarchy. Nothing hangs on it: where it does not come off, the parcel is built here."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.base.files import sync_file, sync_folder, unlink, write_all
from haulage.base.ids import PackageId, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Version
from haulage.domain.estate import records as estate
from haulage.domain.estate.rules import joined_children
from haulage.domain.transit.asking import Fetch
from haulage.domain.transit.parcel_cache import ParcelCache
from haulage.domain.transit.records import ParcelRecord
from haulage.domain.transit.route import concerned_children
from haulage.engine.database.transaction import Database
from haulage.engine.parcels.head import ParcelHead
from haulage.engine.protocol.asks import Offer

_log = logging.getLogger("haulage.transit")

SHARE_OF_CACHE = 4
"""A parcel larger than this part of the cache is not kept: it would throw out all others."""
SPARE_BYTES = 256 * 1024 * 1024
"""Must stay free beside what arrives and its copy."""
GAPS_BYTES = 64 * 1024
"""What a receiver had no need of is fetched for the copy up to so many bytes; where more is missing, it is built here."""


@dataclass(slots=True)
class _Copy:
    """A parcel's file as far as it has come."""

    parcel: str
    path: str
    fd: int
    size: int
    broken: bool = False
    spans: list[tuple[int, int]] = field(default_factory=list)

    def write(self, offset: int, piece: bytes) -> None:
        """Keep a piece; a disk that does not take it ends the copy, not the transfer."""
        if self.broken:
            return
        try:
            write_all(self.fd, piece, offset=offset, name="relay")
        except OSError:
            self.broken = True
        else:
            self.spans.append((offset, offset + len(piece)))
            if len(self.spans) > 64:
                self.spans = _joined(self.spans)

    def gaps(self) -> list[tuple[int, int]]:
        """Ranges that never came: (offset, length)."""
        found, at = [], 0
        for start, end in [*_joined(self.spans), (self.size, self.size)]:
            if start > at:
                found.append((at, start - at))
            at = max(at, end)
        return found


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


class Relay:
    """Copies of parcels under way."""

    def __init__(
        self, code: SiteCode, *, database: Database, clock: Clock, cache: ParcelCache, free_bytes: Callable[[], int]
    ) -> None:
        self._code = code
        self._database = database
        self._clock = clock
        self._cache = cache
        self._free_bytes = free_bytes
        self._lock = threading.Lock()
        self._copies: dict[PackageId, _Copy] = {}
        """A transfer that broke off goes on with its copy, as long as this server runs and nothing newer is under way."""

    def along(self, version: Version, offer: Offer, fetch: Fetch) -> Fetch:
        """``fetch``, and what it brings is kept, too, if somebody below may want it."""
        copy = self._copy(version, offer)
        return fetch if copy is None else functools.partial(_tee, copy, fetch)

    def received(self, offer: Offer, head: ParcelHead, fetch: Fetch) -> None:
        """The transfer is over: a copy that is whole and sound is handed on from now on."""
        with self._lock:
            copy = self._copies.pop(offer.package, None)
        if copy is None:
            return
        try:
            if copy.parcel == offer.parcel and self._is_whole(copy, fetch):
                self._keep(copy, offer, head)
        except (HaulageError, OSError) as trouble:
            _log.info("parcel %s is not handed on: %s", offer.parcel, trouble)
        finally:
            os.close(copy.fd)
            unlink(copy.path)

    def drop(self, package: PackageId) -> None:
        """Nobody goes on with what is under way."""
        with self._lock:
            copy = self._copies.pop(package, None)
        if copy is not None:
            os.close(copy.fd)
            unlink(copy.path)

    def _copy(self, version: Version, offer: Offer) -> _Copy | None:
        with self._lock:
            known = self._copies.get(version.package)
            if known is not None and known.parcel == offer.parcel:
                return known
            self._copies.pop(version.package, None)
        if known is not None:
            os.close(known.fd)
            unlink(known.path)
        if not self._is_wanted(version, offer):
            return None
        path = os.path.join(self._cache.parcels.work, f"relay-{offer.parcel}")
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            copy = _Copy(parcel=offer.parcel, path=path, fd=fd, size=offer.size)
            with self._lock:
                self._copies[version.package] = copy
            return copy
        return None

    def _is_wanted(self, version: Version, offer: Offer) -> bool:
        if not offer.level or offer.size * SHARE_OF_CACHE > self._cache.room:
            return False
        if self._free_bytes() < offer.bytes_new + offer.size + SPARE_BYTES:
            return False
        with self._database.reading() as tx:
            package = catalog.find_package(tx, version.package)
            below = set() if package is None else concerned_children(package.assignments, self._code, estate.hierarchy(tx))
            return bool(below & joined_children(tx, self._code))

    def _is_whole(self, copy: _Copy, fetch: Fetch) -> bool:
        gaps = copy.gaps()
        if copy.broken or sum([length for _offset, length in gaps]) > GAPS_BYTES:
            return False
        for offset, length in gaps:
            for _piece in _tee(copy, fetch, offset, length):
                pass
        return not copy.broken and not copy.gaps()

    def _keep(self, copy: _Copy, offer: Offer, head: ParcelHead) -> None:
        parcel = head.id.hex()
        sync_file(copy.fd)
        self._cache.check(copy.path, head.id)
        self._cache.parcels.keep(copy.path, parcel)
        sync_folder(os.path.dirname(self._cache.path(parcel)))
        self._cache.put(
            ParcelRecord(
                id=parcel,
                target=head.target,
                bases=tuple(sorted(base.hex() for base in head.bases)),
                level=offer.level,
                needs=tuple(sorted(offer.needs)),
                abilities=tuple(sorted(offer.abilities)),
                size=head.bytes_wire,
                head_size=head.head_bytes,
                figures={"bytes_total": head.bytes_total, "bytes_reused": head.bytes_reused, "bytes_new": head.bytes_new},
                used=self._clock.now(),
            )
        )


def _tee(copy: _Copy, fetch: Fetch, offset: int, count: int) -> Iterator[bytes]:
    for piece in fetch(offset, count):
        copy.write(offset, piece)
        offset += len(piece)
        yield piece
