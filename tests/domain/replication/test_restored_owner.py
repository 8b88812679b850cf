"""An owner that comes back older than its children: it uses no number twice, and takes back what it said."""

from __future__ import annotations

import pytest

from haulage.base.errors import NotAllowedError
from haulage.base.ids import Place
from haulage.domain.catalog import records as catalog
from haulage.domain.replication import records as replication
from haulage.operations import packages
from tests.domain.worlds import ACTOR, CHAIN, CHI, HQ1, Lab, lab

pytestmark = pytest.mark.slow_twice


def test_i16_f54_an_owner_restored_from_an_old_backup_takes_back_what_it_said() -> None:
    with lab(CHAIN) as here:
        old, gone = here.package("LA1"), here.package("LA1")
        here.publish(old)
        here.publish(gone)
        here.settle()
        site = here.world.sites[HQ1]
        backup = site.disk.backup()
        here.source(b"second")
        here.publish(old)
        here.settle()
        new = here.package("LA1")
        here.publish(new)
        packages.remove_package(here.desk(HQ1), ACTOR, gone)
        here.settle()
        site.kill()
        site.disk.restore(backup)
        here.world.start(site)
        _a_while(here)
        with here.core(HQ1).database.reading() as tx:
            known = {package.id: package.version for package in catalog.list_packages(tx)}
            sources = [source.package for source in catalog.list_sources(tx)]
        assert known == {old: 2, new: 1}
        assert sources == [old], "what was deleted stays deleted"
        assert here.package("LA1") not in (old, gone, new)
        here.work()
        here.source(b"third")
        here.publish(old)
        _a_while(here)
        assert (here.row(old, "LA1").wanted, here.row(old, "LA1").present) == (1003, 1003), "numbers it may have given are left out"
        assert here.row(new, "LA1").present == 1


def _a_while(here: Lab) -> None:
    """Not until all is quiet: the restored store lacks what came since, so the owner's own shipment goes on waiting."""
    for _minute in range(30):
        here.work()
        here.world.pass_time(20)
    here.work()


@pytest.mark.parametrize("restored", [False, True])
def test_b41_what_a_site_said_itself_it_is_told_by_nobody(restored: bool) -> None:
    with lab(CHAIN) as here:
        core = here.core(HQ1)
        package = here.package("LA1")
        here.settle()
        with core.database.reading() as tx:
            document = next(one.document for one in replication.list_definitions(tx, "package") if one.id == package)
        packages.remove_package(here.desk(HQ1), ACTOR, package)
        here.settle()
        with core.database.writing() as tx:
            if restored:
                core.neighbourhood.raise_epoch(tx, 1)
            replication.forget_definition(tx, "package", package)
            with pytest.raises(NotAllowedError):
                core.definitions.adopt(tx, document, source=CHI)
            assert catalog.find_package(tx, package) is None


def test_a_middle_site_that_owns_packages_is_reminded_from_both_sides() -> None:
    with lab(CHAIN) as here:
        site = here.world.sites[CHI]
        backup = site.disk.backup()
        package = here.package("LA1", owner=CHI)
        here.publish(package, CHI)
        here.settle()
        site.kill()
        site.disk.restore(backup)
        here.world.start(site)
        _a_while(here)
        with here.core(CHI).database.reading() as tx:
            found = catalog.find_package(tx, package)
        assert found is not None
        assert (found.version, found.assignments) == (1, (Place("LA1"),))
        assert here.row(package, "LA1").present == 1
