"""One update for several receivers: made once, at a level their lines are worth, of what each of them can do."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.domain.transit import records
from haulage.domain.transit.parcel_cache import Way
from haulage.engine.content.model import ManifestId
from haulage.engine.delta.level import Level
from haulage.engine.protocol.asks import Offer, Want
from haulage.engine.protocol.codec import decode
from tests.domain.worlds import CHI, HQ1, Lab, lab

BOS = SiteCode("BOS")
FAN = (("HQ1", None), ("CHI", "HQ1"), ("BOS", "HQ1"))
MBIT = 1_000_000 // 8


def _two_versions(here: Lab) -> tuple[PackageId, Want]:
    """Both children hold version 1; version 2 is at HQ1 alone, and the lines are down for all but who asks by hand."""
    package = here.package("CHI", "BOS")
    here.source(b"first")
    here.publish(package)
    here.settle()
    here.world.network.cut |= {CHI, BOS}
    here.source(b"second")
    here.publish(package)
    here.work()
    with here.core(HQ1).database.reading() as tx:
        held = records.held_versions(tx, package)
    first, second = held[VersionNumber(1)].hex(), held[VersionNumber(2)].hex()
    return package, Want(package=package, version=VersionNumber(2), target=second, held=(first,))


class Builds:
    """What the provider has built since, and how."""

    def __init__(self, here: Lab, monkeypatch: pytest.MonkeyPatch, abilities: Sequence[str] = ()) -> None:
        self.made: list[tuple[Level, frozenset[str]]] = []
        self._here = here
        provider = here.core(HQ1).provider
        monkeypatch.setattr(provider, "abilities", frozenset(abilities))
        real = provider._build

        def build(*what: object, level: Level, abilities: frozenset[str]) -> object:
            self.made.append((level, abilities))
            return real(*what, level=level, abilities=abilities)  # type: ignore[arg-type]

        monkeypatch.setattr(provider, "_build", build)

    def ask(self, child: SiteCode, want: Want, **changes: object) -> Offer:
        """What a child is offered."""
        core = self._here.core(HQ1)
        fields = {name: getattr(want, name) for name in want.__struct_fields__}
        answer = core.provider.want(child, Want(**(fields | changes)))
        assert isinstance(answer, bytes)
        return decode(core.parts.seal.open(answer, Offer.PAYLOAD_TYPE, [self._here.world.sites[HQ1].key]), Offer)


def test_two_children_with_the_same_base_share_one_parcel_whatever_else_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(FAN) as here:
        _package, want = _two_versions(here)
        builds = Builds(here, monkeypatch)
        one = builds.ask(CHI, want)
        other = builds.ask(BOS, want, held=(*want.held, "ee" * 32))
        assert one.bases == other.bases == want.held
        assert one.parcel == other.parcel
        assert len(builds.made) == 1
        assert builds.ask(CHI, want, held=()).bases == ()
        assert len(builds.made) == 2


def test_only_what_both_sides_can_do_is_leaned_on_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(FAN) as here:
        _package, want = _two_versions(here)
        builds = Builds(here, monkeypatch, ("deflate-1", "xz-1"))
        builds.ask(CHI, want, abilities=("deflate-1", "of-tomorrow"))
        builds.ask(BOS, want, abilities=("deflate-1",))
        assert builds.made == [(Level.SMALLEST, frozenset({"deflate-1"}))]
        builds.ask(BOS, want, abilities=())
        builds.ask(CHI, want, abilities=("xz-1", "deflate-1"))
        assert [abilities for _level, abilities in builds.made[1:]] == [frozenset(), frozenset({"deflate-1", "xz-1"})]
        # All three came out the same, so whoever asks now takes it, whatever it can do of that.
        builds.ask(CHI, want, abilities=("deflate-1",))
        builds.ask(BOS, want, abilities=())
        builds.ask(BOS, want, abilities=("xz-1",))
        assert len(builds.made) == 3


def test_a_parcel_that_leans_on_more_than_a_receiver_can_do_is_not_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(FAN) as here:
        _package, want = _two_versions(here)
        builds = Builds(here, monkeypatch, ("deflate-1", "xz-1"))
        builds.ask(CHI, want, abilities=("deflate-1",))
        core = here.core(HQ1)
        with core.database.reading() as tx:
            (made,) = records.list_parcels(tx, bytes.fromhex(want.target))
        cache = core.provider.cache
        way = Way(
            target=ManifestId(made.target),
            bases=tuple(ManifestId(bytes.fromhex(base)) for base in made.bases),
            abilities=frozenset(),
        )
        assert cache.along(dataclasses.replace(way, abilities=frozenset({"deflate-1"}))) == [made]
        assert cache.along(way) == []
        assert cache.along(dataclasses.replace(way, abilities=frozenset({"deflate-1", "xz-1"}))) == []


def test_the_level_is_what_all_lines_to_those_who_want_it_are_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(FAN) as here:
        package, want = _two_versions(here)
        builds = Builds(here, monkeypatch)
        builds.ask(CHI, want, rate=1000 * MBIT)
        assert [level for level, _abilities in builds.made] == [Level.FAST]
        builds.ask(BOS, want, rate=MBIT // 2)
        assert [level for level, _abilities in builds.made] == [Level.FAST, Level.SMALLEST]
        # Who asks now takes the small one that is there, and so does everybody once it is there.
        builds.ask(CHI, want, rate=1000 * MBIT)
        assert len(builds.made) == 2
        with here.core(HQ1).database.reading() as tx:
            assert "smallest" in {record.level for record in records.list_parcels(tx, bytes.fromhex(want.target))}
            row = records.find_shipment(tx, package, here.row(package, "BOS").place)
        assert row is not None


def test_who_has_the_version_already_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(FAN) as here:
        package, want = _two_versions(here)
        builds = Builds(here, monkeypatch)
        builds.ask(BOS, want, rate=MBIT // 2)
        core = here.core(HQ1)
        with core.database.writing() as tx:
            for record in records.list_parcels(tx):
                records.remove_parcel(tx, record.id)
            for row in records.list_shipments(tx, package=package, owner=BOS):
                records.put_shipment(tx, dataclasses.replace(row, present=VersionNumber(2)))
        builds.made.clear()
        builds.ask(CHI, want, rate=1000 * MBIT)
        assert [level for level, _abilities in builds.made] == [Level.FAST]


def test_a_setting_decides_and_a_smaller_one_that_is_there_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(FAN) as here:
        _package, want = _two_versions(here)
        builds = Builds(here, monkeypatch)
        provider = here.core(HQ1).provider
        for level, made in (("balanced", 1), ("fast", 1), ("smallest", 2), ("balanced", 2)):
            monkeypatch.setattr(provider, "_level", level)
            builds.ask(CHI, want, rate=1000 * MBIT)
            assert len(builds.made) == made
        assert [level for level, _abilities in builds.made] == [Level.BALANCED, Level.SMALLEST]
