"""What is asked for in scenarios, by people and by the passing of time, and the states they begin in. Each may be repeated."""

from __future__ import annotations

import os
from unittest import mock

from haulage.base.errors import TransferError
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Word
from haulage.operations import packages, points
from haulage.operations.orders import give_order, say_of_transfer
from haulage.operations.sites import invite_site
from haulage.server.housekeeping import sweep_store
from haulage.testing.crash_points.line import take_claim
from haulage.testing.crash_points.world import CHI, HQ, World
from haulage.testing.folders import noise
from haulage.wiring import joining
from haulage.wiring.founding import init_central

ACTOR = "test"
PACKAGE = PackageId("HQ100001")
SHOP = Place("HQ1/SHOP")
_JOIN = "join.txt"


def write_source(world: World, state: int) -> None:
    """The source folder in its first or second state: some files stay, one grows, one comes, one goes."""
    top = os.path.join(world.sources, "app")
    os.makedirs(os.path.join(top, "data"), exist_ok=True)
    common = noise(150_000, 1)
    files = {
        "setup.exe": common + noise(60_000, 1 + state),
        "readme.txt": b"read me %d" % state,
        "empty": b"",
        "data/table.bin": noise(90_000, 7),
        f"data/only-{state}.bin": noise(30_000, 10 + state),
    }
    for number in range(5):
        files[f"data/small-{number}.txt"] = b"small %d" % number
    for name in ("data/only-1.bin", "data/only-2.bin"):
        if name not in files and os.path.exists(os.path.join(top, name)):
            os.unlink(os.path.join(top, name))
    for name, data in files.items():
        with open(os.path.join(top, name), "wb") as file:
            file.write(data)
    if not os.path.islink(os.path.join(top, "link")):
        os.symlink("data/table.bin", os.path.join(top, "link"))


def found(world: World) -> None:
    """The central site."""
    with world.at(HQ) as machine:
        if not machine.is_founded:
            init_central(machine.home, code=HQ, listen="127.0.0.1:8440", clock=world.clock)


def invite(world: World) -> None:
    """A central site, and a join string on a piece of paper."""
    found(world)
    with world.at(HQ):
        string = invite_site(world.process(HQ).opened.desk, ACTOR, CHI).join
    with open(os.path.join(world.live, _JOIN), "w", encoding="ascii") as file:
        file.write(string)


def join(world: World) -> None:
    """The child, by its join string."""
    with open(os.path.join(world.live, _JOIN), encoding="ascii") as file:
        string = file.read()

    def send_claim(_url: str, claim: bytes, **_more: object) -> list[bytes]:
        return world.exchange(HQ, lambda core: take_claim(core, claim))

    def fetch_root(*_arguments: object, **_more: object) -> bytes:
        return world.exchange(HQ, lambda _core: world.process(HQ).opened.root_document)

    while not world.machines[CHI].is_founded:
        with world.at(HQ):
            pass
        with world.at(CHI) as machine:
            lines = mock.patch.multiple(joining, send_claim=send_claim, fetch_root=fetch_root)
            try:
                with lines:
                    joining.join(machine.home, string, listen="127.0.0.1:8441", clock=world.clock)
            except TransferError:
                continue  # a person runs it again


def create(world: World) -> None:
    """A central site with a package that was never published."""
    found(world)
    write_source(world, 1)
    with world.at(HQ):
        spec = os.path.join(world.sources, "app")
        packages.create_package(world.process(HQ).opened.desk, ACTOR, name="app", source=spec, keep=1)


def publish(world: World, number: int = 1) -> None:
    """Version ``number``, unless it was asked for."""
    with world.at(HQ) as machine:
        with machine.core.database.reading() as tx:
            source = catalog.find_source(tx, PACKAGE)
        if source is not None and source.requested < number:
            packages.publish_package(world.process(HQ).opened.desk, ACTOR, PACKAGE)


def published(world: World) -> None:
    """One version, held by its owner."""
    create(world)
    publish(world)
    world.settle()


def changed(world: World) -> None:
    """One version, and a source that has changed since."""
    published(world)
    write_source(world, 2)


def add_shop(world: World) -> None:
    """The point."""
    with world.at(HQ) as machine:
        points.add_point(world.process(HQ).opened.desk, ACTOR, SHOP, "folder:" + machine.point)


def with_shop(world: World) -> None:
    """One version, and an empty point."""
    published(world)
    add_shop(world)


def assign(world: World, *places: Place) -> None:
    """The package to places; those it is assigned to stay."""
    with world.at(HQ):
        packages.assign_package(world.process(HQ).opened.desk, ACTOR, PACKAGE, places)


