"""Making the home of a central site with a whole estate in it. Deterministic for a seed and a moment, but for keys."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import random

from haulage.base.clock import Clock, SystemClock
from haulage.base.ids import GroupName, PackageId, Place, VersionNumber, is_point, site_of
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.trust.certificates import KeyPair, issue, make_csr, make_tls_key
from haulage.operations.groups import add_to_group
from haulage.operations.knowledge import stock_product_articles
from haulage.operations.packages import assign_package
from haulage.testing.clock import HandClock
from haulage.testing.estate.captured import create, publish_all
from haulage.testing.estate.messages import Telling
from haulage.testing.estate.packages import Spread, Stocked, expected_places, make_packages
from haulage.testing.estate.people import make_people
from haulage.testing.estate.shipments import Rollout
from haulage.testing.estate.sites import CENTRAL, Certify, Land, make_land
from haulage.testing.estate.size import Size
from haulage.testing.estate.store import Signers, Writer
from haulage.testing.estate.traffic import make_traffic
from haulage.testing.estate.words import package_names
from haulage.wiring.founding import init_central
from haulage.wiring.home import Home
from haulage.wiring.knowledge import product_articles
from haulage.wiring.site import OpenedSite, open_site

SOURCES = "-sources"
"""The folders of the captured packages lie beside the home, in one of its name and this."""
SHOPS = GroupName("shops")
_BEFORE_DAYS = 25.0
"""So long ago the captured packages begin to be published."""


def make_estate(
    path: str, size: Size, *, seed: int = 1, clock: Clock | None = None, listen: str = "127.0.0.1:0", database: str = ""
) -> Home:
    """A new home at ``path`` (and folders of sources beside it) that ``haulage serve`` or :class:`Estate` opens. Raises like
    ``haulage init``."""
    now = (clock or SystemClock()).now()
    home = init_central(path, code=CENTRAL, name="Head office", listen=listen, database=database)
    past = HandClock(now - dt.timedelta(days=_BEFORE_DAYS))
    opened = open_site(home, past)
    try:
        _Maker(home, opened, past, size, random.Random(seed), now).make()
    finally:
        opened.close()
    return home


class _Maker:
    def __init__(
        self, home: Home, opened: OpenedSite, past: HandClock, size: Size, chance: random.Random, now: dt.datetime
    ) -> None:
        self._home, self._opened, self._past = home, opened, past
        self._size, self._chance, self._now = size, chance, now
        self._names = package_names()

    def make(self) -> None:
        """Everything, in the order in which it could have come about."""
        stock_product_articles(self._opened.desk, product_articles())
        land = make_land(self._size, self._chance, self._now, self._certify())
        database = self._opened.core.database
        signers = Signers(hierarchy=self._home.keys.load("hierarchy"), sites={CENTRAL: self._opened.site_key, **land.keys})
        with database.writing() as tx:
            Writer(tx, signers, self._now).land(land)
            make_people(tx, self._now)
            make_traffic(tx, land, random.Random(len(land.sites)), self._now)
        captured = self._capture(land)
        self._group(captured)
        packages = make_packages(land, self._size, self._names, len(captured) + 1, self._chance, self._now)
        assigned = Spread(land, self._chance).assign(packages, self._size.shipments)
        known = {one.package.id: set(one.package.assignments) for one in captured}
        rollout = Rollout(land, self._chance, self._now)
        shipments = [row for one in (*captured, *packages) for row in rollout.of(one, {**assigned, **known}[one.package.id])]
        shipments += [rollout.owners(one) for one in packages]
        shipments = _one_held(shipments, self._now)
        everything = [*captured, *packages]
        with database.writing() as tx:
            writer = Writer(tx, signers, self._now)
            writer.packages(packages, assigned)
            tx.execute(transit.shipments.delete().where(transit.shipments.c.owner != CENTRAL))
            writer.shipments(shipments, _announced(everything, {**assigned, **known}, land))
            writer.messages(Telling(land, everything, shipments, self._chance, self._now).all(self._size))
            writer.backlog(land, everything)

    def _certify(self) -> Certify:
        """Certificates such as the central site gives; one key serves all, for nobody will ever connect to them."""
        root = self._home.root(self._past)
        authority = KeyPair(key_pem=self._home.keys.read("ca"), certificate_pem=root.authority_pem)
        key = make_tls_key()
        return lambda code, url: issue(authority, make_csr(key, code=code, url=url), code=code, url=url, now=self._now)

    def _group(self, captured: list[Stocked]) -> None:
        """A group of places to which packages are assigned that go there anyway."""
        first = captured[0].package
        places = sorted(where for where in first.assignments if is_point(where))[:6] or sorted(first.assignments)[:6]
        add_to_group(self._opened.desk, "ada", SHOPS, places)
        for one in captured[:1]:
            assign_package(self._opened.desk, "ada", one.package.id, [], [SHOPS])

    def _capture(self, land: Land) -> list[Stocked]:
        top, spread = self._home.path.rstrip("/") + SOURCES, Spread(land, self._chance)
        folders: dict[PackageId, str] = {}
        for number in range(1, self._size.captured + 1):
            folder = os.path.join(top, f"package-{number:02}")
            folders[create(self._opened, next(self._names), folder, spread.some)] = folder
        return publish_all(self._opened, self._past, folders, _BEFORE_DAYS * 86_400, self._chance)


def _one_held(shipments: list[Shipment], now: dt.datetime) -> list[Shipment]:
    """The first that is simply on its way to a site is held by somebody."""
    waits = (ShipmentState.WAITING, Reason.CONTENT)
    at = next((number for number, one in enumerate(shipments) if (one.state, one.reason) == waits), None)
    if at is None:
        return shipments
    said = {"word": Word.HELD, "word_by": "olaf", "word_time": now - dt.timedelta(minutes=25), "word_revision": 1}
    held = dataclasses.replace(shipments[at], reason=Reason.HELD, due=None, **said)  # type: ignore[arg-type]
    return [*shipments[:at], held, *shipments[at + 1 :]]


def _announced(
    packages: list[Stocked], assigned: dict[PackageId, set[Place]], land: Land
) -> dict[tuple[PackageId, Place], VersionNumber]:
    """What the definitions want at every place of the sites below."""
    return {
        (one.package.id, where): one.newest.number
        for one in packages
        for where in expected_places(one.package.id, assigned[one.package.id], land)
        if site_of(where) != CENTRAL
    }
