"""Publishing: only what is new makes a version; what fails changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.base.errors import ConflictError, NotFoundError
from haulage.base.ids import PackageId, VersionNumber
from haulage.domain.catalog import records
from haulage.domain.catalog.model import CaptureState, Package, Source
from haulage.operations import packages
from tests.domain.worlds import ACTOR, CHI, HQ1, Lab, lab


@pytest.fixture
def here() -> Iterator[Lab]:
    with lab((("HQ1", None), ("CHI", "HQ1"))) as made:
        yield made


def _known(here: Lab, package: PackageId) -> tuple[Package, Source]:
    with here.core(HQ1).database.reading() as tx:
        known, source = records.find_package(tx, package), records.find_source(tx, package)
    assert known is not None
    assert source is not None
    return known, source


def _moved(here: Lab) -> tuple[int, int]:
    core = here.core(HQ1)
    with core.database.reading() as tx:
        return here.row(PackageId("HQ100001"), "CHI").run, sum(core.provider.served_bytes.values()) + len(
            list(tx.execute(records.versions.select()))
        )


def test_q281754_publishing_twice_makes_no_version_no_job_no_byte(here: Lab) -> None:
    package = here.package("CHI")
    here.publish(package)
    here.settle()
    before, moved = _known(here, package)[0], _moved(here)
    here.publish(package)
    here.settle()
    after, source = _known(here, package)
    assert after == before, "not even a revision"
    assert (source.outcome, source.done) == ("unchanged", 2)
    assert _moved(here) == moved


def test_q316316_a_failed_capture_leaves_the_version_before(here: Lab) -> None:
    package = here.package("CHI")
    here.publish(package)
    here.settle()
    here.source(b"second")
    here.world.sources.broken.add("memory:demo")
    here.publish(package)
    here.settle()
    known, source = _known(here, package)
    assert known.version == 1
    assert here.row(package, "CHI").settled
    assert (source.state, source.error_code) == (CaptureState.FAILED, "source-unreadable")
    assert "memory:demo" in source.error_message
    here.world.sources.broken.clear()
    here.publish(package)
    here.settle()
    assert here.row(package, "CHI").present == 2


def test_q160567_a_property_is_a_revision_and_moves_no_content(here: Lab) -> None:
    package = here.package("CHI")
    here.publish(package)
    here.settle()
    before, run = _known(here, package)[0], here.row(package, "CHI").run
    packages.change_package(here.desk(HQ1), ACTOR, package, name="renamed")
    here.settle()
    after = _known(here, package)[0]
    assert after.version == before.version
    assert after.revision > before.revision
    assert here.row(package, "CHI").run == run
    with here.core(CHI).database.reading() as tx:
        seen = records.find_package(tx, package)
    assert seen is not None
    assert seen.name == "renamed"


def test_rolling_back_publishes_old_content_as_a_new_version_without_a_byte(here: Lab) -> None:
    package = here.package("CHI", keep=3)
    here.publish(package)
    here.settle()
    here.source(b"second")
    here.publish(package)
    here.settle()
    served = dict(here.core(HQ1).provider.served_bytes)
    desk = here.desk(HQ1)
    foretold = packages.rollback_number(desk, package, VersionNumber(1))
    assert packages.rollback_package(desk, ACTOR, package, VersionNumber(1)).number == foretold == 3
    here.settle()
    assert here.row(package, "CHI").present == 3
    assert here.core(HQ1).provider.served_bytes == served
    for ask in (
        lambda: packages.rollback_package(desk, ACTOR, package, foretold),
        lambda: packages.rollback_number(desk, package, foretold),
    ):
        with pytest.raises(ConflictError, match="has that content already"):
            ask()
    with pytest.raises(NotFoundError, match="has no version 9"):
        packages.rollback_number(desk, package, VersionNumber(9))


def test_f6_a_request_that_comes_while_a_capture_runs_is_answered_by_the_next(here: Lab) -> None:
    package = here.package()
    for _time in range(3):
        here.publish(package)
    here.settle()
    assert _known(here, package)[1].done == 3
    assert _known(here, package)[0].version == 1
