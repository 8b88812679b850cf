"""Which pages of an earlier manifest a survey of the tree proves unchanged, page by page, with nothing decoded. Names and tokens of
a page go through one digest, in runs of names of one folder; only equal digests count. *Pure*; knows no hints and no store.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from blake3 import blake3

from haulage.base.errors import HaulageError
from haulage.engine.trees.model import Survey


class PageDigest:
    """Gathers the names and tokens of one page, in path order."""

    def __init__(self) -> None:
        self._hash = blake3()
        self._vouched = True
        self._prefix: bytes | None = None
        self._names: list[bytes] = []
        self._tokens: list[bytes] = []

    def add(self, path: bytes, token: bytes) -> None:
        """One entry."""
        slash = path.rfind(b"/") + 1
        prefix = path[:slash]
        if prefix != self._prefix:
            self._flush()
            self._prefix = prefix
        self._names.append(path[slash:])
        self._tokens.append(token)

    def add_run(self, prefix: bytes, names: list[bytes], tokens: list[bytes]) -> None:
        """Several at once: as if each were added."""
        if prefix != self._prefix:
            self._flush()
            self._prefix = prefix
        self._names += names
        self._tokens += tokens

    def result(self) -> bytes:
        """Empty if some entry had no token."""
        self._flush()
        return self._hash.digest() if self._vouched else b""

    def _flush(self) -> None:
        names, tokens = self._names, self._tokens
        if names:
            self._vouched = self._vouched and all(tokens)
            assert self._prefix is not None
            said = b"".join(tokens)
            self._hash.update(b"%d %d %d " % (len(self._prefix), len(names), len(said)))
            self._hash.update(b"\0".join([self._prefix, *names, said]))
            self._names, self._tokens = [], []


def unchanged_pages(survey: Survey, firsts: Sequence[bytes], digests: Sequence[bytes]) -> list[int]:
    """Numbers of the pages (given the first path and the digest of each) that stand in the tree just so. None if the tree cannot be
    surveyed: reading it will tell why."""
    found: list[int] = []
    number, digest = 0, PageDigest()
    bounds = [*firsts[1:], None]
    try:
        for run in survey.runs():
            prefix, names, tokens = run.prefix, run.names, run.tokens
            while (bound := bounds[number]) is not None and prefix + names[-1] >= bound:
                at = _before(prefix, names, bound)
                if at:
                    digest.add_run(prefix, names[:at], tokens[:at])
                    names, tokens = names[at:], tokens[at:]
                if digests[number] and digest.result() == digests[number]:
                    found.append(number)
                number, digest = number + 1, PageDigest()
            digest.add_run(prefix, names, tokens)
    except HaulageError:
        return []
    if number == len(firsts) - 1 and digests[number] and digest.result() == digests[number]:
        found.append(number)
    return found


def _before(prefix: bytes, names: list[bytes], bound: bytes) -> int:
    """How many names of a run come before a path."""
    if bound.startswith(prefix):
        return bisect_left(names, bound[len(prefix) :])
    return 0 if prefix > bound else len(names)
