"""How far each package of a made-up estate is at each place that is to hold it. Pure."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

from haulage.base.ids import NO_VERSION, Place, SiteCode, VersionNumber, is_point, make_place, owner_of, site_of
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.testing.estate.packages import Stocked, expected_places
from haulage.testing.estate.sites import Land

_S, _R = ShipmentState, Reason
_SETTLED_AFTER = dt.timedelta(days=2)
"""A version so old has arrived wherever nothing is the matter."""


class Rollout:
    """Shipments as the central site would have heard of them."""

    def __init__(self, land: Land, chance: random.Random, now: dt.datetime) -> None:
        self._land = land
        self._chance = chance
        self._now = now
        self._observed: dict[SiteCode, int] = {}

    def of(self, one: Stocked, assigned: set[Place]) -> Iterator[Shipment]:
        """One package at each of its places but those of its owner itself, and at some that it was withdrawn from. A place whose
        site has never said that it knows of the package has none."""
        arrived: dict[Place, dt.datetime] = {make_place(owner_of(one.package.id)): one.newest.captured}
        for where in expected_places(one.package.id, assigned, self._land):
            if where in arrived:
                continue
            shipment = self._at(one, where, arrived)
            if shipment is not None:
                if shipment.settled and shipment.wanted == one.newest.number:
                    arrived[where] = shipment.updated
                yield shipment
        if int(one.package.id[3:], 16) % 40 in (4, 9):
            yield from self._withdrawn(one, assigned)

    def owners(self, one: Stocked) -> Shipment:
        """The package at its owner."""
        where = make_place(owner_of(one.package.id))
        return self._present(one, where, one.newest.captured + dt.timedelta(seconds=self._chance.uniform(5, 90)))

    def _at(self, one: Stocked, where: Place, arrived: dict[Place, dt.datetime]) -> Shipment | None:
        site = site_of(where)
        way = self._land.way_down(site)
        feeder = make_place(site) if is_point(where) else make_place(way[-2])
        silent = self._land.silent_since(site)
        if silent is not None and one.newest.captured > silent:
            return self._before(one, where)
        if feeder not in arrived:
            return self._make(one, where, _S.WAITING, reason=_R.CONTENT, due=self._soon(3600), updated=one.newest.captured)
        sick = self._sick(one, where, arrived[feeder])
        if sick is not None:
            return sick
        if self._now - one.newest.captured < _SETTLED_AFTER and self._chance.random() < 0.25:
            return self._under_way(one, where, arrived[feeder])
        moment = arrived[feeder] + dt.timedelta(seconds=self._chance.uniform(20, 5400))
        return self._present(one, where, min(moment, self._now - dt.timedelta(seconds=self._chance.uniform(1, 600))))

    def _sick(self, one: Stocked, where: Place, fed: dt.datetime) -> Shipment | None:
        """At a place with a trouble what came lately is stuck, and what came before is there."""
        site, fresh = site_of(where), one.newest.number % 3 == 0 or self._now - one.newest.captured < dt.timedelta(days=20)
        if not fresh:
            return None
        needs = one.newest.bytes
        if where in self._land.full:
            message = f"{where} needs {needs} bytes for {one.package.id}:{one.newest.number}, {needs // 3} are free."
            error = ("no-space-at-point", message, "Free space there, or move the point; it goes on by itself.", "transfer")
            return self._make(
                one, where, _S.WAITING, reason=_R.SPACE, tries=4, due=self._soon(900), error=error, updated=self._past(3600)
            )
        if where in self._land.unmounted:
            message = f"The folder /srv/points/{where[4:].lower()} of point {where} is not there."
            error = ("point-not-there", message, "Is it mounted?", "transfer")
            return self._make(
                one, where, _S.WAITING, reason=_R.PERSON, tries=100, due=self._soon(3600), error=error, updated=self._past(86_400)
            )
        if site in self._land.refusing and not is_point(where):
            message = f"The manifest of {one.package.id}:{one.newest.number} is not the one its owner signed."
            error = ("wrong-manifest", message, "It was refused; look at the owner.", "integrity")
            return self._make(one, where, _S.FAILED, tries=1, error=error, updated=fed + dt.timedelta(minutes=3))
        if site in self._land.slow and not is_point(where):
            parent = self._land.parents[site]
            message = f"{parent} sent 181403648 bytes of 402653184 and ended."
            error = ("cut", message, "It goes on where it stopped.", "transfer")
            tries = self._chance.randint(1, 30)
            return self._make(
                one,
                where,
                _S.RETRYING,
                tries=tries,
                due=self._soon(600),
                error=error,
                updated=self._past(900),
                done=self._chance.random(),
            )
        return None

    def _under_way(self, one: Stocked, where: Place, fed: dt.datetime) -> Shipment:
        kinds = [(_S.MOVING, _R.NONE), (_S.MOVING, _R.NONE), (_S.VERIFYING, _R.NONE), (_S.PLANNED, _R.NONE)]
        if not is_point(where):
            kinds += [(_S.WAITING, _R.PARCEL), (_S.WAITING, _R.DEFINITION)]
        state, reason = self._chance.choice(kinds)
        done = {_S.MOVING: self._chance.random(), _S.VERIFYING: 1.0}.get(state, 0.0)
        due = self._soon(60) if state is _S.PLANNED else self._soon(3600)
        age = min(3600.0, (self._now - fed).total_seconds())
        return self._make(one, where, state, reason=reason, due=due, done=done, updated=self._past(age))

    def _present(self, one: Stocked, where: Place, moment: dt.datetime) -> Shipment:
        newest = one.newest
        new = newest.new_bytes if not is_point(where) else 0
        return Shipment(
            package=one.package.id,
            place=where,
            owner=site_of(where),
            wanted=newest.number,
            present=newest.number,
            state=_S.PRESENT,
            generation=newest.number,
            bytes_planned=newest.new_bytes * 2 // 5,
            bytes_done=newest.new_bytes * 2 // 5,
            bytes_total=newest.bytes,
            bytes_reused=newest.bytes - new,
            bytes_new=new,
            bytes_wire=new * 2 // 5,
            verified=moment,
            updated=moment,
            epoch=1,
            observation=self._observation(where),
        )

    def _before(self, one: Stocked, where: Place) -> Shipment | None:
        """Where nobody heard of the newest version yet, the one before is what was last said; nothing, if there is none."""
        if len(one.versions) < 2:
            return None
        older = Stocked(package=one.package, versions=one.versions[:-1])
        return self._present(older, where, older.newest.captured + dt.timedelta(seconds=self._chance.uniform(60, 7200)))

    def _withdrawn(self, one: Stocked, assigned: set[Place]) -> Iterator[Shipment]:
        others = [point.place for point in self._land.points if point.place not in assigned and point.site != one.package.id[:3]]
        for where in self._chance.sample(others, min(3, len(others))):
            state = self._chance.choice((_S.REMOVING, _S.REMOVED))
            due = self._soon(600) if state is _S.REMOVING else None
            yield self._make(one, where, state, wanted=NO_VERSION, due=due, updated=self._past(86_400))

    def _make(
        self,
        one: Stocked,
        where: Place,
        state: ShipmentState,
        *,
        updated: dt.datetime,
        reason: Reason = Reason.NONE,
        wanted: VersionNumber | None = None,
        tries: int = 0,
        due: dt.datetime | None = None,
        error: tuple[str, str, str, str] = ("", "", "", ""),
        done: float = 0.0,
    ) -> Shipment:
        newest = one.newest
        present = VersionNumber(max(0, newest.number - 1)) if state is not _S.REMOVED else NO_VERSION
        planned = newest.new_bytes * 2 // 5 if wanted is None else 0
        return Shipment(
            package=one.package.id,
            place=where,
            owner=site_of(where),
            wanted=newest.number if wanted is None else wanted,
            present=present,
            state=state,
            reason=reason,
            generation=newest.number,
            tries=tries,
            due=due,
            error_code=error[0],
            error_message=error[1],
            error_hint=error[2],
            error_family=error[3],
            bytes_planned=planned,
            bytes_done=int(planned * done),
            bytes_total=newest.bytes if done else 0,
            bytes_reused=newest.bytes - newest.new_bytes if done else 0,
            bytes_new=newest.new_bytes if done else 0,
            bytes_wire=int(planned * done),
            parcel=newest.manifest.hex() if 0 < done < 1 else "",
            updated=updated,
            epoch=1,
            observation=self._observation(where),
        )

    def _observation(self, where: Place) -> int:
        site = site_of(where)
        self._observed[site] = self._observed.get(site, 0) + 1
        return self._observed[site]

    def _soon(self, seconds: float) -> dt.datetime:
        return self._now + dt.timedelta(seconds=self._chance.uniform(5, seconds))

    def _past(self, seconds: float) -> dt.datetime:
        return self._now - dt.timedelta(seconds=self._chance.uniform(1, max(2.0, seconds)))
