"""The book of definitions: order, scope, forgery, tombstones."""

from __future__ import annotations

import pytest

from haulage.base.errors import HaulageError, NotAllowedError
from haulage.base.ids import PackageId, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.replication import records
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.definitions import Definition, Kind, PackageState, define
from haulage.engine.status import on_sites
from haulage.testing.simulation.seal import PlainSeal
from tests.domain.worlds import CHI, HQ1, LA1, Lab, lab


def _signed(here: Lab, owner: SiteCode, package: str, revision: int, name: str | None, *places: str) -> bytes:
    state = None if name is None else PackageState(name=name, version=0, assignments=places)  # type: ignore[arg-type]
    definition = define(Kind.PACKAGE, package, owner, revision, state)
    seal = PlainSeal(here.world.sites[owner].key, "")
    return seal.sign(Definition.PAYLOAD_TYPE, encode(definition))


def _adopt(here: Lab, at: SiteCode, document: bytes, source: SiteCode | None) -> None:
    core = here.core(at)
    with core.database.writing() as tx:
        core.definitions.adopt(tx, document, source=source)


def _name(here: Lab, at: SiteCode, package: str) -> str | None:
    with here.core(at).database.reading() as tx:
        known = catalog.find_package(tx, PackageId(package))
    return None if known is None else known.name


def test_i6_older_and_repeated_revisions_have_no_effect() -> None:
    with lab() as here:
        for revision, name in ((5, "five"), (3, "three"), (5, "five"), (4, "four")):
            _adopt(here, CHI, _signed(here, HQ1, "HQ100001", revision, name), HQ1)
        assert _name(here, CHI, "HQ100001") == "five"


def test_b41_two_truths_under_one_revision_raise_an_alarm() -> None:
    with lab() as here:
        _adopt(here, CHI, _signed(here, HQ1, "HQ100001", 5, "one"), HQ1)
        _adopt(here, CHI, _signed(here, HQ1, "HQ100001", 5, "another"), HQ1)
        assert _name(here, CHI, "HQ100001") == "one"
        assert len(here.said(CHI, on_sites.EQUIVOCATING_DEFINITION.number)) == 1


def test_i4_a_site_cannot_define_what_is_not_below_it() -> None:
    with lab() as here:
        with pytest.raises(NotAllowedError):
            _adopt(here, CHI, _signed(here, LA1, "LA100001", 1, "upwards", "HQ1"), LA1)
        with pytest.raises(NotAllowedError):
            _adopt(here, CHI, _signed(here, HQ1, "HQ100001", 1, "from above"), LA1)


def test_b26_what_another_signed_is_refused() -> None:
    with lab() as here:
        document = _signed(here, HQ1, "HQ100001", 1, "x")
        forged = PlainSeal(here.world.sites[LA1].key, "").sign(
            Definition.PAYLOAD_TYPE, PlainSeal("", "").peek(document, Definition.PAYLOAD_TYPE)
        )
        for bad in (forged, document[:-1] + b"!"):
            with pytest.raises(HaulageError):
                _adopt(here, CHI, bad, HQ1)
        assert _name(here, CHI, "HQ100001") is None


def test_q309381_a_tombstone_wins_over_the_old_and_loses_to_the_new() -> None:
    with lab() as here:
        _adopt(here, CHI, _signed(here, HQ1, "HQ100001", 7, None), HQ1)
        _adopt(here, CHI, _signed(here, HQ1, "HQ100001", 6, "old"), HQ1)
        assert _name(here, CHI, "HQ100001") is None
        _adopt(here, CHI, _signed(here, HQ1, "HQ100001", 8, "new"), HQ1)
        assert _name(here, CHI, "HQ100001") == "new"


def test_a_definition_waits_aside_until_its_signer_is_known() -> None:
    with lab() as here:
        core = here.core(CHI)
        with core.database.writing() as tx:
            records.forget_definition(tx, "site", LA1)
            tx.exec_driver_sql("DELETE FROM sites WHERE code = 'LA1'")
        _adopt(here, CHI, _signed(here, LA1, "LA100001", 1, "early"), None)
        assert _name(here, CHI, "LA100001") is None
        with here.core(HQ1).database.reading() as tx:
            known = records.find_definition(tx, "site", LA1)
        assert known is not None
        _adopt(here, CHI, known.document, HQ1)
        assert _name(here, CHI, "LA100001") == "early"
