"""What a site says when it asks for a version: never the same in vain twice, and only what is so."""

from __future__ import annotations

import pytest

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotFoundError, Remedy, TransferError
from haulage.base.ids import PackageId, VersionNumber
from haulage.domain.transit import records
from haulage.domain.transit.line_rate import LineRate, Measured
from haulage.domain.transit.shipment import Shipment
from haulage.engine.content.digest import chunk_id
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import Offer, Want
from haulage.testing.clock import HandClock
from haulage.testing.simulation.network import SimLink
from tests.domain.worlds import CHI, HQ1, Lab, lab

PAIR = (("HQ1", None), ("CHI", "HQ1"))
SAME = chunk_id(b"always the same" * 100)
"""A chunk of every version of the lab's package."""


def _heard(monkeypatch: pytest.MonkeyPatch) -> list[Want]:
    """What children ask from now on."""
    wants: list[Want] = []
    real = SimLink.want

    def want(self: SimLink, asked: Want) -> object:
        wants.append(asked)
        return real(self, asked)

    monkeypatch.setattr(SimLink, "want", want)
    return wants


def _second_version_over_a_hole(here: Lab) -> PackageId:
    """Version 1 is at CHI, whose store lost a chunk of it since without anybody knowing; version 2 needs that chunk, too."""
    package = here.package("CHI")
    here.publish(package)
    here.settle()
    here.source(b"second")
    del here.world.sites[CHI].disk.store.chunks[SAME]
    return package


def test_b48_q245579_what_could_not_be_leaned_on_is_not_named_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(PAIR) as here:
        package = _second_version_over_a_hole(here)
        wants = _heard(monkeypatch)
        here.publish(package)
        here.settle()
        assert here.row(package, "CHI").present == 2
        assert [bool(want.held) for want in wants] == [True, False]
        here.source(b"third")
        here.publish(package)
        here.settle()
        assert here.row(package, "CHI").present == 3
        assert wants[-1].held, "it was received whole, so it can be leaned on again"


def test_b48_a_site_that_was_killed_after_a_vain_try_leans_on_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(PAIR) as here:
        package = _second_version_over_a_hole(here)
        wants = _heard(monkeypatch)
        here.publish(package)
        while not here.row(package, "CHI").error_code:
            assert here.world.step() or here.world.pass_time()
        assert here.row(package, "CHI").error_code == "parcel-incomplete"
        here.world.sites[CHI].kill()
        here.world.start(here.world.sites[CHI])
        here.settle()
        assert here.row(package, "CHI").present == 2
        assert [bool(want.held) for want in wants] == [True, False]


BASE = "ab" * 32


@pytest.mark.parametrize(
    ("error", "last", "held", "remedy"),
    [
        (NotFoundError("parcel-base-missing", "gone"), "", (), Remedy.RETRY),
        (IntegrityError("parcel-incomplete", "holes"), "", (), Remedy.RETRY),
        (IntegrityError("chunk-damaged", "bad"), "", (), Remedy.RETRY),
        (FormatError("bad-parcel", "odd"), "", (), Remedy.RETRY),
        # Nothing of this is the fault of what is held.
        (NotFoundError("parcel-gone", "evicted"), "", (BASE,), Remedy.RETRY),
        (TransferError("transfer-cut", "cut"), "", (BASE,), Remedy.RETRY),
        (IntegrityError("wrong-parcel", "other"), "", (BASE,), Remedy.RETRY),
        # Once it is the line or the sender; twice it may be what is held.
        (IntegrityError("parcel-damaged", "bits"), "", (BASE,), Remedy.RETRY),
        (IntegrityError("parcel-damaged", "bits"), "parcel-damaged", (), Remedy.RETRY),
    ],
)
def test_which_failures_speak_against_what_is_held(error: HaulageError, last: str, held: tuple[str, ...], remedy: Remedy) -> None:
    with lab(PAIR) as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        asking = here.core(CHI).site_duty._asking
        row = here.row(package, "CHI")
        shipment = Shipment(package=package, place=row.place, owner=CHI, updated=row.updated, parcel="cd" * 32, error_code=last)
        offer = Offer(
            sender=HQ1, package=package, version=VersionNumber(2), target="00" * 32, parcel="cd" * 32, size=1, head_size=1,
            bases=(BASE,), bytes_total=1, bytes_reused=0, bytes_new=1,
        )  # fmt: skip
        raised = asking.failed(shipment, offer, error)
        assert (raised.code, raised.remedy) == (error.code, remedy)
        assert asking._trusted(shipment, (BASE,)) == held
        asking.received(package)
        assert asking._trusted(shipment, (BASE,)) == (BASE,)


def test_a_parcel_that_leans_on_nothing_and_cannot_be_read_is_given_up() -> None:
    with lab(PAIR) as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        offer = Offer(
            sender=HQ1, package=package, version=VersionNumber(2), target="00" * 32, parcel="cd" * 32, size=1, head_size=1,
            bytes_total=1, bytes_reused=0, bytes_new=1,
        )  # fmt: skip
        error = FormatError("bad-parcel", "odd")
        assert here.core(CHI).site_duty._asking.failed(here.row(package, "CHI"), offer, error) is error


def test_what_a_child_can_do_and_how_fast_its_line_is_reaches_the_parent_and_survives_both() -> None:
    with lab(PAIR) as here:
        asking = here.core(CHI).site_duty._asking
        asking._abilities = ("deflate-1", "xz-2")
        asking._line.learn(Measured(8_000_000.0, 10.0))
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        for site in (HQ1, CHI):
            with here.core(site).database.reading() as tx:
                known = records.find_receiver(tx, CHI)
            assert (known.rate, known.abilities) == (800_000, ("deflate-1", "xz-2"))
            here.world.sites[site].kill()
            here.world.start(here.world.sites[site])
        assert here.core(CHI).site_duty._asking._line.bytes_per_second == 800_000


def test_a_line_is_measured_while_a_parcel_comes() -> None:
    clock = HandClock()

    class Slow:
        def read_parcel(self, _parcel: str, offset: int, end: int, _size: int) -> object:
            for start in range(offset, end, 1 << 20):
                clock.move(4.0)
                yield bytes(min(1 << 20, end - start))

    with lab(PAIR) as here:
        core = here.core(CHI)
        asking = core.site_duty._asking
        asking._line = LineRate(clock)
        offer = Offer(
            sender=HQ1, package=PackageId("HQ100001"), version=VersionNumber(2), target="00" * 32, parcel="cd" * 32,
            size=20 << 20, head_size=1, bytes_total=1, bytes_reused=0, bytes_new=1,
        )  # fmt: skip
        link: Link = Slow()  # type: ignore[assignment]
        fetch, over = asking.fetch(link, offer)
        assert sum(map(len, fetch(0, 20 << 20))) == 20 << 20
        over()
        assert asking._line.bytes_per_second == (1 << 20) // 4
