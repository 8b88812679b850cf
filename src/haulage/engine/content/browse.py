"""Looking into a manifest the way people do: one folder at a time, or by a name. Reads only the pages that are shown, so a folder
of a tree of a million files costs what the folder holds. Knows the manifest, nothing of packages.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ManifestEntry

LOOKED_PAGES = 64
"""So many pages one search looks through before it asks to be continued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Some entries of a list; ``after`` is where to go on, None at the end."""

    entries: list[ManifestEntry]
    after: bytes | None = None


def children(manifest: Manifest, folder: bytes, *, after: bytes = b"", limit: int = 200) -> Listed:
    """What lies directly in a folder, by the bytes of the names, behind the name ``after``. What lies deeper is jumped over."""
    prefix = folder + b"/" if folder else b""
    walk = _Walk(manifest, prefix + after + b"\0" if after else prefix)
    found: list[ManifestEntry] = []
    while (path := walk.path) is not None and path.startswith(prefix):
        name, slash, _rest = path[len(prefix) :].partition(b"/")
        if slash:
            walk.seek(prefix + name + b"0")  # the byte after the slash: behind everything that lies in it
            continue
        if path != folder:
            if len(found) == limit:
                return Listed(entries=found, after=found[-1].path[len(prefix) :])
            found.append(walk.entry())
        walk.step()
    return Listed(entries=found)


def named(manifest: Manifest, text: str, *, after: bytes = b"", limit: int = 200) -> Listed:
    """Entries whose name holds ``text`` (with a slash in it: whose path does), small and capital letters alike, behind the path
    ``after``. A look ends after some pages, found or not: ``after`` then says where to go on."""
    needle = text.lower()
    raw = needle.encode("utf-8", "surrogatepass") if needle.isascii() else b""
    pages = manifest.pages()
    start = _page_of(manifest, after) if after else 0
    found: list[ManifestEntry] = []
    for index in range(start, len(pages)):
        if index - start >= LOOKED_PAGES:
            # Where the next page begins, less a hair: it is looked at from its first entry on.
            return Listed(entries=found, after=_just_before(pages[index].first))
        if raw and raw not in manifest.read(pages[index].id).lower():
            continue
        page = manifest.glance(index)
        for number, path in enumerate(page.paths):
            if path <= after or not path or not _holds(path, needle):
                continue
            if len(found) == limit:
                return Listed(entries=found, after=found[-1].path)
            found.append(page.entry(number))
    return Listed(entries=found)


def folders_above(path: bytes) -> Iterator[bytes]:
    """The folders on the way to a path, outermost first, the root left out."""
    at = path.find(b"/")
    while at >= 0:
        yield path[:at]
        at = path.find(b"/", at + 1)


def _holds(path: bytes, needle: str) -> bool:
    looked = path if "/" in needle else path.rpartition(b"/")[2]
    return needle in looked.decode("utf-8", "replace").lower()


def _page_of(manifest: Manifest, path: bytes) -> int:
    return max(0, bisect_right(manifest.pages(), path, key=lambda page: page.first) - 1)


def _just_before(path: bytes) -> bytes:
    """The greatest path below one that any tree can hold: nothing in a path is the byte zero."""
    return path[:-1] + bytes([path[-1] - 1]) + b"\xff" * 8 if path else b""


class _Walk:
    """A place in a manifest's entries that can be moved forward."""

    def __init__(self, manifest: Manifest, start: bytes) -> None:
        self._manifest = manifest
        self._number = _page_of(manifest, start)
        self._page = manifest.glance(self._number)
        self._at = bisect_left(self._page.paths, start)

    @property
    def path(self) -> bytes | None:
        """Of the entry here; None at the end."""
        while self._at >= len(self._page.paths):
            if self._number + 1 >= len(self._manifest.pages()):
                return None
            self._open(self._number + 1)
        return self._page.paths[self._at]

    def entry(self) -> ManifestEntry:
        """The entry here."""
        return self._page.entry(self._at)

    def step(self) -> None:
        """To the next one."""
        self._at += 1

    def seek(self, path: bytes) -> None:
        """To the first one that does not come before a path."""
        number = _page_of(self._manifest, path)
        if number != self._number:
            self._open(number)
        self._at = bisect_left(self._page.paths, path)

    def _open(self, number: int) -> None:
        self._number, self._page, self._at = number, self._manifest.glance(number), 0
