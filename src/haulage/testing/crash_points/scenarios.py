"""All scenarios: founding, capturing, sending, receiving, putting on points, deleting, sweeping, migrating, and coming back from
another death."""

from __future__ import annotations

import functools

from haulage.base.ids import Place
from haulage.testing.crash_points import acts, migrating
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.scenario import Broken, Scenario
from haulage.testing.crash_points.world import CHI


def _returning(name: str, scenario: str, step: str, occurrence: int, left: Left, faults: tuple[str, ...]) -> Scenario:
    by_name = {one.name: one for one in WAYS}
    before = by_name[scenario]
    return Scenario(
        name=name,
        title=f"coming back, having died in {scenario}",
        faults=faults,
        victim=before.victim,
        prepare=before.prepare,
        act=before.act,
        asleep=frozenset({before.victim}) | before.asleep,
        after=Broken(scenario=scenario, step=step, occurrence=occurrence, left=left),
    )


WAYS = (
    Scenario(name="init", title="found a central site", faults=("F1", "F5", "F12"), prepare=acts.nothing, act=acts.found),
    Scenario(name="join", title="join as a child", faults=("F15", "F17"), victim=CHI, prepare=acts.invite, act=acts.join),
    Scenario(name="admit", title="let a child join", faults=("F17",), prepare=acts.invite, act=acts.join),
    Scenario(name="publish", title="capture and publish", faults=("F1", "F5"), prepare=acts.create, act=acts.publish),
    Scenario(
        name="publish-again",
        title="capture and publish a changed source",
        faults=("F1", "F5"),
        prepare=acts.changed,
        act=functools.partial(acts.publish, number=2),
    ),
    Scenario(name="point-new", title="define a point", faults=("F5",), prepare=acts.published, act=acts.add_shop),
    Scenario(
        name="point-install",
        title="put a version on a point",
        faults=("F5",),
        prepare=acts.with_shop,
        act=lambda world: acts.assign(world, acts.SHOP),
    ),
    Scenario(
        name="point-update",
        title="publish, and switch a point to it",
        faults=("F1", "F5", "F37"),
        prepare=acts.in_shop,
        act=functools.partial(acts.publish, number=2),
    ),
    Scenario(name="point-repair", title="repair a point", faults=("F5",), prepare=acts.damaged, act=acts.repair, shown_whole=False),
    Scenario(name="unassign", title="take a package from a point", faults=("F23",), prepare=acts.in_shop, act=acts.unassign),
    Scenario(name="point-remove", title="withdraw a point", faults=("F23",), prepare=acts.bare_shop, act=acts.remove_shop),
    Scenario(
        name="send",
        title="build and serve a full parcel",
        faults=("F15", "F17", "F30"),
        prepare=acts.hierarchy,
        act=lambda world: acts.assign(world, Place(CHI)),
    ),
    Scenario(
        name="receive",
        title="receive a full parcel",
        faults=("F5", "F15", "F16"),
        victim=CHI,
        prepare=acts.hierarchy,
        act=lambda world: acts.assign(world, Place(CHI)),
    ),
    Scenario(
        name="hold",
        title="hold a transfer in the middle, and release it",
        faults=("F5", "F15", "F24"),
        victim=CHI,
        prepare=acts.hierarchy,
        act=acts.hold_midway,
    ),
    Scenario(
        name="send-delta",
        title="build and serve a delta",
        faults=("F15", "F17"),
        prepare=acts.outdated,
        act=acts.switch_on,
        asleep=frozenset({CHI}),
    ),
    Scenario(
        name="receive-delta",
        title="start, and receive a delta",
        faults=("F5", "F15", "F16"),
        victim=CHI,
        prepare=acts.outdated,
        act=acts.switch_on,
        asleep=frozenset({CHI}),
    ),
    Scenario(
        name="tell", title="seal, deliver, acknowledge: the sender", faults=("F17", "F30"), prepare=acts.supplied, act=acts.rename
    ),
    Scenario(
        name="hear",
        title="seal, deliver, acknowledge: the receiver",
        faults=("F17", "F30"),
        victim=CHI,
        prepare=acts.supplied,
        act=acts.rename,
    ),
    Scenario(name="delete", title="delete a package", faults=("F23",), prepare=acts.supplied, act=acts.delete),
    Scenario(name="delete-below", title="hear of a deletion", faults=("F23",), victim=CHI, prepare=acts.supplied, act=acts.delete),
    Scenario(name="sweep", title="sweep the store", faults=("F40", "F5"), prepare=acts.partly_dead, act=acts.sweep),
    Scenario(
        name="migrate", title="bring a database to a newer schema", faults=("F12",), prepare=migrating.older, act=migrating.migrate
    ),
)

SCENARIOS = (
    *WAYS,
    _returning("return-publish", "publish", "pack-fsync", 2, Left.TORN, ("F1", "F5")),
    _returning("return-point", "point-update", "syncfs", 1, Left.TORN, ("F5",)),
    _returning("return-send", "send", "rename", 2, Left.SOME, ("F15",)),
    _returning("return-receive", "receive", "pack-fsync", 3, Left.SOME, ("F15", "F5")),
    _returning("return-sweep", "sweep", "unlink", 2, Left.SOME, ("F40",)),
)


def by_name(name: str) -> Scenario:
    """Raises KeyError."""
    return {one.name: one for one in SCENARIOS}[name]
