"""The old bytes both ends of a parcel have: contents of its bases, as they are or with members expanded. Knows manifests and the
store; nothing of what is made of the bytes.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from haulage.base.errors import FormatError
from haulage.engine.archives.expand import expand
from haulage.engine.archives.recipe import Recipe
from haulage.engine.archives.view import Spill, View
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkStore
from haulage.engine.parcels.content_view import ChunkCache, ContentView, prefetch
from haulage.engine.parcels.model import At, Source, Window

_PAGES = 64
"""Pages kept decoded; some megabytes."""
CACHE_BYTES = 28 * 1024 * 1024
_VIEWS = 256
_EXPANDED = 4
"""Expanded forms kept on disk."""
_READ_BYTES = 4 * 1024 * 1024
_TOGETHER_BYTES = 24 * 1024 * 1024
"""Windows whose chunks are read together; they fit the cache."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Sources:
    """Reads old bytes for one parcel, for several threads."""

    def __init__(self, bases: Sequence[Manifest], store: ChunkStore, folder: str, *, cache: ChunkCache | None = None) -> None:
        """``folder`` takes expanded archives, in files without a name; ``cache``: through which chunks are read, to be closed by
        whoever made it."""
        self._bases = bases
        self.cache = cache or ChunkCache(store, CACHE_BYTES)
        self._folder = folder
        self._lock = threading.RLock()
        self._pages: OrderedDict[tuple[int, int], list[ManifestEntry]] = OrderedDict()
        self._views: OrderedDict[tuple[int, At], View] = OrderedDict()
        self._expanded: OrderedDict[Source, Spill] = OrderedDict()

    def size(self, source: Source) -> int:
        """Bytes of a source. Raises FormatError ``bad-parcel`` if there is no such content."""
        content = self.content(source.base, source.at)
        return Recipe(source.members, content.size).expanded_size if source.members else content.size

    def content(self, base: int, at: At) -> ContentRef:
        """The reference of a base's content. Raises FormatError ``bad-parcel`` if there is no such content."""
        manifest = self._bases[base] if 0 <= base < len(self._bases) else None
        if manifest is None or not 0 <= at.page < len(manifest.pages()):
            raise no_source()
        with self._lock:
            page = _cached(self._pages, (base, at.page), lambda: manifest.page(at.page), _PAGES)
        contents = list(page[at.entry].contents()) if 0 <= at.entry < len(page) else []
        if not 0 <= at.part < len(contents):
            raise no_source()
        return contents[at.part]

    def view(self, source: Source) -> View:
        """A source's bytes."""
        with self._lock:
            return self._expand(source) if source.members else self._plain(source)

    def windows(self, view: Callable[[int], View], windows: Sequence[Window]) -> bytes:
        """The bytes of windows, one after the other; ``view`` gives those of a source by number. Read together where
        that fits the cache."""
        joined = io.BytesIO()
        for some in _together(windows):
            ranges = [(view(window.source), window.offset, window.length) for window in some]
            if sum([window.length for window in some]) <= _TOGETHER_BYTES:
                prefetch(self.cache, [(old, at, size) for old, at, size in ranges if isinstance(old, ContentView)])
            for old, offset, size in ranges:
                for at in range(offset, offset + size, _READ_BYTES):
                    joined.write(old.read(at, min(_READ_BYTES, offset + size - at)))
        return joined.getvalue()

    def at_hand(self, view: Callable[[int], View], ranges: Iterable[Window]) -> None:
        """Read together what is about to be read piece by piece, as far as it fits the cache."""
        views = ((view(one.source), one) for one in next(_together(ranges), ()))
        prefetch(self.cache, [(old, one.offset, one.length) for old, one in views if isinstance(old, ContentView)])

    def close(self) -> None:
        """Give back the disk; safe to repeat."""
        while self._expanded:
            self._expanded.popitem()[1].close()

    def _expand(self, source: Source) -> View:
        # One that is given back while somebody reads it goes when he is done: a spill has no name.
        spill = self._expanded.pop(source, None)
        if spill is None:
            plain = self._plain(source)
            spill = Spill(self._folder)
            expand(plain, Recipe(source.members, plain.size), spill)
        self._expanded[source] = spill
        while len(self._expanded) > _EXPANDED:
            self._expanded.popitem(last=False)
        return spill

    def _plain(self, source: Source) -> View:
        def make() -> View:
            return ContentView(self.content(source.base, source.at), self._bases[source.base], self.cache)

        return _cached(self._views, (source.base, source.at), make, _VIEWS)


def _together(windows: Iterable[Window]) -> Iterator[list[Window]]:
    some: list[Window] = []
    for window in windows:
        if some and sum([one.length for one in some]) + window.length > _TOGETHER_BYTES:
            yield some
            some = []
        some.append(window)
    if some:
        yield some


def no_source() -> FormatError:
    """A parcel names old bytes that its bases do not have."""
    return FormatError("bad-parcel", "A parcel names a content that none of its bases has.", "Get it again from a trusted site.")


def _cached(cache: OrderedDict[Key, Value], key: Key, make: Callable[[], Value], most: int) -> Value:
    value = cache.pop(key, None)
    if value is None:
        value = make()
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)
    return value
