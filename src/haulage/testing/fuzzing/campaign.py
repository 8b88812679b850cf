"""Running targets, each in a process of its own, and telling what came of it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from haulage.testing.fuzzing.target import Target

SLOWEST_RUNS_PER_SECOND = 20
"""A worker that needs longer than this many executions a second allow, and a minute, is stopped: it hangs."""
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+).*?corp: (\d+)/", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What fuzzing one target gave."""

    target: str
    reads: str
    executions: int
    taken: int
    """Inputs that the parser accepted, all promises kept."""
    corpus: int
    """Inputs kept because they reached something new."""
    coverage: int
    """Branches of the code reached."""
    findings: tuple[str, ...]
    """What escaped, with where the input is."""


def available() -> bool:
    """Whether the fuzzing engine is installed."""
    return importlib.util.find_spec("atheris") is not None


def fuzz(target: Target, *, runs: int, seed: int = 1, keep: str | None = None) -> Outcome:
    """Fuzz one target. ``keep`` is a folder whose ``corpus/TARGET`` is used and grown, and where findings stay."""
    with tempfile.TemporaryDirectory(prefix="haulage-fuzz-") as scratch:
        top = keep or scratch
        corpus, findings = os.path.join(top, "corpus", target.name), os.path.join(top, "findings", target.name)
        for folder in (corpus, findings):
            os.makedirs(folder, exist_ok=True)
        for number, data in enumerate(target.seeds()):
            with open(os.path.join(corpus, f"seed-{number:03}"), "wb") as file:
                file.write(data)
        command = [sys.executable, "-m", "haulage.testing.fuzzing.worker", target.name, str(runs), str(seed), corpus, findings]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=60 + runs / SLOWEST_RUNS_PER_SECOND, check=False
            )
            told, code = done.stderr, done.returncode
        except subprocess.TimeoutExpired as error:
            told, code = str(error), -1
        return _outcome(target, told, code, findings)


def _outcome(target: Target, told: str, code: int, findings: str) -> Outcome:
    found = _DONE.search(told)
    names = sorted(name for name in os.listdir(findings) if not name.endswith(".txt") and name != "counts")
    escaped = [_finding(os.path.join(findings, name)) for name in names]
    if code != 0 or found is None:
        escaped.append(f"the process ended with {code}: {told[-2000:]}")
    executions, coverage, corpus = (int(found[number]) for number in (1, 2, 3)) if found else (0, 0, 0)
    with open(os.path.join(findings, "counts"), "rb") as file:
        taken = int.from_bytes(file.read(8), "little")
    return Outcome(
        target=target.name,
        reads=target.reads,
        executions=executions,
        taken=taken,
        corpus=corpus,
        coverage=coverage,
        findings=tuple(escaped),
    )


def _finding(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read()
    try:
        with open(f"{path}.txt", encoding="utf-8") as file:
            why = file.read()
    except FileNotFoundError:
        why = "the process died"
    return f"{why.strip()}\ninput ({len(data)} bytes): {data[:400]!r}"


def table(outcomes: Iterable[Outcome]) -> str:
    """For docs/quality.md."""
    rows = [("target", "reads", "executions", "taken", "corpus", "coverage", "findings")]
    for each in outcomes:
        figures = (each.executions, each.taken, each.corpus, each.coverage, len(each.findings))
        rows.append((each.target, each.reads, *[f"{figure:,}" for figure in figures]))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)
