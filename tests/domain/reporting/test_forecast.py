"""What bringing a version to a place would take, said before; and why it took what it did, after."""

from __future__ import annotations

import random
from typing import Any

import pytest

from haulage.base.errors import ConflictError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.reporting.explain import explain, parcel_for
from haulage.domain.transit import records
from haulage.engine.protocol.asks import Want
from haulage.engine.trees.memory import MemoryTree
from tests.domain.worlds import CHI, HQ1, LA1, Lab, lab


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def _source(here: Lab, version: bytes) -> None:
    """A large file with a small change in every version, one that only its first version has, one that is new every time."""
    tree = here.world.sources.trees["memory:demo"] = MemoryTree()
    tree.file(b"large", noise(1, 300_000) + version + noise(2, 300_000), mtime_ns=1)
    tree.file(b"same", noise(3, 100_000), mtime_ns=1)
    tree.file(b"new/" + version, noise(ord(version), 50_000), mtime_ns=1)


def _two_versions(here: Lab) -> PackageId:
    """Version 1 is at CHI and LA1, version 2 at HQ1 alone."""
    package = here.package("LA1")
    _source(here, b"1")
    here.publish(package)
    here.settle()
    here.world.network.cut |= {CHI, LA1}
    _source(here, b"2")
    here.publish(package)
    here.work()
    return package


def _plan(here: Lab, package: PackageId, *places: str, files: bool = False) -> list[dict[str, Any]]:
    core = here.core(HQ1)
    with core.database.reading() as tx:
        known = catalog.find_package(tx, package)
    assert known is not None
    return core.forecaster.plan(known, [Place(where) for where in places], files=files)


def test_c14_a_plan_says_what_is_reused_what_is_new_and_from_what() -> None:
    with lab() as here:
        package = _two_versions(here)
        chi, la1, own = _plan(here, package, "CHI", "LA1", "HQ1")
        assert (chi["present"], chi["version"], chi["bases"]) == (1, 2, [f"{package}:1"])
        assert chi["bytes_total"] == 750_001
        assert chi["bytes_reused"] + chi["bytes_new"] == chi["bytes_total"]
        assert 50_000 < chi["bytes_new"] < 350_000
        assert (chi["level"], chi["wire"], chi["rate"], chi["seconds"]) == ("smallest", "estimated", None, None)
        assert "not measured" in chi["note"]
        assert (la1["via"], la1["bytes_new"]) == (["CHI"], chi["bytes_new"])
        assert "begins at CHI" in la1["note"]
        assert (own["bytes_new"], own["bytes_wire"], own["note"]) == (0, 0, "The site holds it already.")


def test_a_plan_knows_the_line_once_it_was_measured_and_the_size_once_it_was_made() -> None:
    with lab() as here:
        package = _two_versions(here)
        core = here.core(HQ1)
        with core.database.writing() as tx:
            records.put_receiver(tx, records.Receiver(site=CHI, rate=10_000))
        (before,) = _plan(here, package, "CHI")
        assert before["rate"] == 10_000
        assert before["seconds"] == pytest.approx(before["bytes_wire"] / 10_000, abs=1.0)
        assert before["finish"] > "2026"


def test_the_size_of_what_is_made_is_exact() -> None:
    with lab() as here:
        package = _two_versions(here)
        core = here.core(HQ1)
        with core.database.reading() as tx:
            held = records.held_versions(tx, package)
        first, second = (held[VersionNumber(number)].hex() for number in (1, 2))
        want = Want(package=package, version=VersionNumber(2), target=second, held=(first,))
        assert isinstance(core.provider.want(CHI, want), bytes)
        with core.database.reading() as tx:
            size = records.list_parcels(tx, bytes.fromhex(second))[0].size
        (row,) = _plan(here, package, "CHI")
        assert (row["wire"], row["bytes_wire"]) == ("made", size)


def test_c14_each_file_is_accounted_for_with_its_reason() -> None:
    with lab() as here:
        package = _two_versions(here)
        (row,) = _plan(here, package, "CHI", files=True)
        files = {file["path"]: file for file in row["files"]}
        assert files["large"]["why"] == "delta"
        assert files["large"]["base"] == "large"
        assert files["large"]["bytes_new"] < 1_000
        assert files["new/2"]["bytes_new"] >= 49_000
        assert files["new/2"]["why"] in ("nothing_alike", "packed", "delta")
        assert sum(reason["files"] for reason in row["reasons"]) == len(files)
        assert all(reason["meaning"] for reason in row["reasons"])


def test_explain_says_from_what_it_came_and_why() -> None:
    with lab() as here:
        here.point("CHI/p")
        package = here.package("LA1", "CHI/p")
        _source(here, b"1")
        here.publish(package)
        here.settle()
        assert "all of it had to travel" in _explained(here, package, "CHI")["why"]
        _source(here, b"2")
        here.publish(package)
        here.settle()
        chi = _explained(here, package, "CHI")
        assert chi["bases"] == [f"{package}:1"]
        assert "on top of" in chi["why"]
        assert chi["level"] == "smallest"
        assert "point takes every byte" in _explained(here, package, "CHI/p")["why"]
        core = here.core(HQ1)
        with core.database.reading() as tx:
            known = catalog.find_package(tx, package)
            assert known is not None
            parcel = parcel_for(tx, known, records.find_shipment(tx, package, Place("CHI")))
        accounted = core.forecaster.account(known, parcel)
        assert [reason for reason in accounted["reasons"] if reason["why"] == "delta"]  # type: ignore[attr-defined]


def _explained(here: Lab, package: PackageId, where: str) -> dict[str, Any]:
    core = here.core(HQ1)
    with core.database.reading() as tx:
        known = catalog.find_package(tx, package)
        assert known is not None
        view = explain(tx, known, Place(where))
    assert view is not None
    return view


def test_what_cannot_be_planned_says_why() -> None:
    with lab() as here:
        package = here.package("LA1")
        with pytest.raises(ConflictError) as caught:
            _plan(here, package, "CHI")
        assert caught.value.code == "no-version-here"
        here.publish(package)
        here.settle()
        core = here.core(CHI)
        with core.database.reading() as tx:
            known = catalog.find_package(tx, package)
        assert known is not None
        with pytest.raises(ConflictError) as caught:
            core.forecaster.plan(known, [Place(SiteCode("HQ1"))])
        assert caught.value.code == "not-below"
