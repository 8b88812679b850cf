"""One scenario of servicing, one step, one way to leave the disk: prepare, run, die, start again, and compare: exactly as before or
exactly as after. Shares deaths and disks with the scenarios of sites."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from unittest import mock

from haulage.engine.servicing.durable import watching_steps
from haulage.testing.crash_points import fix_scenarios
from haulage.testing.crash_points.death import Death, Killed
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.fix_scenarios import FixScenario, look
from haulage.testing.crash_points.press import NEW, RUNNING, Sham, Surroundings, Tree, sha256, tree, write_product
from haulage.testing.crash_points.trial import Differs, Trial, memory_folder
from haulage.testing.crash_points.world import HQ


class FixBench:
    """One scenario, prepared once: its steps are known, and any number of deaths can be tried. Close it."""

    def __init__(self, scenario: FixScenario, *, beside: str | None = None) -> None:
        """``beside``: the root of a bench in another process, whose prepared state is used; then it knows no steps."""
        self.scenario = scenario
        self.steps: list[str] = []
        self.root = beside or tempfile.mkdtemp(prefix="haulage-crash-", dir=memory_folder())
        self._live = os.path.join(self.root, "live")
        self._template = os.path.join(self.root, "template")
        self._found = os.path.join(self.root, "found")
        self._state = os.path.join(self.root, "services.json")
        self._before: Tree = {}
        self._after: Tree = {}
        self._ends: list[object] = []
        if beside is not None:
            return
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the space back."""
        shutil.rmtree(self.root, ignore_errors=True)

    def try_point(self, point: int, left: Left) -> Trial:
        """Die before the step of that number (from 1)."""
        step, failure = self.steps[point - 1], ""
        try:
            death = self._death(point, left)
            self._run(self.scenario, death)
            assert death.happened
            self._power_off(left, point)
            self._come_back()
        except (Exception, Sham) as cause:
            failure = f"{type(cause).__name__}: {cause}"
        return Trial(scenario=self.scenario.name, point=point, step=step, left=left, failure=failure)

    def die_for_real(self, point: int, kill: Callable[[], None]) -> None:
        """In a process of its own: run up to the step, then be killed by ``kill``."""
        self._run(self.scenario, Death(HQ, point, Left.KILLED, leave_in=self._found, kill=kill))

    def come_back(self) -> None:
        """Another process died on this disk: come back, finish, compare. Raises AssertionError."""
        self._come_back()

    def _prepare(self) -> None:
        os.makedirs(self._live)
        write_product(self._live)
        self._around().set_running(RUNNING)
        self.scenario.prepare(self._around())
        self._keep()
        origin = self._origin()
        self._before = tree(self._live, times=True)
        self._ends = [self._end(times=True)]
        death = self._death(None, Left.KILLED)
        self._run(origin, death)
        self._ends.append(self._end(times=False))
        self._after = tree(self._live, times=False)
        if self.scenario.after is not None:
            self._die_first(origin, death.steps)
            death = self._death(None, Left.KILLED)
            self._run(self.scenario, death)
        self.steps = death.steps

    def _origin(self) -> FixScenario:
        """The scenario whose end is the end of this one, too."""
        after = self.scenario.after
        return self.scenario if after is None else {one.name: one for one in fix_scenarios.WAYS}[after.scenario]

    def _die_first(self, origin: FixScenario, steps: list[str]) -> None:
        after = self.scenario.after
        assert after is not None
        named = [number for number, step in enumerate(steps, 1) if step == after.step]
        death = self._death(named[after.occurrence - (after.occurrence > 0)], after.left)
        self._run(origin, death)
        assert death.happened
        self._power_off(after.left, 1)
        shutil.rmtree(self._template)
        self._keep()

    def _keep(self) -> None:
        shutil.copytree(self._live, self._template, symlinks=True)
        shutil.copyfile(self._state, self._state + ".template")

    def _around(self) -> Surroundings:
        return Surroundings(self._live, self._state)

    def _death(self, point: int | None, left: Left) -> Death:
        return Death(HQ, point, left, leave_in=self._found)

    def _run(self, scenario: FixScenario, death: Death) -> None:
        """On the prepared disk; after a death the disk is what it leaves."""
        for folder in (self._live, self._found):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._template, self._live, symlinks=True)
        shutil.copyfile(self._state + ".template", self._state)
        around = self._around()
        if self._after:
            around.sound = self._is_sound
        death.count_from_now(self._live)
        try:
            with self._watched(death), contextlib.suppress(Killed):
                scenario.act(around)
        finally:
            death.stop_counting()
        if death.happened:
            shutil.rmtree(self._live)
            os.rename(self._found, self._live)

    @contextlib.contextmanager
    def _watched(self, death: Death) -> Iterator[None]:
        with watching_steps(death.watch), mock.patch.object(os, "fsync", death.synced), death.running(HQ):
            yield

    def _power_off(self, left: Left, point: int) -> None:
        """After a power cut the system has started its services, or, while something is under way, any part of them: what the
        journal says is to run must run in the end all the same."""
        if left is not Left.KILLED:
            chance = random.Random(f"{point} {left.value}")
            under_way = os.path.exists(os.path.join(self._live, ".servicing", "journal.json"))
            self._around().set_running(name for name in RUNNING if not under_way or chance.random() < 0.4)

    def _come_back(self) -> None:
        """A fresh start of any command, and then the same again as a person would."""
        around = self._around()
        if self._after:
            around.sound = self._is_sound
        look(around)
        if self._end(times=True) != self._ends[0] and self._end(times=False) != self._ends[1]:
            raise Differs(self._difference("neither as before nor as after", self._ends[0], self._end(times=True)))
        self._origin().act(around)
        if self._end(times=False) != self._ends[1]:
            raise Differs(self._difference("not as after at last", self._ends[1], self._end(times=False)))

    def _is_sound(self) -> bool:
        """Whether the files of the product are all of one state; data is the programs' own affair while they run."""
        fixed = {path: sha256(data) for path, data in NEW.items()}
        return _programs(tree(self._live, times=False)) in (_programs(self._before), _programs(self._after), fixed)

    def _end(self, *, times: bool) -> object:
        """All that counts: the product, what servicing holds, the record, and what runs."""
        state = os.path.join(self._live, ".servicing")
        kept = sorted(
            os.path.relpath(os.path.join(folder, name), state)
            for folder, _, names in os.walk(state)
            for name in names
            if name != "lock"
        )
        folders = sorted(os.listdir(os.path.join(state, "fixes"))) if os.path.isdir(os.path.join(state, "fixes")) else []
        record: object = None
        if os.path.exists(os.path.join(state, "record.json")):
            with open(os.path.join(state, "record.json"), encoding="utf-8") as file:
                record = _without_times(json.load(file))
        return {
            "product": tree(self._live, times=times),
            "kept": [*kept, *folders],
            "record": record,
            "running": sorted(self._around().running()),
        }

    @staticmethod
    def _difference(what: str, expected: object, found: object) -> str:
        assert isinstance(expected, dict)
        assert isinstance(found, dict)
        for part in expected:
            if expected[part] != found[part]:
                return f"{what}: {part}: {str(found[part])[:1500]} instead of {str(expected[part])[:1500]}"
        return what


def _programs(found: Tree) -> dict[str, object]:
    """The files that a service runs from, by hash."""
    return {path: facts[0] for path, facts in found.items() if path.split("/")[0] in ("bin", "lib", "old") and len(facts) > 1}


def _without_times(value: object) -> object:
    """New files get the time at which they were written, which is not the same twice; the clock of a heal is another's, too."""
    if isinstance(value, dict):
        return {key: _without_times(inner) for key, inner in value.items() if key not in ("mtime_ns", "atime_ns", "time")}
    if isinstance(value, list):
        return [_without_times(inner) for inner in value]
    return value
