"""Scenarios of servicing: installing, failing, repairing, taking away, and coming back from another death in one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from haulage.engine.servicing import apply, uninstall
from haulage.engine.servicing.apply import Options
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.places import opened_root
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.press import (
    FIX,
    FIX_CONTENT,
    OLD,
    ROLLUP,
    ROLLUP_CONTENT,
    Surroundings,
)
from haulage.testing.crash_points.scenario import Broken

_FAILURES = {"program-failed", "service-timeout"}
Act = Callable[[Surroundings], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixScenario:
    """One row of the table."""

    name: str
    title: str
    faults: tuple[str, ...] = ("F1", "F5")
    prepare: Act
    act: Act
    after: Broken | None = None
    """Begin on the disk that the death of another scenario left."""


def install(around: Surroundings) -> None:
    """Q316316; that it fails where it is to fail is well."""
    places, log = opened_root(around.root), Log(around)
    try:
        apply.install(places, FIX, "a" * 64, FIX_CONTENT, around.machine, log, Options())
    except ServicingError as refusal:
        _expect(around, refusal)


def install_rollup(around: Surroundings) -> None:
    """Q323206, which contains it."""
    apply.install(opened_root(around.root), ROLLUP, "b" * 64, ROLLUP_CONTENT, around.machine, Log(around), Options())


def leave(around: Surroundings, fix: str = FIX.id) -> None:
    """Take it away, if it is there."""
    try:
        uninstall.uninstall(opened_root(around.root), fix, around.machine, Log(around), Options())
    except ServicingError as refusal:
        if refusal.code != "not-installed":
            _expect(around, refusal)


def look(around: Surroundings) -> None:
    """Any command: it ends first what was begun."""
    apply.check(opened_root(around.root), FIX, "a" * 64, FIX_CONTENT, around.machine, Log(around), Options())


def _expect(around: Surroundings, refusal: ServicingError) -> None:
    if refusal.code not in _FAILURES or not around.fails:
        raise refusal


def _nothing(_around: Surroundings) -> None:
    return None


def _failing(what: str, act: Act) -> Act:
    def fail(around: Surroundings) -> None:
        around.fails = {what}
        act(around)

    return fail


def _damaged(around: Surroundings) -> None:
    install(around)
    with open(f"{around.root}/bin/i386/distmgr.dll", "wb") as file:
        file.write(OLD["bin/i386/distmgr.dll"])  # somebody copied it back by hand


def _both(around: Surroundings) -> None:
    install(around)
    install_rollup(around)


WAYS = (
    FixScenario(name="fix-install", title="install a fix: services, programs, files, data", prepare=_nothing, act=install),
    FixScenario(
        name="fix-fail-check",
        title="a fix whose last check fails, undone",
        prepare=_nothing,
        act=_failing("--check", install),
    ),
    FixScenario(
        name="fix-fail-program", title="a fix whose program fails half-way, undone", prepare=_nothing, act=_failing("up", install)
    ),
    FixScenario(
        name="fix-fail-start",
        title="a fix after which a service does not come up",
        prepare=_nothing,
        act=_failing("press-monitor", install),
    ),
    FixScenario(name="fix-repair", title="install it again over a file changed by hand", prepare=_damaged, act=install),
    FixScenario(name="fix-rollup", title="a rollup over the fix it contains", prepare=install, act=install_rollup),
    FixScenario(name="fix-uninstall", title="take a fix away", prepare=install, act=leave),
    FixScenario(
        name="fix-uninstall-rollup",
        title="take the rollup away; the fix stays",
        prepare=_both,
        act=lambda around: leave(around, ROLLUP.id),
    ),
    FixScenario(
        name="fix-fail-uninstall",
        title="a fix whose program cannot be taken back, stays",
        prepare=install,
        act=_failing("down", leave),
    ),
)


def _returning(name: str, scenario: str, step: str, occurrence: int, left: Left) -> FixScenario:
    before = {one.name: one for one in WAYS}[scenario]
    return FixScenario(
        name=name,
        title=f"heal at the next start, having died in {scenario}",
        prepare=before.prepare,
        act=look,
        after=Broken(scenario=scenario, step=step, occurrence=occurrence, left=left),
    )


FIX_SCENARIOS = (
    *WAYS,
    _returning("heal-install", "fix-install", "within-program", 2, Left.TORN),
    _returning("heal-switch", "fix-install", "unlink", 1, Left.SOME),
    _returning("heal-commit", "fix-install", "rename", -1, Left.LOST),
    _returning("heal-undo", "fix-fail-check", "undo-program", 2, Left.SOME),
    _returning("heal-uninstall", "fix-uninstall", "within-program", 1, Left.TORN),
)
