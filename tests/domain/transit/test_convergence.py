"""Whatever comes first, newer or later: everywhere ends with what is wanted."""

from __future__ import annotations

import random

from haulage.base.errors import TransferError
from haulage.base.ids import NO_VERSION, Place
from haulage.domain.catalog import records as catalog
from haulage.domain.transit import records as transit
from haulage.domain.transit.mirror import report_of
from haulage.domain.transit.states import ShipmentState
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import Message, MessageKind
from haulage.operations import packages, sites
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, lab


def test_f25_q235788_q258424_a_newer_version_while_an_older_is_under_way() -> None:
    with lab() as here:
        here.point("LA1/p")
        package = here.package("LA1/p")
        here.publish(package)
        pieces = 0

        def newer(_child: object) -> None:
            nonlocal pieces
            pieces += 1
            if pieces == 1:
                here.source(b"second")
                here.publish(package)
                here.core(HQ1).publisher.run(package)

        here.world.network.on_piece = newer
        here.settle()
        assert pieces
        for where in ("HQ1", "CHI", "LA1", "LA1/p"):
            assert here.row(package, where).present == 2, where
            assert here.row(package, where).settled


def test_b56_q245579_content_before_definition_and_definition_before_content() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        # The definition of the new assignment reaches LA1 while CHI is told nothing new: content first.
        packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("LA1")])
        here.settle()
        assert here.row(package, "LA1").settled
        # Definition first: CHI cannot have the content while its link is cut after the definition.
        here.source(b"second")
        here.publish(package)
        here.core(HQ1).publisher.run(package)
        here.world.sites[CHI].step("pull")
        here.world.network.cut.add(CHI)
        here.work()
        assert here.row(package, "LA1").wanted == 2
        assert here.row(package, "LA1").state is ShipmentState.WAITING
        here.world.network.cut.clear()
        here.settle()
        assert here.row(package, "LA1").present == 2


def test_q235774_q244405_a_package_deleted_while_a_child_was_away() -> None:
    with lab() as here:
        here.point("LA1/p")
        package = here.package("LA1/p", "CHI")
        here.publish(package)
        here.settle()
        here.world.network.cut.add(LA1)
        packages.remove_package(here.desk(HQ1), ACTOR, package)
        here.work()
        here.world.clock.move(30 * 86_400)
        here.work()
        assert here.row(package, "LA1").present == 1
        assert here.row(package, "CHI").state is ShipmentState.REMOVED
        here.world.network.cut.clear()
        here.settle()
        for code in (HQ1, CHI, LA1):
            assert here.held(code, package) == []
            assert here.world.sites[code].disk.store.pins() == []
            assert here.world.sites[code].disk.store.sweep(lambda _manifest: [], now=here.world.clock.now()).chunks_kept == 0
        assert here.row(package, "LA1/p").present == NO_VERSION
        assert [list(point.packages()) for point in here.world.points.values()] == [[]]


def test_q244405_removal_is_said_only_when_it_is_so() -> None:
    with lab() as here:
        here.point("HQ1/p")
        package = here.package("HQ1/p")
        here.publish(package)
        here.settle()
        point = next(iter(here.world.points.values()))
        point.remove_package = lambda package: None  # type: ignore[method-assign]
        packages.remove_package(here.desk(HQ1), ACTOR, package)
        here.work()
        row = here.row(package, "HQ1/p")
        assert (row.state, row.error_code, row.present) == (ShipmentState.REMOVING, "not-removed", 1)
        assert row.due is not None


def test_q309381_added_again_after_a_removal() -> None:
    with lab() as here:
        here.point("LA1/p")
        package = here.package("LA1/p")
        here.publish(package)
        here.settle()
        for _time in range(3):
            packages.unassign_package(here.desk(HQ1), ACTOR, package, [Place("LA1/p")])
            here.world.step()
            packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("LA1/p")])
        here.settle()
        with here.core(HQ1).database.reading() as tx:
            seen = transit.find_shipment(tx, package, Place("LA1/p"))
        assert seen is not None
        assert (seen.state, seen.present) == (ShipmentState.PRESENT, 1)


def test_f18_q318834_reports_in_any_order_never_go_back() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        reports: dict[int, bytes] = {}

        def note(*_any: object) -> None:
            with here.world.sites[CHI].disk.database().reading() as tx:
                row = transit.find_shipment(tx, package, Place("CHI"))
            if row is not None:
                reports[row.observation] = encode(report_of(row))

        here.world.after_step = note
        for text in (b"a", b"b", b"c"):
            here.settle()
            here.source(text)
            here.publish(package)
        here.settle()
        assert len(reports) > 5
        shuffled = list(reports.values()) * 3
        random.Random(1).shuffle(shuffled)
        core = here.core(HQ1)
        for body in shuffled:
            with core.database.writing() as tx:
                core.mirror.take(tx, CHI, Message(kind=MessageKind.SHIPMENT, key=f"{package}/CHI", body=body))
                seen = transit.find_shipment(tx, package, Place("CHI"))
            assert seen is not None
            assert (seen.present, seen.observation) == (4, max(reports))


def test_q215130_q212937_q153231_q264171_a_removed_site_leaves_nothing_behind() -> None:
    with lab() as here:
        here.point("LA1/p")
        package = here.package("LA1/p", "CHI")
        here.publish(package)
        here.settle()
        here.world.network.cut.add(LA1)
        sites.remove_site(here.desk(HQ1), ACTOR, LA1)
        here.world.drop(LA1)
        here.settle()
        for code in (HQ1, CHI):
            with here.core(code).database.reading() as tx:
                assert [row.place for row in transit.list_shipments(tx) if row.owner == LA1] == []
                assert LA1 not in here.core(code).neighbourhood.neighbours(tx)
        jobs = here.world.sites[CHI].jobs
        assert jobs is not None
        here.source(b"second")
        here.publish(package)
        here.settle()
        assert not [job for job in jobs.waiting() if "LA1" in job]
        with here.core(CHI).database.reading() as tx:
            assert catalog.find_package(tx, package) is not None


def test_i7_f30_an_answer_that_is_lost_after_its_effect_has_that_effect_once() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        here.work()
        link = here.world.network
        link.trouble = 0.5
        for text in (b"a", b"b", b"c"):
            here.source(text)
            here.publish(package)
            for _step in range(60):
                if not here.world.step():
                    here.world.pass_time()
        link.trouble = 0.0
        here.world.sites[CHI].wake()
        here.settle()
        assert here.row(package, "CHI").present == 4
        numbers = [(one.site, one.epoch, one.sequence) for one in here.said(HQ1, 3503)]
        assert len(numbers) == len(set(numbers))


def test_q191360_each_failed_attempt_is_counted_once() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        here.core(HQ1).publisher.run(package)
        calls = 0

        def refuse(_child: object, _parent: object) -> None:
            nonlocal calls
            row = here.world.sites[CHI].jobs
            if row is not None and row.kind == "site":
                calls += 1
                raise TransferError("no-answer", "Nobody there.")

        here.world.network.on_call = refuse
        while calls < 10:
            assert here.world.step() or here.world.pass_time()
        assert here.row(package, "CHI").tries == 10
        assert here.row(package, "CHI").error_code == "no-answer"
