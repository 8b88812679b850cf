"""Running targets in a process of their own, and telling what came of it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haulage.testing.fuzzing.target import Target

SLOWEST_RUNS_PER_SECOND = 20
"""A worker that needs longer than this many executions a second allow, and a minute, is stopped: it hangs."""
OWN_FILES = ("counts", "code", "log")
"""What a worker writes among the findings that is none."""
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


def fuzz(targets: Sequence[Target], *, runs: int = 0, seed: int = 1, keep: str | None = None, module: str = "") -> list[Outcome]:
    """Fuzz targets one after the other, each with ``runs`` executions (0: its own number). ``keep`` is a folder whose
    ``corpus/TARGET`` is used and grown, and where findings stay; ``module`` holds targets that are not in the registry."""
    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  (a private folder is made in it)
    with tempfile.TemporaryDirectory(prefix="haulage-fuzz-", dir=in_memory) as scratch:
        top = keep or scratch
        for target in targets:
            _make_ready(top, target)
        wanted = [f"{module}{target.name}={runs or target.runs}" for target in targets]
        command = [sys.executable, "-m", "haulage.testing.fuzzing.worker", top, str(seed), *wanted]
        seconds = sum(60 + (runs or target.runs) / SLOWEST_RUNS_PER_SECOND for target in targets)
        try:
            # Workers end without cleaning up: what they make lies in the scratch folder, too.
            environment = {**os.environ, "TMPDIR": scratch}
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False, env=environment
            )
            told = done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired as error:
            told = str(error)
        return [_outcome(target, os.path.join(top, "findings", target.name), told) for target in targets]


def _make_ready(top: str, target: Target) -> None:
    corpus, findings = (os.path.join(top, kind, target.name) for kind in ("corpus", "findings"))
    for folder in (corpus, findings):
        os.makedirs(folder, exist_ok=True)
    for name in OWN_FILES:
        if os.path.exists(path := os.path.join(findings, name)):
            os.unlink(path)
    for number, data in enumerate(target.seeds()):
        with open(os.path.join(corpus, f"seed-{number:03}"), "wb") as file:
            file.write(data)


def _outcome(target: Target, findings: str, told: str) -> Outcome:
    log = _text(os.path.join(findings, "log"))
    found = _DONE.search(log)
    names = sorted(name for name in os.listdir(findings) if not name.endswith(".txt") and name not in OWN_FILES)
    escaped = [_finding(os.path.join(findings, name)) for name in names]
    if _text(os.path.join(findings, "code")) != "0" or found is None:
        escaped.append(f"the process did not end well: {told[-2000:]} {log[-2000:]}")
    executions, coverage, corpus = (int(found[number]) for number in (1, 2, 3)) if found else (0, 0, 0)
    counts = _bytes(os.path.join(findings, "counts"))
    return Outcome(
        target=target.name,
        reads=target.reads,
        executions=executions,
        taken=int.from_bytes(counts[:8], "little"),
        corpus=corpus,
        coverage=coverage,
        findings=tuple(escaped),
    )


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _text(path: str) -> str:
    return _bytes(path).decode("utf-8", "backslashreplace")


def _finding(path: str) -> str:
    data, why = _bytes(path), _text(f"{path}.txt") or "the process died"
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
