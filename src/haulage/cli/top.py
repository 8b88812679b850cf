"""``haulage top``: a site at one glance, again and again, in the terminal. A client of the API like every other."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import Parameter

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import TransferError, UsageError
from haulage.cli import output
from haulage.cli.client import Client, Row
from haulage.cli.options import PLAIN, How, seconds
from haulage.cli.top_frame import SORTS, Line, Tone, Wish, frame

TICK_SECONDS = 0.2
"""How soon a key or another size of the window is noticed."""
_ROWS = 60
_STYLES: dict[Tone, str] = {"plain": "", "head": "bold", "bad": "red", "warm": "yellow", "good": "green", "quiet": "dim"}

ReadKey = Callable[[float], str]
"""A key pressed within so many seconds; "" for none."""


def top(
    *,
    interval: Annotated[str, Parameter(help="How often the server is asked, as in 2s or 1m.")] = "2s",
    problems: Annotated[bool, Parameter(negative=(), show_default=False, help="Begin with what is wrong alone.")] = False,
    once: Annotated[bool, Parameter(negative=(), show_default=False, help="Print it once and end.")] = False,
    how: How = PLAIN,
) -> None:
    """A site at one glance, live: health of the sites, links, what moves, what is stuck, the latest messages.

    haulage top

    haulage top --once --problems
    """
    pause = seconds(interval)
    if pause is None or pause < TICK_SECONDS:
        raise UsageError("bad-interval", f"{interval!r} is too short an interval.", "Write 1s or more.")
    size = shutil.get_terminal_size((80, 24))
    wish = Wish(width=size.columns, height=size.lines, problems=problems)
    client = how.client()
    if how.output != "table":
        output.print_object(_look(client), how.output, [])
        return
    if once or not sys.stdout.isatty():
        for line in frame(_look(client), replace(wish, keys=False)):
            output.print_line(line.text)
        return
    first = _look(client)
    with contextlib.suppress(KeyboardInterrupt), _screen() as show, _keys() as read_key:
        _watch(_Watch(how, first, wish, pause), show, read_key)


class _Watch:
    """What is shown, kept when the server is away."""

    def __init__(self, how: How, view: Row, wish: Wish, pause_seconds: float, clock: Clock | None = None) -> None:
        self._how = how
        self._clock = clock or SystemClock()
        self._pause_seconds = pause_seconds
        self._next = self._clock.monotonic() + pause_seconds
        self.view = view
        self.wish = wish

    def refresh(self) -> None:
        """Ask the server when it is time; it may be restarted meanwhile, and be another process under the same home."""
        if self.wish.paused or self._clock.monotonic() < self._next:
            return
        try:
            self.view = _look(self._how.client())
            self.wish = replace(self.wish, trouble="")
        except TransferError as error:
            self.wish = replace(self.wish, trouble=error.message)
        self._next = self._clock.monotonic() + self._pause_seconds

    def press(self, key: str) -> bool:
        """Whether to go on."""
        if key == "p":
            self.wish = replace(self.wish, paused=not self.wish.paused)
        elif key == "s":
            self.wish = replace(self.wish, sort=SORTS[(SORTS.index(self.wish.sort) + 1) % len(SORTS)])
        elif key == "f":
            self.wish = replace(self.wish, problems=not self.wish.problems)
        return key != "q"


def _watch(watch: _Watch, show: Callable[[Callable[[int, int], Sequence[Line]]], None], read_key: ReadKey) -> None:
    while True:
        show(lambda width, height: frame(watch.view, replace(watch.wish, width=width, height=height)))
        if not watch.press(read_key(TICK_SECONDS)):
            return
        watch.refresh()


def _look(client: Client) -> Row:
    found: Row = client.get("/glance", {"rows": _ROWS})
    return found


@contextlib.contextmanager
def _screen() -> Iterator[Callable[[Callable[[int, int], Sequence[Line]]], None]]:
    """The whole terminal, given back at the end as it was."""
    from rich.console import Console  # heavy, and only for people who watch
    from rich.live import Live
    from rich.text import Text

    console = Console(no_color="NO_COLOR" in os.environ, highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(lines: Callable[[int, int], Sequence[Line]]) -> None:
            told = Text("\n", no_wrap=True, overflow="crop").join(
                Text(line.text, style=_STYLES[line.tone], no_wrap=True) for line in lines(console.width, console.height)
            )
            live.update(told, refresh=True)

        yield show


@contextlib.contextmanager
def _keys() -> Iterator[ReadKey]:
    """Keys as they are pressed, without Enter; none where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield _no_key
        return
    import termios  # not on every system, and only for people who watch
    import tty

    fd = sys.stdin.fileno()
    before: list[Any] = termios.tcgetattr(fd)
    tty.setcbreak(fd)

    def read(timeout_seconds: float) -> str:
        ready, _write, _other = select.select([fd], [], [], timeout_seconds)
        return os.read(fd, 1).decode("ascii", "replace").lower() if ready else ""

    try:
        yield read
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _no_key(timeout_seconds: float) -> str:
    SystemClock().sleep(timeout_seconds)
    return ""
