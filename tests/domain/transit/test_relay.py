"""A parcel that arrives is handed on: made once at the top, whatever the number of hops below."""

from __future__ import annotations

import os

import pytest

from haulage.base.ids import PackageId, SiteCode
from haulage.domain.transit import records, relay
from haulage.testing.simulation.network import Host
from tests.domain.worlds import CHI, HQ1, LA1, Lab, lab


def _builds(here: Lab, monkeypatch: pytest.MonkeyPatch, *sites: SiteCode) -> list[SiteCode]:
    """At which sites parcels are built from now on."""
    built: list[SiteCode] = []
    for site in sites:
        provider = here.core(site).provider
        real = provider._build

        def build(*what: object, _site: SiteCode = site, _real: object = real, **how: object) -> object:
            built.append(_site)
            return _real(*what, **how)  # type: ignore[operator]

        monkeypatch.setattr(provider, "_build", build)
    return built


def _work(here: Lab, site: SiteCode) -> list[str]:
    return os.listdir(os.path.join(here.world.folder, site, "work"))


def _published(here: Lab, package: PackageId, *texts: bytes) -> None:
    for text in texts:
        here.source(text)
        here.publish(package)
        here.settle()


def test_a_difference_is_worked_out_once_for_all_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab() as here:
        package = here.package("LA1")
        built = _builds(here, monkeypatch, HQ1, CHI)
        _published(here, package, b"first", b"second")
        assert here.row(package, "LA1").present == 2
        assert built == [HQ1, HQ1]
        ids = []
        for site in (HQ1, CHI):
            with here.core(site).database.reading() as tx:
                ids.append({(one.id, one.level, one.bases, one.size, one.head_size) for one in records.list_parcels(tx)})
        assert ids[0] == ids[1]
        assert _work(here, CHI) == _work(here, LA1) == []


def test_who_has_nobody_below_keeps_no_copy() -> None:
    with lab((("HQ1", None), ("CHI", "HQ1"))) as here:
        package = here.package("CHI")
        _published(here, package, b"first")
        with here.core(CHI).database.reading() as tx:
            assert not records.list_parcels(tx)


def test_a_transfer_that_broke_off_goes_on_with_its_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab() as here:
        package = here.package("LA1")
        here.source(bytes(range(256)) * 400)
        built = _builds(here, monkeypatch, HQ1, CHI)
        pieces = 0

        def on_piece(host: Host) -> None:
            nonlocal pieces
            pieces += host.code == CHI
            if pieces == 2:
                here.world.network.broken.add(CHI)
                here.world.network.cut.add(CHI)

        here.world.network.on_piece = on_piece
        here.publish(package)
        here.work()
        assert pieces >= 2
        here.world.network.on_piece = lambda _host: None
        here.world.network.cut.clear()
        here.settle()
        assert here.row(package, "LA1").present == 1
        assert built == [HQ1]


def test_a_copy_with_holes_is_none_and_the_parcel_is_built_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab() as here:
        package = here.package("LA1")
        monkeypatch.setattr(relay, "GAPS_BYTES", -1)
        built = _builds(here, monkeypatch, HQ1, CHI)
        _published(here, package, b"first")
        assert here.row(package, "LA1").present == 1
        assert sorted(built) == [CHI, HQ1]
        assert _work(here, CHI) == []


def test_a_full_disk_ends_the_copy_and_not_the_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab() as here:
        package = here.package("LA1")

        def full(*_what: object, **_how: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(relay, "write_all", full)
        built = _builds(here, monkeypatch, HQ1, CHI)
        _published(here, package, b"first")
        assert here.row(package, "LA1").present == 1
        assert sorted(built) == [CHI, HQ1]


def test_what_would_fill_the_cache_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab() as here:
        package = here.package("LA1")
        here.core(CHI).cache.room = 100
        built = _builds(here, monkeypatch, HQ1, CHI)
        _published(here, package, b"first")
        assert here.row(package, "LA1").present == 1
        assert sorted(built) == [CHI, HQ1]
