"""What an engine weighs before it runs: lines of ours, packages that come with it alone, their size."""

from __future__ import annotations

import ast
import importlib.metadata
import pathlib
import re
from collections.abc import Iterable, Sequence

ROOT = pathlib.Path(__file__).parents[2]
FILES = {
    "threads": ["src/haulage/engine/jobs/queue.py", "src/haulage/engine/jobs/threaded.py"],
    "leases": ["src/haulage/engine/jobs/queue.py", "src/haulage/engine/jobs/threaded.py", "benchmarks/jobs/leases.py"],
    "dbos": ["benchmarks/jobs/dbos_engine.py"],
}
OURS_ANYWAY = ("sqlalchemy", "psycopg", "click", "typing-extensions")


def lines(names: Iterable[str]) -> int:
    """Lines of code: none that is empty, a comment or a docstring."""
    return sum(_lines(ROOT / name) for name in names)


def _lines(path: pathlib.Path) -> int:
    text = path.read_text()
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            told |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(
        1
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in told
    )


def packages(name: str) -> Sequence[str]:
    """A published package and what it needs, without what we need ourselves."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        match = re.match(r"([\w.-]+)(?:\[([\w.-]+)\])?", waiting.pop())
        assert match is not None
        each, extra = re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]
        try:
            needs = importlib.metadata.requires(each) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        waiting += [need for need in needs if extra and f'extra == "{extra}"' in need and each != "psycopg"]
        if each not in found and each not in OURS_ANYWAY:
            found.append(each)
            waiting += [need for need in needs if "extra ==" not in need]
    return sorted(found)


def installed_bytes(names: Iterable[str]) -> int:
    """Size of all files of these packages."""
    files = [file for name in names for file in importlib.metadata.files(name) or ()]
    return sum(path.stat().st_size for file in files if (path := pathlib.Path(str(file.locate()))).is_file())
