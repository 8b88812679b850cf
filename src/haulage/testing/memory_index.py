"""An index of articles in memory, for the simulation: every word must be there, no ranking. It may be told to be damaged."""

from __future__ import annotations

import re
from collections.abc import Iterable

from haulage.base.errors import IntegrityError
from haulage.engine.search.model import Answer, Entry, Hit, Question, SearchIndex

_WORD = re.compile(r"\w+")


class MemoryIndex:
    """Implements SearchIndex, plainly."""

    def __init__(self) -> None:
        self.held: dict[str, Entry] = {}
        self.damaged = False

    def put(self, entries: Iterable[Entry]) -> int:
        self._look()
        fresh = {entry.id: entry for entry in entries}
        self.held.update(fresh)
        return len(fresh)

    def remove(self, ids: Iterable[str]) -> int:
        self._look()
        return sum(self.held.pop(one, None) is not None for one in ids)

    def known(self) -> dict[str, str]:
        self._look()
        return {entry.id: entry.digest for entry in self.held.values()}

    def entries(self, ids: Iterable[str]) -> list[Entry]:
        self._look()
        return [self.held[one] for one in ids if one in self.held]

    def search(self, question: Question) -> Answer:
        self._look()
        wanted = {word.casefold() for word in _WORD.findall(question.text)}
        found = [
            entry
            for entry in self.held.values()
            if wanted <= {word.casefold() for word in _WORD.findall(f"{entry.id} {entry.text()}")}
        ]
        return Answer(hits=tuple(_hit(entry) for entry in found[: question.limit]), total=len(found), facets={})

    def close(self) -> None:
        """Nothing is open."""

    def _look(self) -> None:
        if self.damaged:
            raise IntegrityError("index-damaged", "The index is damaged.", "It is made anew.")


class MemoryIndexes:
    """Where the index of one site is, for as long as its disk is."""

    def __init__(self) -> None:
        self.index = MemoryIndex()

    def open(self) -> SearchIndex:
        """The one there is."""
        return self.index

    def discard(self) -> None:
        """A new one."""
        self.index = MemoryIndex()


def _hit(entry: Entry) -> Hit:
    return Hit(
        id=entry.id,
        title=entry.title,
        score=1.0,
        share=1.0,
        type=entry.type,
        modified=entry.modified,
        products=entry.products,
        versions=entry.versions,
        snippet=(),
        why=(),
    )
