"""Waiting for a server's work: look, show how far it is, look again. Bars only on a terminal; a server does the work, not this."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import TransferError
from haulage.base.text import shown

FIRST_SECONDS, LONGEST_SECONDS = 0.1, 1.0

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How far one thing is."""

    name: str
    state: str
    done_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[Answer]):
    """What was seen. ``answer`` None: not there yet."""

    answer: Answer | None
    bars: Sequence[Bar] = field(default_factory=tuple)
    waits_for: str = ""
    """What is missing, for the sentence when the time is over."""


def wait(look: Callable[[], Look[Answer]], timeout_seconds: float | None, clock: Clock | None = None) -> Answer:
    """Look until there is an answer. Raises TransferError ``still-under-way``."""
    clock = clock or SystemClock()
    end = None if timeout_seconds is None else clock.monotonic() + timeout_seconds
    pause = FIRST_SECONDS
    with _display() as show:
        while True:
            seen = look()
            if seen.answer is not None:
                show(seen.bars)
                return seen.answer
            left = LONGEST_SECONDS if end is None else end - clock.monotonic()
            if left <= 0:
                raise TransferError(
                    "still-under-way",
                    f"Not done in time: {seen.waits_for}.",
                    "The work goes on; haulage explain tells more.",
                )
            show(seen.bars)
            clock.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_SECONDS)


@contextlib.contextmanager
def _display() -> Iterator[Callable[[Sequence[Bar]], None]]:
    if not sys.stderr.isatty():
        yield lambda _bars: None
        return
    from rich import progress  # heavy, and only for people who watch
    from rich.console import Console

    console = Console(stderr=True, no_color="NO_COLOR" in os.environ, highlight=False)
    columns: tuple[Any, ...] = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(binary_units=True),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[state]}", markup=False),
    )
    with progress.Progress(*columns, console=console, transient=True) as shown_progress:
        tasks: dict[str, progress.TaskID] = {}

        def show(bars: Sequence[Bar]) -> None:
            for bar in bars:
                if bar.name not in tasks:
                    tasks[bar.name] = shown_progress.add_task(shown(bar.name), total=None, state="")
                total = bar.total_bytes or None
                shown_progress.update(tasks[bar.name], completed=bar.done_bytes, total=total, state=shown(bar.state))

        yield show
