"""Parcels for children: a failed build is not the answer for ever, and what happens beside a build does not spoil it."""

from __future__ import annotations

import dataclasses
import os

import pytest

from haulage.base.errors import NotFoundError, TransferError
from haulage.base.ids import PackageId, VersionNumber
from haulage.domain.transit import records
from haulage.engine.protocol.asks import Pending, Want
from tests.domain.worlds import CHI, HQ1, Lab, lab

PAIR = (("HQ1", None), ("CHI", "HQ1"))


def _published(here: Lab) -> tuple[PackageId, Want]:
    package = here.package("CHI")
    here.world.network.cut.add(CHI)
    here.publish(package)
    here.work()
    with here.core(HQ1).database.reading() as tx:
        manifest = records.held_versions(tx, package)[VersionNumber(1)]
    return package, Want(package=package, version=VersionNumber(1), target=manifest.hex(), held=())


def test_a_failed_build_is_not_the_answer_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(PAIR) as here:
        _package, want = _published(here)
        provider = here.core(HQ1).provider
        real = provider._build

        def full(*_any: object, **_named: object) -> None:
            raise TransferError("disk-full", "The disk is full.")

        monkeypatch.setattr(provider, "_build", full)
        for _time in range(2):
            with pytest.raises(TransferError):
                provider.want(CHI, want)
        monkeypatch.setattr(provider, "_build", real)
        assert isinstance(provider.want(CHI, want), bytes)


def test_i5_a_version_retired_while_its_parcel_is_built_is_no_error_of_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(PAIR) as here:
        package, want = _published(here)
        core = here.core(HQ1)
        held = True

        def swept(*_any: object, **_named: object) -> None:
            if not held:
                with core.database.writing() as tx:
                    core.holdings.drop(tx, package, VersionNumber(1))
            raise NotFoundError("chunk-missing", "A chunk is missing.")

        monkeypatch.setattr(core.provider, "_build", swept)
        with pytest.raises(NotFoundError):
            core.provider.want(CHI, want)
        held = False
        assert isinstance(core.provider.want(CHI, want), Pending)


def test_what_is_being_served_is_not_evicted() -> None:
    with lab(PAIR) as here:
        _package, want = _published(here)
        core = here.core(HQ1)
        core.provider.want(CHI, want)
        with core.database.writing() as tx:
            (first,) = records.list_parcels(tx)
            other = dataclasses.replace(first, id="ff" * 32, size=core.provider.cache.room, used=here.world.clock.now())
            records.put_parcel(tx, other)
        core.provider.open(CHI, first.id)
        core.provider.cache.evict(keep=other.id)
        core.provider.open(CHI, first.id)
        here.world.clock.move(3600)
        core.provider.cache.evict(keep=other.id)
        with pytest.raises(NotFoundError):
            core.provider.open(CHI, first.id)


def test_f28_q320638_a_folder_of_parcels_emptied_by_hand_stops_nobody() -> None:
    """The files are gone, the table still has them: in the middle of a life and at a start."""
    with lab(PAIR) as here:
        package, want = _published(here)
        provider = here.core(HQ1).provider
        provider.want(CHI, want)
        with here.core(HQ1).database.reading() as tx:
            (record,) = records.list_parcels(tx)
        os.unlink(os.path.join(here.world.folder, HQ1, f"{record.id}.parcel"))
        with pytest.raises(NotFoundError):
            provider.open(CHI, record.id)
        assert isinstance(provider.want(CHI, want), bytes)
        assert os.path.exists(provider.open(CHI, record.id))
        os.unlink(os.path.join(here.world.folder, HQ1, f"{record.id}.parcel"))
        here.world.sites[HQ1].kill()
        here.world.start(here.world.sites[HQ1])
        here.world.network.cut.clear()
        here.settle()
        assert here.row(package, "CHI").present == 1


def test_f20_fifty_children_cost_one_build_and_a_silent_one_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(PAIR) as here:
        _package, want = _published(here)
        provider = here.core(HQ1).provider
        real, builds = provider._build, 0

        def counted(*what: object, **how: object) -> object:
            nonlocal builds
            builds += 1
            return real(*what, **how)  # type: ignore[arg-type]

        monkeypatch.setattr(provider, "_build", counted)
        assert isinstance(provider.want(CHI, want), bytes)  # asks, and never fetches a byte
        offers = {provider.want(CHI, want) for _child in range(49)}
        assert builds == 1
        assert len(offers) == 1


def test_f15_i12_what_a_killed_builder_left_of_a_parcel_goes_at_the_next_start() -> None:
    with lab(PAIR) as here:
        provider = here.core(HQ1).provider
        left = provider.cache.parcels.path(".building-1-2") + ".01234567.tmp"
        with open(left, "wb") as file:
            file.write(b"half")
        provider.tidy()
        assert not os.path.exists(left)