def in_shop(world: World) -> None:
    """One version at the point, and a source that has changed since."""
    with_shop(world)
    assign(world, SHOP)
    world.settle()
    write_source(world, 2)


def damaged(world: World) -> None:
    """One version at the point, and a file of it has been written over."""
    in_shop(world)
    with world.at(HQ) as machine, open(os.path.join(machine.point, PACKAGE, "1", "data", "table.bin"), "r+b") as file:
        file.write(b"damage")


def repair(world: World) -> None:
    """Have the point repaired."""
    with world.at(HQ):
        give_order(world.process(HQ).opened.desk, ACTOR, "repair", PACKAGE, SHOP)


def unassign(world: World) -> None:
    """Take it from the point."""
    with world.at(HQ) as machine:
        with machine.core.database.reading() as tx:
            package = catalog.find_package(tx, PACKAGE)
        if package is not None and SHOP in package.assignments:
            packages.unassign_package(world.process(HQ).opened.desk, ACTOR, PACKAGE, [SHOP])


def bare_shop(world: World) -> None:
    """A point that had the package, and the package is nowhere any more."""
    in_shop(world)
    unassign(world)


def remove_shop(world: World) -> None:
    """Withdraw the point."""
    with world.at(HQ) as machine:
        with machine.core.database.reading() as tx:
            known = estate.find_point(tx, SHOP)
        if known is not None:
            points.remove_point(world.process(HQ).opened.desk, ACTOR, SHOP)


def hierarchy(world: World) -> None:
    """Parent and child; one version at the parent."""
    invite(world)
    join(world)
    world.settle()
    write_source(world, 1)
    with world.at(HQ):
        spec = os.path.join(world.sources, "app")
        packages.create_package(world.process(HQ).opened.desk, ACTOR, name="app", source=spec, keep=1)
    publish(world)


def supplied(world: World) -> None:
    """The child has the version, too, and a point has it at the parent."""
    hierarchy(world)
    add_shop(world)
    assign(world, SHOP, Place(CHI))
    world.settle()


def outdated(world: World) -> None:
    """While the child was switched off, the second version came."""
    supplied(world)
    world.machines[CHI].stop()
    world.asleep = {CHI}
    write_source(world, 2)
    publish(world, 2)
    world.settle()
    world.asleep = set()


def rename(world: World) -> None:
    """Change what is said of the package, and nothing else."""
    with world.at(HQ) as machine:
        with machine.core.database.reading() as tx:
            package = catalog.find_package(tx, PACKAGE)
        if package is not None and package.name != "renamed":
            packages.change_package(world.process(HQ).opened.desk, ACTOR, PACKAGE, name="renamed")


def delete(world: World) -> None:
    """Delete the package everywhere."""
    with world.at(HQ) as machine:
        with machine.core.database.reading() as tx:
            package = catalog.find_package(tx, PACKAGE)
        if package is not None and package.version != NO_VERSION:
            packages.remove_package(world.process(HQ).opened.desk, ACTOR, PACKAGE)


def hold_midway(world: World) -> None:
    """Bring the package to the child, have it held while it comes, and released when everything has come to rest."""

    def found() -> Shipment | None:
        with world.process(CHI).core.database.reading() as tx:
            return transit.find_shipment(tx, PACKAGE, Place(CHI))

    def hold_once(_child: SiteCode) -> None:
        row = found()
        if row is not None and row.word_time is None and row.bytes_done:
            say_of_transfer(world.process(CHI).opened.desk, ACTOR, "hold", PACKAGE, Place(CHI))

    world.on_piece = hold_once
    assign(world, Place(CHI))
    world.settle()
    with world.at(CHI):
        row = found()
        if row is not None and row.word is Word.HELD:
            say_of_transfer(world.process(CHI).opened.desk, ACTOR, "release", PACKAGE, Place(CHI))


def partly_dead(world: World) -> None:
    """Two versions were captured, one of them is held: packs are dead in part."""
    changed(world)
    publish(world, 2)
    world.settle()
    with world.at(HQ) as machine, machine.core.database.writing() as tx:
        machine.core.holdings.retire(tx, PACKAGE)


def sweep(world: World) -> None:
    """Sweep the store."""
    with world.at(HQ) as machine:
        sweep_store(machine.core)


def nothing(_world: World) -> None:
    """Whatever happens happens by itself."""


def switch_on(world: World) -> None:
    """Those that slept."""
    world.asleep = set()
