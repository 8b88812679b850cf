"""Files in the order of their numbers: articles that travel together come together, whatever order an archive has them in. Knows
names only; what an article is called inside is the reader's matter."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from typing import IO

from haulage.base.errors import HaulageError, TransferError
from haulage.engine.articles.archive import Found

_NUMBERED = re.compile(r"(?:.*/)?([A-Za-z]{1,8})-?([0-9]{1,7})(?:\.[A-Za-z0-9]{1,8})?")

Key = tuple[str, int]


def in_order(found: Iterator[Found], folder: str | None = None) -> Iterator[Found]:
    """Pass on at once what comes in the order of its number or has none; the rest waits in a file without a name in ``folder`` and
    follows in order, of one number the later one last.

    Raises what ``found`` raises, after everything that came before it; TransferError ``no-room-to-sort``."""
    waiting: list[tuple[Key, int, int, str]] = []
    broke: HaulageError | None = None
    with tempfile.TemporaryFile(dir=folder) as spool:
        last: Key = ("", 0)
        try:
            for one in found:
                key = None if one.refused is not None else _key(one.name)
                if key is None or key >= last:
                    last = key or last
                    yield one
                else:
                    waiting.append((key, _kept(spool, one.data), len(one.data), one.name))
        except HaulageError as error:
            broke = error
        for _key_of_it, start, length, name in sorted(waiting, key=lambda one: one[:2]):
            spool.seek(start)
            yield Found(name=name, data=spool.read(length))
    if broke is not None:
        raise broke


def _key(name: str) -> Key | None:
    numbered = _NUMBERED.fullmatch(name)
    return None if numbered is None else (numbered[1].upper(), int(numbered[2]))


def _kept(spool: IO[bytes], data: bytes) -> int:
    """Where it begins."""
    start = spool.tell()
    try:
        spool.write(data)
    except OSError as error:
        hint = "Make room there, or pack the archive in the order of its articles' numbers."
        raise TransferError("no-room-to-sort", f"Articles cannot be put in order: {error.strerror}.", hint) from None
    return start
