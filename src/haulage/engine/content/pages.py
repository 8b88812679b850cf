"""Pages: where a manifest's entries are cut, and the order they must keep. *Pure*; page bytes in, entries out, no store.

Cuts depend on paths, not on positions, so that adding a file renews one page and not all that follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blake3 import blake3

from haulage.base.errors import FormatError
from haulage.engine.content.codec import AGAIN
from haulage.engine.content.manifest_model import ManifestEntry, shown
from haulage.engine.content.manifest_wire import encode_entry, encode_page
from haulage.engine.trees.model import EntryType

PAGE_MIN_ENTRIES = 256
PAGE_MAX_ENTRIES = 4096
PAGE_SOFT_BYTES = 512 * 1024
"""A page is closed before an entry that would make it larger, unless it would be empty."""
_CUT_BELOW = 2**32 // 768
"""A page ends after an entry whose path hash is below this: 1,000 entries on average with the minimum."""


@dataclass(frozen=True, slots=True)
class Page:
    """One finished page."""

    first: bytes
    entries: int
    data: bytes


def cut_pages(entries: Iterable[ManifestEntry]) -> Iterator[Page]:
    """Encode entries and cut them into pages; refuses a wrong order. Memory: one page."""
    order = OrderCheck()
    encoded: list[bytes] = []
    first = b""
    size_bytes = 0
    for entry in entries:
        order.next(entry)
        data = encode_entry(entry)
        if encoded and size_bytes + len(data) > PAGE_SOFT_BYTES:
            yield Page(first, len(encoded), encode_page(encoded))
            encoded, size_bytes = [], 0
        if not encoded:
            first = entry.path
        encoded.append(data)
        size_bytes += len(data)
        if len(encoded) >= PAGE_MAX_ENTRIES or (len(encoded) >= PAGE_MIN_ENTRIES and is_cut(entry.path)):
            yield Page(first, len(encoded), encode_page(encoded))
            encoded, size_bytes = [], 0
    if encoded:
        yield Page(first, len(encoded), encode_page(encoded))
    order.end()


def is_cut(path: bytes) -> bool:
    """Whether a page may end after this path."""
    return int.from_bytes(blake3(path).digest(4)) < _CUT_BELOW


class OrderCheck:
    """Holds a sequence of entries to the order of a tree: the root first, paths strictly rising in byte order, everything below a
    folder that was listed (B31, B33). Memory: one path's length."""

    __slots__ = ("_folders", "_last")

    def __init__(self) -> None:
        self._last: bytes | None = None
        # Every folder that may still get children is a prefix of the path just seen, so they form a stack.
        self._folders: list[bytes] = []

    def next(self, entry: ManifestEntry) -> None:
        """Admit the next entry. Raises FormatError ``bad-order``."""
        path = entry.path
        if self._last is None:
            if path or entry.type is not EntryType.FOLDER:
                raise _disorder(path, "the root folder must come first")
        else:
            if path <= self._last:
                raise _disorder(path, "it is repeated or out of order")
            while not path.startswith(self._folders[-1]):
                self._folders.pop()
            slash = path.rfind(b"/")
            parent = path[:slash] if slash >= 0 else b""
            if not any(len(folder) == len(parent) for folder in reversed(self._folders)):
                raise _disorder(path, "its parent is not a folder of the tree")
        self._last = path
        if entry.type is EntryType.FOLDER:
            self._folders.append(path)

    def end(self) -> None:
        """No more entries. Raises FormatError if there were none."""
        if self._last is None:
            raise _disorder(b"", "the root folder is missing")


def _disorder(path: bytes, why: str) -> FormatError:
    return FormatError("bad-order", f"The manifest's entry {shown(path[:200])} is wrong: {why}.", AGAIN)
