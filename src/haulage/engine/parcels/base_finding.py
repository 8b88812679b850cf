"""Which held content a new one is probably made from, by its name: the same path, else the same with numbers and hashes left out,
else the same last names. Reads manifests only.
"""

from __future__ import annotations

import bisect
import functools
import re
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.parcels.model import At

_BUNDLED = re.compile(rb"(?<=[.-])(?=[\w-]*(?:[0-9_-]|[a-z][A-Z]|[A-Z]{2}))[\w-]{8}(?=\.)")
"""What bundlers of scripts put before the end of a name: eight signs, not a plain word."""
_HASH = re.compile(rb"(?=[a-f]*[0-9])[0-9a-f]{8,}")
_CHANGING = re.compile(rb"[0-9a-f]{8,}|[0-9]+")
_PAGES_KEPT = 12
_WHOLE_PATHS = 2
"""Of the keys of a name so many are of the whole path."""
_CANDIDATES = 64
"""Of contents with the same last name only so many are weighed."""


class Held(NamedTuple):
    """A content that a base holds."""

    base: int
    at: At
    path: bytes
    content: ContentRef


def labels(entry: ManifestEntry) -> Iterator[tuple[int, bytes | None, ContentRef]]:
    """Every content of an entry that is not empty: its number, what names it beside the path (None: the main one), and itself."""
    names: list[bytes | None] = [None]
    names += [stream.name for stream in entry.streams]
    names += [b"attribute:" + name for name, value in entry.attributes if isinstance(value, ContentRef)]
    names += [b"acl:" + dialect.encode() for dialect, value in entry.acls if isinstance(value, ContentRef)]
    for part, (name, content) in enumerate(zip(names, entry.contents(), strict=True)):
        if content.size:
            yield part, name, content


def _plain(path: bytes) -> tuple[bytes, bytes]:
    """A path without hashes and marks, and without numbers too. Nothing of either kind reaches over a slash."""
    folder, slash, name = path.rpartition(b"/")
    folder_unmarked, folder_plain = _plain_folder(folder)
    unmarked = _HASH.sub(b"#", _BUNDLED.sub(b"#", name))
    return folder_unmarked + slash + unmarked, folder_plain + slash + _CHANGING.sub(b"#", unmarked)


@functools.lru_cache(maxsize=256)
def _plain_folder(folder: bytes) -> tuple[bytes, bytes]:
    """Asked for once for each file in it, mostly in turn."""
    unmarked = _HASH.sub(b"#", folder)
    return unmarked, _CHANGING.sub(b"#", unmarked)


class Bases:
    """The contents of the bases by name. Memory: a few pages; once more than equal paths is asked for, 40 bytes a content."""

    def __init__(self, bases: Sequence[Manifest]) -> None:
        self.manifests = tuple(bases)
        self._firsts = [[page.first for page in base.pages()] for base in bases]
        self._pages: OrderedDict[tuple[int, int], list[ManifestEntry]] = OrderedDict()
        self._names: _Names | None = None

    def same(self, path: bytes, label: bytes | None) -> Held | None:
        """The content at this very path, in the first base that has one. Cheapest when asked in path order."""
        for base, firsts in enumerate(self._firsts):
            page = max(0, bisect.bisect_right(firsts, path) - 1)
            entries = self._page(base, page)
            number = bisect.bisect_left(entries, path, key=lambda entry: entry.path)
            if number < len(entries) and entries[number].path == path:
                for part, name, content in labels(entries[number]):
                    if name == label:
                        return Held(base, At(page, number, part), path, content)
        return None

    def alike(self, path: bytes, size: int) -> tuple[Held, bool] | None:
        """The main content whose name is most like this path's, of those the one nearest in size; and whether that is certain:
        but for numbers and marks its path is the same, and no other's is."""
        if self._names is None:
            self._names = _Names(self.manifests)
        for rank, numbers in self._names.candidates(path):
            sizes = self._names.sizes
            best = sorted(numbers, key=lambda number: (abs(sizes[number] - size), number))[:4]
            found = [self._at(number) for number in best]
            base_name = path.rpartition(b"/")[2]
            best_found = min(found, key=lambda held: held.path.rpartition(b"/")[2] != base_name)
            return best_found, rank < _WHOLE_PATHS and len(numbers) == 1
        return None

    def content(self, base: int, at: At) -> Held:
        """What stands there."""
        entry = self._page(base, at.page)[at.entry]
        return next(Held(base, at, entry.path, content) for part, _name, content in labels(entry) if part == at.part)

    def _at(self, number: int) -> Held:
        assert self._names is not None
        base, page, entry = self._names.place(number)
        return self.content(base, At(page, entry, 0))

    def _page(self, base: int, page: int) -> list[ManifestEntry]:
        key = (base, page)
        entries = self._pages.get(key)
        if entries is None:
            entries = self._pages[key] = self.manifests[base].page(page)
            if len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(key)
        return entries


class _Names:
    """Every main content of the bases under four keys, sorted: 32 bits of a checksum, 32 of the content's number."""

    def __init__(self, bases: Sequence[Manifest]) -> None:
        self.sizes: array[int] = array("Q")
        self._page_starts: array[int] = array("Q")
        self._page_of: list[tuple[int, int]] = []
        keys = tuple(array("Q") for _ in range(_KEYS))
        for base, manifest in enumerate(bases):
            for page in range(len(manifest.pages())):
                self._page_starts.append(len(self.sizes))
                self._page_of.append((base, page))
                for entry in manifest.page(page):
                    number = len(self.sizes)
                    self.sizes.append(entry.content.size)
                    if entry.content.size:
                        for key, column in zip(_keys(entry.path), keys, strict=True):
                            column.append(key << 32 | number)
        self._keys = tuple(array("Q", sorted(column)) for column in keys)

    def candidates(self, path: bytes) -> Iterator[tuple[int, list[int]]]:
        """Numbers of contents alike in name, most alike first, with how alike: 0 is most."""
        for rank, (key, column) in enumerate(zip(_keys(path), self._keys, strict=True)):
            low = bisect.bisect_left(column, key << 32)
            high = bisect.bisect_left(column, (key + 1) << 32, low)
            if low < high:
                step = -(-(high - low) // _CANDIDATES)
                yield rank, [column[at] & 0xFFFFFFFF for at in range(low, high, step)]

    def place(self, number: int) -> tuple[int, int, int]:
        """Base, page and entry of a content."""
        at = bisect.bisect_right(self._page_starts, number) - 1
        base, page = self._page_of[at]
        return base, page, number - self._page_starts[at]


def _keys(path: bytes) -> tuple[int, ...]:
    """Checksums of a path: without hashes, without numbers too, and of that the last two names and the last."""
    unmarked, plain = _plain(path)
    parts = plain.rsplit(b"/", 2)
    return zlib.crc32(unmarked), zlib.crc32(plain), zlib.crc32(b"/".join(parts[-2:])), zlib.crc32(parts[-1])


_KEYS = len(_keys(b""))
