"""Talking to a person in plain lines: no colours, no cursor movements, so that any terminal, pipe or file will do."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Protocol, TextIO

from haulage.engine.servicing.errors import RefusedError

MOST_WIDTH = 100
LEAST_WIDTH = 30


class Terminal(Protocol):
    """What a dialogue needs."""

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        ...

    def say(self, text: str = "", indent: str = "") -> None:
        """A paragraph, folded to the width."""
        ...

    def ask(self, question: str) -> str:
        """The answer, without spaces around it. Raises RefusedError ``cancelled`` at the end of input."""
        ...


class Console:
    """Standard input and output. What cannot be shown is shown escaped."""

    def __init__(self, source: TextIO | None = None, target: TextIO | None = None) -> None:
        self._source = source or sys.stdin
        self._target = target or sys.stdout

    @property
    def can_ask(self) -> bool:
        return self._source.isatty() and self._target.isatty()

    def say(self, text: str = "", indent: str = "") -> None:
        for line in text.split("\n"):
            self._line("\n".join(folded(visible(line), self._width(), indent)))

    def ask(self, question: str) -> str:
        self._target.write(encodable(f"{visible(question)} ", self._target))
        self._target.flush()
        answer = self._source.readline()
        if not answer:
            self._line("")
            raise RefusedError("cancelled", "The dialogue was ended.", "Nothing was changed.")
        return answer.strip()

    def _line(self, text: str) -> None:
        self._target.write(encodable(text, self._target) + "\n")
        self._target.flush()

    def _width(self) -> int:
        if not self._target.isatty():
            return MOST_WIDTH
        columns = shutil.get_terminal_size((80, 24)).columns or 80  # a terminal that does not know says 0
        return max(LEAST_WIDTH, min(MOST_WIDTH, columns - 1))


class Silent:
    """Nobody to talk to."""

    can_ask = False

    def say(self, text: str = "", indent: str = "") -> None:  # noqa: ARG002  (the protocol's names)
        return None

    def ask(self, question: str) -> str:
        raise RefusedError("cancelled", f"Nobody is there to answer: {question}", "Run it at a terminal, or give --yes.")


def folded(text: str, width: int, indent: str) -> Sequence[str]:
    """Lines of at most ``width`` characters; a word longer than that is broken."""
    more = indent + " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=more, break_on_hyphens=False) or [""]


def visible(text: str) -> str:
    """Without anything that moves a cursor, turns a line around or cannot be seen."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def encodable(text: str, target: TextIO) -> str:
    """As the stream can write it: what its encoding lacks is escaped."""
    encoding = target.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)
