"""What changes of a page by itself, as server-sent events: the page's own block is rendered again and sent when it differs.
Knows no page's insides."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import AsyncIterator, Callable

from haulage.base.errors import TransferError
from haulage.server.bells import Bells

LOOK_SECONDS = 2.0
"""How often a page is looked at again while somebody has it open."""
KEEP_ALIVE_LOOKS = 7
"""After so many looks without a change a line is sent, so that nothing between cuts the connection."""
MOST_OF_ONE = 12
"""Streams of one session: that many windows."""
MOST_OF_ALL = 200


class Streams:
    """Who watches; bounded, for every stream renders again and again. Touched in the event loop alone."""

    def __init__(self) -> None:
        self._open: collections.Counter[str] = collections.Counter()

    def enter(self, session: str) -> None:
        """Count a stream in. Raises TransferError ``too-many-watching``."""
        if self._open[session] >= MOST_OF_ONE or self._open.total() >= MOST_OF_ALL:
            raise TransferError(
                "too-many-watching", "Too many pages are being watched at once.", "Close some, or load this one anew by hand."
            )
        self._open[session] += 1

    def leave(self, session: str) -> None:
        """Count it out."""
        self._open[session] -= 1
        self._open += collections.Counter()  # forgets what is zero


async def watch(render: Callable[[], str | None], bells: Bells) -> AsyncIterator[bytes]:
    """Events with the rendered block, one at once and then whenever it differs, until the server stops, the client leaves, or
    ``render`` (called in a thread) returns None: nobody may see it any more."""
    before, quiet = "", 0
    with bells.in_loop("stop") as stop:
        while not bells.closed:
            text = await asyncio.to_thread(render)
            if text is None:
                return
            if text != before:
                before, quiet = text, 0
                yield as_event(text)
            else:
                quiet += 1
                if quiet % KEEP_ALIVE_LOOKS == 0:
                    yield b": still here\n\n"
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue


def as_event(text: str) -> bytes:
    """One event; every line of the text gets its own field, for a line alone would end it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return ("".join(f"data: {line}\n" for line in lines) + "\n").encode("utf-8", "replace")
