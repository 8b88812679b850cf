"""Which known failures the tests stand against, read from the names of the tests: ``test_b53_f16_…`` stands against B53 and F16."""

from __future__ import annotations

import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterator

KINDS: tuple[tuple[str, str], ...] = (
    ("I", "Invariants: what must hold whatever happens"),
    ("B", "Bad inputs: what somebody may hand in"),
    ("F", "Faults: what may break at any moment"),
    ("Q", "Articles on failures of an earlier system of this kind"),
    ("KB", "Articles on failures of its successors"),
)
"""Prefixes of ids with what they number."""

_IDS = re.compile(r"test_((?:(?:i|b|f|q|kb)\d+_)+)")


def covered(top: str) -> dict[str, dict[str, list[str]]]:
    """Id, to test file (from the top of the project), to names of tests. Raises SyntaxError for a test file that is none."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(_test_files(top)):
        with open(os.path.join(top, path), "rb") as file:
            tree = ast.parse(file.read(), path)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for known in ids_of(node.name):
                    found[known][path].append(node.name)
    return {known: dict(files) for known, files in found.items()}


def ids_of(test: str) -> list[str]:
    """The ids in the name of a test."""
    match = _IDS.match(test)
    return [] if match is None else [one.upper() for one in match[1].split("_") if one]


def numbers_of(kind: str, known: dict[str, dict[str, list[str]]]) -> list[str]:
    """The covered ids of one kind, by number."""
    return sorted((one for one in known if one.rstrip("0123456789") == kind), key=lambda one: int(one[len(kind) :]))


def _test_files(top: str) -> Iterator[str]:
    for folder, _folders, names in os.walk(os.path.join(top, "tests")):
        for name in names:
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, name), top)
