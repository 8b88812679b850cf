"""Which articles travel together, and how their sources are packed. Pure.

Articles with near numbers share a shelf: one signature for many, and packed together they take less than half of what they take one
by one. Near in number is near in time, so what is imported later opens new shelves and leaves the old ones alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from haulage.base.errors import FormatError, UsageError
from haulage.domain.knowledge.model import Stocked
from haulage.engine.delta.packing import pack_zstd, unpack_zstd
from haulage.engine.protocol.definitions import PACKED_MAX_BYTES, SHELF_MAX, ShelfEntry, ShelfState

NUMBERS_PER_SHELF = 100
SHELF_BYTES = 6 << 20
"""Of sources on a shelf; the frame's window is 8 MiB."""
ARTICLE_BYTES = 1 << 20
"""Of one source: even if it cannot be compressed, it can travel."""
_LEVEL = 6
_ID = re.compile(r"([A-Z]{1,8}-?)([0-9]{1,7})")


def shelf_name(article: str) -> str:
    """The shelf an article belongs on."""
    found = _ID.fullmatch(article)
    if found is None:
        raise UsageError("bad-article-id", f"{article[:80]!r} is not the id of an article.", "Use letters and a number: Q316316.")
    return f"{found[1]}.{int(found[2]) // NUMBERS_PER_SHELF}"


def own_shelf(article: str) -> str:
    """The shelf of an article that stands alone because the common one is full."""
    return article


def stocked(article: str, form: str, name: str, data: bytes) -> Stocked:
    """A source with its digest. Raises UsageError ``article-too-large``."""
    if len(data) > ARTICLE_BYTES:
        raise UsageError("article-too-large", f"{article} has {len(data)} bytes, more than {ARTICLE_BYTES}.", "Divide it.")
    return Stocked(id=article, form=form, name=name[:256], data=data, sha256=hashlib.sha256(data).hexdigest())


def pack(articles: Mapping[str, Stocked]) -> ShelfState | None:
    """The state of a shelf; None if they do not fit on one."""
    listed = [articles[name] for name in sorted(articles)]
    if len(listed) > SHELF_MAX or sum(len(one.data) for one in listed) > SHELF_BYTES:
        return None
    packed = pack_zstd(b"".join(one.data for one in listed), _LEVEL)
    if len(packed) > PACKED_MAX_BYTES:
        return None
    entries = tuple(ShelfEntry(id=one.id, form=one.form, name=one.name, bytes=len(one.data), sha256=one.sha256) for one in listed)
    return ShelfState(articles=entries, packed=packed)


def arrange(name: str, there: Mapping[str, Stocked], coming: Iterable[Stocked]) -> dict[str, ShelfState]:
    """The shelf ``name`` with what came, by shelf; what does not fit stands on a shelf of its own. Nothing that was there moves."""
    on = dict(there)
    alone: dict[str, ShelfState] = {}
    whole: ShelfState | None = None
    waiting = list(coming)
    tried = {**on, **{one.id: one for one in waiting}}
    whole = pack(tried)
    if whole is not None:
        return {name: whole}
    for one in waiting:
        state = pack({**on, one.id: one})
        if state is None:
            single = pack({one.id: one})
            assert single is not None, "an article within its bounds fits on a shelf of its own"
            alone[own_shelf(one.id)] = single
            on.pop(one.id, None)
        else:
            on[one.id] = one
    state = pack(on) if on else None
    return {**({name: state} if state is not None else {}), **alone}


def unpack(entries: Sequence[ShelfEntry], packed: bytes) -> list[Stocked]:
    """The articles of a shelf, in order. Raises FormatError ``bad-shelf`` unless every one has its size and digest."""
    size = sum(entry.bytes for entry in entries)
    if size > SHELF_BYTES:
        raise _bad(f"it would unfold to {size} bytes")
    try:
        data = unpack_zstd(packed, size)
    except FormatError as error:
        raise _bad(error.message) from None
    found, start = [], 0
    for entry in entries:
        part = data[start : start + entry.bytes]
        start += entry.bytes
        if hashlib.sha256(part).hexdigest() != entry.sha256:
            raise _bad(f"{entry.id} is not what its digest says")
        found.append(Stocked(id=entry.id, form=entry.form, name=entry.name, data=part, sha256=entry.sha256))
    return found


def _bad(cause: str) -> FormatError:
    return FormatError("bad-shelf", f"A shelf of articles is refused: {cause}.", "Look at the site it came from.")
