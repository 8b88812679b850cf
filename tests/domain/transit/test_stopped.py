"""Transfers that people hold, release and cancel, in a whole hierarchy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.transit import asked, hourly
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.operations import orders, packages
from haulage.operations.orders import Word as Said
from haulage.testing.folders import noise
from haulage.testing.simulation.network import Host
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, Lab
from tests.domain.worlds import lab as hierarchy

BATCHES = 3
BIG = 9 * 1024 * 1024


def say(lab: Lab, word: Said, package: PackageId, where: str, at: SiteCode = HQ1) -> None:
    orders.say_of_transfer(lab.desk(at), ACTOR, word, package, Place(where))


def big(lab: Lab, seed: int) -> None:
    """Enough for several batches."""
    tree = lab.world.sources.trees["memory:demo"]
    for number in range(BATCHES):
        tree.file(b"big-%d" % number, noise(BIG, seed * 100 + number), mtime_ns=seed)


def once_some_came(lab: Lab, package: PackageId, deed: Callable[[], None]) -> list[int]:
    """Do something once, when CHI has a part of a parcel; how much is noted."""
    seen: list[int] = []

    def on_piece(host: Host) -> None:
        if host.code == CHI and not seen and lab.row(package, "CHI").bytes_done:
            seen.append(lab.row(package, "CHI").bytes_done)
            deed()

    lab.world.network.on_piece = on_piece
    return seen


def test_f24_held_in_mid_transfer_it_keeps_what_came_and_brings_only_the_rest() -> None:
    with hierarchy() as lab:
        package = lab.package("CHI")
        lab.source(b"first")
        big(lab, 1)
        lab.publish(package)
        noted = once_some_came(lab, package, lambda: say(lab, "hold", package, "CHI", at=CHI))
        lab.work()
        assert noted
        held = lab.row(package, "CHI")
        assert (held.state, held.reason, held.word, held.due) == (ShipmentState.WAITING, Reason.HELD, Word.HELD, None)
        assert held.word_by == "tester at CHI"
        assert 0 < held.bytes_done < held.bytes_planned
        assert lab.held(CHI, package) == []
        before = held.wire_ever

        lab.world.network.on_piece = lambda _host: None
        lab.settle_for_a_day()
        assert lab.row(package, "CHI") == held, "nothing is done while it is held"
        lab.world.sites[CHI].kill()
        lab.world.start(lab.world.sites[CHI])
        lab.work()
        assert lab.row(package, "CHI").word is Word.HELD, "a hold survives a restart"

        say(lab, "release", package, "CHI")
        lab.settle()
        there = lab.row(package, "CHI")
        assert there.settled
        assert there.wire_ever == there.bytes_wire <= there.bytes_planned, "no byte crossed the line twice"
        assert there.wire_ever - before < there.bytes_planned - BIG // 2
        assert [len(lab.said(HQ1, number)) for number in (3512, 3513, 3502)] == [1, 1, 1]


def test_f24_q168130_cancelled_it_ends_and_a_newer_version_comes_all_the_same() -> None:
    with hierarchy() as lab:
        package = lab.package("CHI")
        lab.publish(package)
        lab.settle()
        big(lab, 2)
        lab.publish(package)
        once_some_came(lab, package, lambda: say(lab, "cancel", package, "CHI", at=CHI))
        lab.settle()
        row = lab.row(package, "CHI")
        assert (row.state, row.error_code, row.present, row.due) == (ShipmentState.FAILED, "cancelled", 1, None)
        assert (row.parcel, row.bytes_done) == ("", 0)
        assert not [pin for pin in lab.world.sites[CHI].disk.store.pins() if package in pin.owner and "receiv" in pin.owner]
        lab.settle_for_a_day()
        assert lab.row(package, "CHI") == row

        lab.source(b"third")
        lab.publish(package)
        lab.settle()
        newer = lab.row(package, "CHI")
        assert (newer.present, newer.word, newer.error_code) == (3, Word.NONE, "")


@pytest.mark.parametrize("ends", ["retry", "release"])
def test_cancelled_it_comes_when_somebody_wants_it_after_all(ends: str) -> None:
    with hierarchy() as lab:
        package = lab.package("CHI")
        lab.source(b"first")
        big(lab, 1)
        lab.publish(package)
        once_some_came(lab, package, lambda: say(lab, "cancel", package, "CHI", at=CHI))
        lab.settle()
        assert lab.row(package, "CHI").error_code == "cancelled"
        with pytest.raises(ConflictError) as caught:
            lab.order(package, "CHI", "repair")
        assert caught.value.code == "transfer-stopped"
        if ends == "retry":
            lab.order(package, "CHI", "retry")
        else:
            say(lab, "release", package, "CHI")
        lab.settle()
        assert lab.row(package, "CHI").settled


def test_newer_versions_stay_held_and_the_old_one_stays_in_use() -> None:
    with hierarchy() as lab:
        lab.point("LA1/p1")
        package = lab.package("LA1", "LA1/p1")
        lab.publish(package)
        lab.settle()
        say(lab, "hold", package, "LA1/p1")
        say(lab, "hold", package, "LA1")
        lab.work()
        assert lab.row(package, "LA1").state is ShipmentState.PRESENT, "what is there stays there"
        for text in (b"second", b"third"):
            lab.source(text)
            lab.publish(package)
            lab.settle()
            for where in ("LA1", "LA1/p1"):
                row = lab.row(package, where)
                assert (row.state, row.reason, row.present) == (ShipmentState.WAITING, Reason.HELD, 1)
        assert lab.row(package, "CHI").present == 3, "nobody else is touched"
        [point] = lab.world.points.values()
        assert point.current(package) == 1
        with pytest.raises(ConflictError):
            lab.order(package, "LA1", "retry")
        say(lab, "release", package, "LA1")
        lab.settle()
        assert lab.row(package, "LA1").present == 3
        assert lab.row(package, "LA1/p1").present == 1, "each is released by itself"
        say(lab, "release", package, "LA1/p1")
        lab.settle()
        assert point.current(package) == 3


def test_a_site_that_is_away_is_shown_as_asked_until_it_answers() -> None:
    with hierarchy() as lab:
        package = lab.package("LA1")
        lab.publish(package)
        lab.settle()
        lab.world.network.cut.add(LA1)
        say(lab, "hold", package, "LA1")
        lab.work()

        def pending(site: SiteCode) -> list[str]:
            with lab.core(site).database.reading() as tx:
                return [one.action for one in asked.asked_of(tx, [(package, Place("LA1"))]).values()]

        assert (pending(HQ1), pending(CHI)) == (["hold"], ["hold"])
        lab.world.network.cut.discard(LA1)
        lab.settle()
        assert (pending(HQ1), pending(CHI), pending(LA1)) == ([], [], [])
        assert lab.row(package, "LA1").word is Word.HELD


def test_the_last_word_counts_however_late_an_older_one_arrives() -> None:
    with hierarchy() as lab:
        package = lab.package("LA1")
        lab.publish(package)
        lab.settle()
        lab.world.network.cut.add(LA1)
        say(lab, "hold", package, "LA1")
        lab.work()
        lab.world.clock.move(60)
        say(lab, "release", package, "LA1", at=LA1)
        lab.world.network.cut.discard(LA1)
        lab.settle()
        assert lab.row(package, "LA1").word is Word.NONE
        assert len(lab.said(HQ1, 3337)) == 1, "the older word is refused, and that is said"


def test_many_at_once_are_one_order_for_each_site() -> None:
    with hierarchy() as lab:
        lab.point("LA1/p1")
        first = lab.package("LA1", "LA1/p1")
        lab.publish(first)
        lab.settle()
        pairs = [(first, Place(where)) for where in ("LA1", "LA1/p1", "CHI")]
        assert orders.say_of_transfers(lab.desk(HQ1), ACTOR, "hold", pairs, "all of it")
        lab.settle()
        assert {lab.row(first, where).word for where in ("LA1", "LA1/p1", "CHI")} == {Word.HELD}
        assert len(lab.said(HQ1, 3336)) == 2
        assert [record.fields["count"] for record in lab.said(HQ1, 30010)] == [3]
        assert orders.say_of_transfers(lab.desk(HQ1), ACTOR, "hold", [], "nothing") is None


def test_what_cannot_be_held_is_told() -> None:
    with hierarchy() as lab:
        lab.point("LA1/p1")
        package = lab.package("LA1")
        lab.publish(package)
        lab.settle()
        for where, code in (("HQ1", "own-source"), ("LA1/p1", "not-assigned")):
            with pytest.raises((ConflictError, NotFoundError)) as caught:
                say(lab, "hold", package, where)
            assert caught.value.code == code
        with pytest.raises(UsageError):
            say(lab, "hold", package, "CHI", at=LA1)


def test_f23_a_held_package_that_is_withdrawn_goes() -> None:
    with hierarchy() as lab:
        package = lab.package("CHI")
        lab.publish(package)
        lab.settle()
        say(lab, "hold", package, "CHI")
        lab.settle()
        packages.unassign_package(lab.desk(HQ1), ACTOR, package, [Place("CHI")])
        lab.settle()
        assert lab.row(package, "CHI").state is ShipmentState.REMOVED
        packages.assign_package(lab.desk(HQ1), ACTOR, package, [Place("CHI")])
        lab.settle()
        assert lab.row(package, "CHI").settled, "it begins anew, and nobody holds it"


def test_f2_bytes_are_counted_by_hour_at_every_site_above_and_never_twice() -> None:
    with hierarchy() as lab:
        package = lab.package("LA1")
        lab.publish(package)
        lab.settle()
        rows = {code: lab.row(package, code) for code in (CHI, LA1)}

        def seen(at: SiteCode, site: SiteCode | None = None) -> dict[str, object]:
            core = lab.core(at)
            with core.database.reading() as tx:
                return hourly.traffic_view(tx, now=lab.world.clock.now(), site=site, hours=24)

        wire = {code: row.wire_ever for code, row in rows.items()}
        assert all(wire.values())
        assert seen(HQ1)["bytes_wire"] == wire[CHI] + wire[LA1]
        assert seen(LA1)["bytes_wire"] == wire[LA1]
        between = seen(HQ1, CHI)
        assert (between["bytes_in"], between["bytes_out"]) == (wire[CHI], wire[LA1])
        lab.order(package, "LA1", "verify")
        lab.settle()
        assert seen(HQ1)["bytes_wire"] == wire[CHI] + wire[LA1], "reports that come again change no sum"
        lab.world.clock.move(dt.timedelta(days=91).total_seconds())
        assert seen(HQ1)["bytes_wire"] == 0
        with lab.core(HQ1).database.writing() as tx:
            assert hourly.forget_traffic(tx, lab.world.clock.now())
