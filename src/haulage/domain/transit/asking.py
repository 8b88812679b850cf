"""Asking the parent for a version: what is held here and may be leaned on, what this machine can do, how fast the line is; and
believing the answer only when the parent signed it for this very version. Must not know how a parcel is received."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from haulage.base.errors import ConflictError, FormatError, HaulageError, IntegrityError, NotAllowedError, NotFoundError, Remedy
from haulage.base.ids import PackageId, SiteCode
from haulage.domain.catalog.model import Version
from haulage.domain.estate import records as estate
from haulage.domain.replication.seal import Seal
from haulage.domain.transit import records
from haulage.domain.transit.line_rate import LineRate, Measured, total
from haulage.domain.transit.shipment import Shipment
from haulage.engine.database.transaction import Database
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import ABILITIES_MAX, Offer, Pending, Want
from haulage.engine.protocol.codec import decode

HELD_TOLD = 200
"""Manifests named as possible bases, newest first."""
PIECE_BYTES = 8 * 1024 * 1024
"""Asked for in one request: about what one batch of a parcel holds."""
NOT_OF_BASES = frozenset({"parcel-gone", "wrong-parcel", "wrong-manifest"})
"""Codes of errors that say nothing of what an update leaned on here."""
DAMAGED = "parcel-damaged"
"""The line or the sender is to blame once; twice in a row it may be what the update leaned on."""
_DOUBTFUL = (NotFoundError.family, IntegrityError.family, FormatError.family)
_BASE_CODES = frozenset({"parcel-base-missing", "parcel-incomplete", "chunk-missing", "chunk-damaged"})

Fetch = Callable[[int, int], Iterator[bytes]]


class Asking:
    """What one site says to its parent when it wants a version, and what it learns on the way."""

    def __init__(
        self, code: SiteCode, *, database: Database, seal: Seal, line: LineRate, abilities: frozenset[str] = frozenset()
    ) -> None:
        self._code = code
        self._database = database
        self._seal = seal
        self._line = line
        self._abilities = tuple(sorted(abilities)[:ABILITIES_MAX])
        self._lock = threading.Lock()
        self._doubted: dict[PackageId, frozenset[str]] = {}
        """Manifests on top of which a package could not be received: not named again until it has been."""

    @property
    def line_rate(self) -> int:
        """Bytes per second of the line to the parent, as measured so far; 0: not known."""
        return self._line.bytes_per_second

    def ask(self, shipment: Shipment, version: Version, link: Link) -> Offer | Pending:
        """The parent's offer. Raises NotAllowedError ``wrong-offer``; what the link raises."""
        with self._database.reading() as tx:
            holdings = records.all_holdings(tx)
            me = estate.find_site(tx, self._code)
            parent = None if me is None or me.parent is None else estate.find_site(tx, me.parent)
        own = [manifest for package, _number, manifest in holdings if package == version.package]
        manifests = dict.fromkeys([manifest.hex() for manifest in (*own, *(manifest for _p, _n, manifest in holdings))])
        want = Want(
            package=version.package,
            version=version.number,
            target=version.manifest.hex(),
            held=self._trusted(shipment, tuple(manifests)),
            damaged=shipment.parcel if shipment.error_code == DAMAGED and shipment.parcel else None,
            abilities=self._abilities,
            rate=self._line.bytes_per_second,
        )
        answer = link.want(want)
        if isinstance(answer, Pending):
            return answer
        keys = [parent.key] if parent is not None and parent.key else []
        offer = decode(self._seal.open(answer, Offer.PAYLOAD_TYPE, keys), Offer)
        if (offer.package, offer.version, offer.target) != (version.package, version.number, version.manifest.hex()):
            raise NotAllowedError(
                "wrong-offer",
                f"The parent offered {offer.package}:{offer.version} where {version.package}:{version.number} was wanted.",
                "Look at the parent site; it is asked again.",
                remedy=Remedy.RETRY,
            )
        return offer

    def _trusted(self, shipment: Shipment, manifests: tuple[str, ...]) -> tuple[str, ...]:
        """What of it may be leaned on. A repair leans on nothing here: what is held may be what is damaged. Nor does a try after
        one that failed over its bases in an earlier process, which knew which they were."""
        with self._lock:
            doubted = self._doubted.get(shipment.package, frozenset())
        forgotten = not doubted and shipment.parcel and shipment.error_code in _BASE_CODES
        if shipment.repair or forgotten:
            return ()
        return tuple([manifest for manifest in manifests if manifest not in doubted][:HELD_TOLD])

    def failed(self, shipment: Shipment, offer: Offer, error: HaulageError) -> HaulageError:
        """Receiving on top of what is held did not work: the error to go on with. If it may be what the parcel leaned on, that is
        not named again, and the next try brings more over the line rather than the same for ever (B48)."""
        again = error.code == DAMAGED and not (shipment.error_code == DAMAGED and shipment.parcel == offer.parcel)
        of_bases = error.family in _DOUBTFUL and error.code not in NOT_OF_BASES and not again
        with self._lock:
            doubted = self._doubted.get(shipment.package, frozenset())
            more = of_bases and bool(set(offer.bases) - doubted)
            if more:
                self._doubted[shipment.package] = doubted | set(offer.bases)
        if isinstance(error, NotFoundError):
            # What was announced is gone, here or there: the next question names what is held now.
            return ConflictError(error.code, error.message, error.hint, remedy=Remedy.RETRY)
        return type(error)(error.code, error.message, error.hint, remedy=Remedy.RETRY, facts=error.facts) if more else error

    def received(self, package: PackageId) -> None:
        """It arrived: what was doubted has its chance again, for it may have been repaired."""
        with self._lock:
            self._doubted.pop(package, None)
        now = self._line.bytes_per_second
        with self._database.reading() as tx:
            known = records.find_receiver(tx, self._code)
        if abs(now - known.rate) * 10 > known.rate:
            with self._database.writing() as tx:
                records.put_receiver(tx, records.Receiver(site=self._code, rate=now, abilities=self._abilities))

    def fetch(self, link: Link, offer: Offer) -> tuple[Fetch, Callable[[], None]]:
        """An offered parcel on the line as a function that fetches a range, and what to call when all is over: it is measured how
        fast it came."""
        parts: list[Measured] = []

        def measured(pieces: Iterator[bytes]) -> Iterator[bytes]:
            return self._line.watch(pieces, parts)

        return parcel_fetch(link, offer.parcel, offer.size, measured), lambda: self._line.learn(total(parts))


def parcel_fetch(
    link: Link, parcel: str, size: int, measured: Callable[[Iterator[bytes]], Iterator[bytes]] = lambda pieces: pieces
) -> Fetch:
    """A parcel on the line as a function that fetches a range: piece by piece, so that a killed receiver leaves no more than one
    piece on the way, however much the buffers between would take (F16)."""

    def fetch(offset: int, count: int) -> Iterator[bytes]:
        end = offset + count
        for start in range(offset, end, PIECE_BYTES):
            yield from measured(link.read_parcel(parcel, start, min(start + PIECE_BYTES, end), size))

    return fetch
