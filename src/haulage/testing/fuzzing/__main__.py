"""``python -m haulage.testing.fuzzing [TARGET ...] [--runs N] [--seed N] [--keep FOLDER]`` fuzzes every target, or those named, and
prints a table; ``--list`` names them; ``--try FILE`` feeds one input to one target and lets what escapes be seen."""

from __future__ import annotations

import argparse
import sys

from haulage.base.errors import HaulageError
from haulage.testing.fuzzing.campaign import available, fuzz, table
from haulage.testing.fuzzing.registry import TARGETS


def main(arguments: list[str]) -> int:
    """Exit code 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m haulage.testing.fuzzing", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--runs", type=int, default=0, help="executions for each target; default: as many as make test")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--keep", help="a folder in which the corpus grows and findings stay")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--try", dest="path", help="feed this file to the one target named")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no such target: {unknown[0]}; there are {', '.join(TARGETS)}")
    chosen = [TARGETS[name] for name in given.targets] or list(TARGETS.values())
    if given.list:
        print("\n".join(f"{target.name:16} {target.reads}" for target in chosen))
        return 0
    if given.path:
        return _try(chosen[0].name, given.path)
    if not available():
        print("atheris is not installed here: it has packages for Linux on x86-64 only.", file=sys.stderr)
        return 2
    outcomes = fuzz(chosen, runs=given.runs, seed=given.seed, keep=given.keep)
    for outcome in outcomes:
        for finding in outcome.findings:
            print(f"{outcome.target}: {finding}\n", file=sys.stderr)
    print(table(outcomes))
    return 1 if any(outcome.findings for outcome in outcomes) else 0


def _try(name: str, path: str) -> int:
    with open(path, "rb") as file:
        data = file.read()
    try:
        TARGETS[name].take(data)
    except HaulageError as error:
        print(f"refused: {error}")
    else:
        print("taken")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
