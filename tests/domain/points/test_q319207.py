"""The storm that cannot happen: a point that fails makes nobody else do anything."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point, Site, SiteStatus
from haulage.domain.replication import records as replication
from haulage.domain.transit import records as transit
from haulage.domain.transit.views import shipment_view
from haulage.engine.database.transaction import Transaction
from haulage.engine.jobs.engine import Submission
from haulage.operations import packages
from tests.domain.worlds import ACTOR, CHI, HQ1, ONE, Lab, lab

CHILDREN = [SiteCode(f"C{number:02}") for number in range(50)]
TRIES = 200
BROKEN = "HQ1/bad"


def _add_children(tx: Transaction) -> None:
    for number, code in enumerate(CHILDREN):
        key = base64.b64encode(bytes([number]) * 32).decode()
        site = Site(code=code, name="", parent=HQ1, url="https://c", key=key, certificate="", status=SiteStatus.ACTIVE)
        estate.put_site(tx, site)


def _towards_children(here: Lab) -> dict[str, object]:
    """Everything that was, or is to be, sent to any child."""
    core = here.core(HQ1)
    with core.database.reading() as tx:
        lists = {
            table.name: tx.execute(table.select()).all() for table in (replication.dirty, replication.sealed, replication.told)
        }
        streams = [(one.peer, one.out_next, one.out_bytes) for one in replication.list_streams(tx)]
    return {**lists, "streams": streams, "served": dict(core.provider.served_bytes)}


@pytest.mark.slow_twice
def test_q319207_two_hundred_tries_of_one_point_and_nothing_towards_fifty_children() -> None:
    with lab(ONE) as here:
        with here.core(HQ1).database.writing() as tx:
            _add_children(tx)
        here.point(BROKEN)
        here.point("HQ1/good")
        package = here.package(BROKEN, "HQ1/good", *CHILDREN)
        here.world.points.clear()
        here.world.open_point(_point(here)).broken = True
        here.publish(package)
        here.work()
        for code in CHILDREN:
            here.core(HQ1).streams.outgoing(code, here.core(HQ1).streams.position(code))
        assert here.row(package, "HQ1/good").settled
        before = _towards_children(here)
        started: list[tuple[str, str]] = []
        woken: list[SiteCode] = []
        assert any(one[1] > 1 for one in before["streams"])  # type: ignore[attr-defined]
        jobs = here.world.sites[HQ1].jobs
        assert jobs is not None
        submit = jobs.submit

        def counted(kind: str, job_id: str, argument: str, **more: Any) -> Submission:
            answer = submit(kind, job_id, argument, **more)
            if answer is Submission.ACCEPTED and kind != "survey":  # each point is looked over once after a start
                started.append((kind, more["place"]))
            return answer

        jobs.submit = counted  # type: ignore[method-assign]
        here.world.around.on_wake = lambda _site, peer: woken.append(peer)
        first = here.row(package, BROKEN).tries
        while here.row(package, BROKEN).tries < first + TRIES:
            assert here.world.step() or here.world.pass_time()
        assert started.count(("point", BROKEN)) == TRIES, "one job a try"
        others = [one for one in started if one != ("point", BROKEN)]
        assert others in ([], [("point", "HQ1/good")]), "no other but the good point's own clearing up"
        assert woken == []
        assert _towards_children(here) == before
        assert here.row(package, BROKEN).tries == first + TRIES
        assert here.row(package, BROKEN).run == first + TRIES, "Q191360: the counter is the number of attempts"


def test_q319207_q140374_the_counter_survives_a_restart() -> None:
    with lab(ONE) as here:
        package = _failing(here, tries=7)
        here.world.sites[HQ1].kill()
        here.world.start(here.world.sites[HQ1])
        assert here.row(package, BROKEN).tries == 7
        assert here.world.sites[HQ1].next_seconds() is not None
        while here.row(package, BROKEN).tries < 8:
            assert here.world.step() or here.world.pass_time()
        assert here.row(package, BROKEN).tries == 8


def test_q319207_other_packages_never_advance_its_due_time() -> None:
    with lab(ONE) as here:
        package = _failing(here, tries=9)
        before = here.row(package, BROKEN)
        other = packages.create_package(here.desk(HQ1), ACTOR, name="other", source="memory:demo")
        packages.assign_package(here.desk(HQ1), ACTOR, other.id, [Place("HQ1/good")])
        for text in (b"a", b"b", b"c"):
            here.source(text)
            here.publish(other.id)
            here.work()
        assert here.row(other.id, "HQ1/good").present == 3
        assert here.row(package, BROKEN) == before


def test_a_healed_point_gets_what_it_missed_by_itself() -> None:
    with lab(ONE) as here:
        package = _failing(here, tries=4)
        here.source(b"newer")
        here.publish(package)
        here.work()
        here.world.open_point(_point(here)).broken = False
        here.settle()
        row = here.row(package, BROKEN)
        assert (row.present, row.tries, row.error_code) == (2, 0, "")


def _failing(here: Lab, *, tries: int) -> PackageId:
    here.point(BROKEN)
    here.point("HQ1/good")
    package = here.package(BROKEN)
    here.world.open_point(_point(here)).broken = True
    here.publish(package)
    while tries:
        assert here.world.step() or here.world.pass_time()
        with here.core(HQ1).database.reading() as tx:
            row = transit.find_shipment(tx, package, Place(BROKEN))
        if row is not None and row.tries >= tries:
            break
    return package


def _point(here: Lab) -> Point:
    with here.core(HQ1).database.reading() as tx:
        found = estate.find_point(tx, Place(BROKEN))
    assert found is not None
    return found


def test_an_error_says_of_which_family_it_is_at_its_place_and_above() -> None:
    with lab() as here:
        here.point("CHI/p")
        package = here.package("CHI/p")
        here.world.open_point(Point(place=Place("CHI/p"), kind="folder", url="folder:/CHI/p", owner=HQ1, options={})).broken = True
        here.publish(package)
        here.work()
        for code in (CHI, HQ1):
            with here.core(code).database.reading() as tx:
                row = transit.find_shipment(tx, package, Place("CHI/p"))
            assert row is not None
            error = shipment_view(row)["error"]
            assert isinstance(error, dict)
            assert error["family"] == "transfer"
