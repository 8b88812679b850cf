"""One scenario, one step, one way to leave the disk: prepare, run, die, come back, finish, compare."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from haulage.testing.crash_points.death import Death
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.scenario import Scenario
from haulage.testing.crash_points.scenarios import by_name
from haulage.testing.crash_points.verdict import State, check_returned, final_state
from haulage.testing.crash_points.world import Died, Stuck, World

_MEMORY_FOLDER = "/dev/shm"  # noqa: S108  (a private folder is made in it)
_LIVES = 4


class Differs(AssertionError):
    """It came to rest elsewhere than without a death."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one death."""

    scenario: str
    point: int
    step: str
    left: Left
    failure: str = ""

    @property
    def held(self) -> bool:
        """Whether all that must hold held."""
        return not self.failure


class Bench:
    """One scenario, prepared once: its steps are known, and any number of deaths can be tried. Close it."""

    def __init__(self, scenario: Scenario, *, beside: str | None = None) -> None:
        """``beside``: the root of a bench in another process, whose prepared state is used; then it knows no steps."""
        self.scenario = scenario
        self.steps: list[str] = []
        self._expected: State = {}
        self.root = beside or tempfile.mkdtemp(prefix="haulage-crash-", dir=memory_folder())
        self._live = os.path.join(self.root, "live")
        self._template = os.path.join(self.root, "template")
        self._sources = os.path.join(self.root, "sources")
        self._found = os.path.join(self.root, "found")
        if beside is not None:
            return
        os.makedirs(self._sources)
        try:
            self._prepare()
            self.steps, self._expected = self._count()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the space back."""
        shutil.rmtree(self.root, ignore_errors=True)

    def try_point(self, point: int, left: Left) -> Trial:
        """Die before the step of that number (from 1)."""
        step = self.steps[point - 1]
        try:
            self._run(self._death(point, left))
        except Exception as failure:
            words = f"{type(failure).__name__}: {failure}"
            return Trial(scenario=self.scenario.name, point=point, step=step, left=left, failure=words)
        return Trial(scenario=self.scenario.name, point=point, step=step, left=left)

    def die_for_real(self, point: int, kill: Callable[[], None]) -> None:
        """In a process of its own: run up to the step, then be killed by ``kill``."""
        self._run(Death(self.scenario.victim, point, Left.KILLED, leave_in=self._found, kill=kill))

    def come_back(self) -> None:
        """Another process died on this disk: come back, finish, compare. Raises AssertionError."""
        world = World(self._live, self._sources, self._death(None, Left.KILLED), seed="come back")
        with world.alive():
            world.on_return = lambda machine: check_returned(world, machine, shown_whole=self.scenario.shown_whole)
            for machine in world.machines.values():
                machine.deaths = 1
            self._go_on(world)

    def _death(self, point: int | None, left: Left) -> Death:
        return Death(self.scenario.victim, point, left, leave_in=self._found)

    def _prepare(self) -> None:
        world = World(self._live, self._sources, self._death(None, Left.KILLED), seed="prepare")
        with world.alive():
            self.scenario.prepare(world)
            world.asleep = set(self.scenario.asleep)
            if not self.scenario.asleep:
                world.settle()
        if self.scenario.after is not None:
            self._die_first()
        os.rename(self._live, self._template)

    def _die_first(self) -> None:
        """The death that comes before the scenario: in the other one, up to when its victim would be switched on again."""
        assert self.scenario.after is not None
        before, after = by_name(self.scenario.after.scenario), self.scenario.after
        os.rename(self._live, self._template)
        steps = self._steps_of(before)
        point = [number for number, step in enumerate(steps, 1) if step == after.step][after.occurrence - 1]
        death = Death(before.victim, point, after.left, leave_in=self._found)
        with self._world(before, death) as world:
            world.stay_dead = True
            with contextlib.suppress(Died):
                before.act(world)
                world.settle()
        assert death.happened
        shutil.rmtree(self._template)

    def _steps_of(self, scenario: Scenario) -> list[str]:
        death = Death(scenario.victim, None, Left.KILLED, leave_in=self._found)
        with self._world(scenario, death) as world:
            scenario.act(world)
            world.settle()
        return death.steps

    def _count(self) -> tuple[list[str], State]:
        death = self._death(None, Left.KILLED)
        return death.steps, self._run(death)

    @contextlib.contextmanager
    def _world(self, scenario: Scenario, death: Death) -> Iterator[World]:
        """As it was prepared, all awake who are to be; the steps of the victim count from now."""
        shutil.rmtree(self._live, ignore_errors=True)
        shutil.rmtree(self._found, ignore_errors=True)
        shutil.copytree(self._template, self._live, symlinks=True)
        world = World(self._live, self._sources, death, seed=f"{scenario.name} {death.at}")
        world.asleep = set(scenario.asleep)
        with world.alive():
            if not scenario.asleep:
                world.settle()
            else:
                for code in world.machines:
                    with world.at(code):
                        pass
            world.on_return = lambda machine: check_returned(world, machine, shown_whole=scenario.shown_whole)
            death.count_from_now(world.machines[scenario.victim].folder)
            try:
                yield world
            finally:
                death.stop_counting()

    def _run(self, death: Death) -> State:
        with self._world(self.scenario, death) as world:
            return self._go_on(world)

    def _go_on(self, world: World) -> State:
        for _life in range(_LIVES):
            with contextlib.suppress(Died):
                world.asleep = set()
                self.scenario.act(world)
                world.settle()
                break
        else:
            raise Stuck("it died again and again")
        world.death.stop_counting()
        state = final_state(world)
        self._compare(state)
        return state

    def _compare(self, state: State) -> None:
        expected = self._expected
        if not expected:
            return
        for what in sorted({*state, *expected}):
            if state.get(what) != expected.get(what):
                raise Differs(f"{what}: {_difference(expected.get(what), state.get(what))}")


def _difference(expected: object, found: object) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        changed = {key: found.get(key) for key in {*expected, *found} if expected.get(key) != found.get(key)}
        expected, found = {key: expected.get(key) for key in changed}, changed
    return f"{str(found)[:300]} instead of {str(expected)[:300]}"


def memory_folder() -> str | None:
    """Where a disk is fast; None for wherever temporary files go."""
    return _MEMORY_FOLDER if os.path.isdir(_MEMORY_FOLDER) and os.access(_MEMORY_FOLDER, os.W_OK) else None
