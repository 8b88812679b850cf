"""One schedule: a world, a number of actions, steps between them; then everything is healed, and everything must have converged."""

from __future__ import annotations

import random
from collections.abc import Callable

from haulage.testing.simulation.actions import Actions
from haulage.testing.simulation.invariants import Verdict, Watch
from haulage.testing.simulation.world import Shape, World, new_world

SHAPES: tuple[tuple[int, Shape], ...] = (
    (20, (("HQ1", None), ("CHI", "HQ1"))),
    (30, (("HQ1", None), ("CHI", "HQ1"), ("LA1", "CHI"))),
    (20, (("HQ1", None), ("CHI", "HQ1"), ("LA1", "CHI"), ("LA2", "CHI"))),
    (10, (("HQ1", None), ("CHI", "HQ1"), ("BER", "HQ1"), ("LA1", "CHI"))),
    (
        1,
        (
            ("HQ1", None),
            *((child, "HQ1") for child in ("CHI", "BER", "TYO")),
            *((f"{child[0]}{number}X", child) for child in ("CHI", "BER", "TYO") for number in (1, 2, 3)),
        ),
    ),
)
"""Trees with their weights; the last is the whole one: central, 3 children, 9 grandchildren."""

QUIET_STEPS = 1_500


def run_schedule(seed: int, say: Callable[[str], None] | None = None) -> int:
    """Run the schedule of a seed; returns how many steps it took. Raises AssertionError, with the seed in it."""
    chance = random.Random(seed)
    shape = chance.choices([shape for _weight, shape in SHAPES], [weight for weight, _shape in SHAPES])[0]
    try:
        with new_world(chance, shape) as world:
            if say is not None:
                world.say = say
            _live(world)
            return world.steps
    except AssertionError as failure:
        raise AssertionError(f"seed {seed}: {failure} (python -m haulage.testing.simulation {seed})") from failure


def _live(world: World) -> None:
    chance = world.chance
    watch = Watch(world)
    actions = Actions(world, watch)
    actions.create()
    for _turn in range(chance.randint(5, 30)):
        actions.one()
        for _step in range(chance.choice([0, 1, 3, 10, 30])):
            if not world.step() and not (chance.random() < 0.5 and world.pass_time(most_seconds=3600)):
                break
        if chance.random() < 0.2:
            watch.check_acknowledged()
    world.say("-- everything is healed --")
    for _turn in range(2):
        actions.heal_everything()
        world.settle(QUIET_STEPS)
        actions.finish_joining()
    world.settle(QUIET_STEPS)
    watch.check_acknowledged(at_rest=True)
    verdict = Verdict(world)
    verdict.central_sees_sites()
    verdict.check(actions.packages)
