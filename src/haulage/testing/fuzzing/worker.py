"""The process that fuzzes: ``python -m haulage.testing.fuzzing.worker FOLDER SEED TARGET=RUNS …``.

It loads the instrumented parsers once and forks for each target, because libFuzzer ends the process it runs in, and because memory
is limited for all of it. What escapes a parser is kept as a file and fuzzing goes on; what kills the process libFuzzer keeps.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import mmap
import os
import resource
import struct
import sys
import traceback

import atheris

with atheris.instrument_imports(include=["haulage", "tomllib", "tuf"], exclude=["haulage.testing"], enable_loader_override=False):
    from haulage.base.errors import HaulageError
    from haulage.testing.fuzzing.mutation import Coding, mutated
    from haulage.testing.fuzzing.registry import TARGETS
    from haulage.testing.fuzzing.target import Target

MOST_INPUT_MEMORY = 64 << 20
"""One input may not make the process grow by more: inputs have some kilobytes."""
MOST_MEMORY = 1 << 30
"""Of address space beyond what the process has when fuzzing begins."""
MOST_SECONDS = 1.0
"""Of processor time for one input."""
HANGS_AFTER_SECONDS = 60
"""libFuzzer's own watchdog, by the wall clock: for what never ends."""
COUNTS = struct.Struct("<QQ")
"""Inputs taken and refused, in the file ``counts`` among the findings."""


class Worker:
    """Feeds inputs to a target and keeps what escapes."""

    def __init__(self, target: Target, findings: str) -> None:
        self._target = target
        self._findings = findings
        self._known: set[str] = set()
        self._taken = self._refused = 0
        self._begun = False
        with open(os.path.join(findings, "counts"), "wb+") as file:
            file.write(COUNTS.pack(0, 0))
            file.flush()
            self._counts = mmap.mmap(file.fileno(), COUNTS.size)

    def __call__(self, data: bytes) -> None:
        """One execution. The first, of no bytes at all, may also build what a target keeps; what is slow must be slow twice."""
        seconds, grown = self._execute(data)
        first, self._begun = not self._begun, True
        if seconds > MOST_SECONDS and not first and self._execute(data)[0] > MOST_SECONDS:
            self._keep("too slow", data, f"{seconds:.1f} s")
        if grown > MOST_INPUT_MEMORY and not first:
            self._keep("too much memory", data, f"{grown} bytes")
        COUNTS.pack_into(self._counts, 0, self._taken, self._refused)

    def _execute(self, data: bytes) -> tuple[float, int]:
        """Processor time, and bytes by which the process grew."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        try:
            self._target.take(data)
            self._taken += 1
        except HaulageError:
            self._refused += 1
        except Exception as escaped:
            where = traceback.extract_tb(escaped.__traceback__)[-1]
            self._keep(f"{type(escaped).__name__} at {where.filename}:{where.lineno}", data, traceback.format_exc())
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, (after.ru_maxrss - before.ru_maxrss) * 1024

    def _keep(self, what: str, data: bytes, told: str) -> None:
        if what in self._known:
            return
        self._known.add(what)
        name = os.path.join(self._findings, hashlib.sha256(data).hexdigest()[:16])
        with open(name, "wb") as file:
            file.write(data)
        with open(f"{name}.txt", "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{what}\n{told}")


def resolve(name: str) -> Target:
    """A target of the registry, or ``MODULE:NAME`` of one somewhere else."""
    module, colon, attribute = name.partition(":")
    if not colon:
        return TARGETS[name]
    with atheris.instrument_imports(include=[module]):
        target: Target = getattr(importlib.import_module(module), attribute)
    return target


def folders(top: str, name: str) -> tuple[str, str]:
    """Where the corpus of a target is, and where its findings go."""
    return os.path.join(top, "corpus", name), os.path.join(top, "findings", name)


def mutate(target: Target, data: bytes, most_bytes: int, seed: int) -> bytes:
    """The next input from an earlier one: every second time with its document still well-formed."""
    made = mutated(data[target.skip :], target.coding, seed, most_bytes - target.skip) if seed % 2 else None
    return bytes(atheris.Mutate(data, most_bytes)) if made is None else data[: target.skip] + made


def fuzz(target: Target, top: str, seed: str, runs: str) -> None:
    """Never returns: libFuzzer ends the process."""
    corpus, findings = folders(top, target.name)
    log = os.open(os.path.join(findings, "log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    limits = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-max_len={target.most_bytes}",
        f"-timeout={HANGS_AFTER_SECONDS}",
        f"-artifact_prefix={findings}/killed-",
        "-rss_limit_mb=0",
        "-len_control=20",
    ]
    target.seeds()  # which builds what the target keeps, before anything is measured
    mutator = None if target.coding is Coding.BYTES else functools.partial(mutate, target)
    atheris.Setup([sys.argv[0], *limits, corpus], Worker(target, findings), custom_mutator=mutator)
    with open("/proc/self/statm", encoding="ascii") as file:
        present = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (present + MOST_MEMORY, present + MOST_MEMORY))
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """One target after the other; how each process ended stands in ``code`` among its findings."""
    top, seed, *wanted = arguments
    for each in wanted:
        name, _, runs = each.rpartition("=")
        target = resolve(name)
        pid = os.fork()
        if not pid:
            try:
                fuzz(target, top, seed, runs)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        with open(os.path.join(folders(top, target.name)[1], "code"), "w", encoding="ascii") as file:
            file.write(str(os.waitstatus_to_exitcode(status)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
