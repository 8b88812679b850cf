"""What changed between two manifests: a merge that skips the pages they share, so a small change of a large tree costs little.
Reads pages, nothing else.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ManifestEntry
from haulage.engine.content.model import ChunkId


class ChangeKind(enum.Enum):
    """What became of a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path that is not the same in both."""

    kind: ChangeKind
    path: bytes
    old: ManifestEntry | None = None
    new: ManifestEntry | None = None
    what: tuple[str, ...] = ()
    """For CHANGED: of ``type``, ``content``, ``streams``, ``attributes``, ``acl``, ``mode``, ``owner``, ``times``, ``target``,
    ``hard-link``, ``dos``, ``extra``."""
    streams: tuple[bytes, ...] = ()
    """For CHANGED: names of the streams that differ, came or went."""


class _Cursor:
    """Walks a manifest's entries; at the start of a page it can be asked which page it is without reading it."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._page = 0
        self._entries: list[ManifestEntry] = []
        self._at = 0

    @property
    def path(self) -> bytes | None:
        """Path of the next entry; None at the end."""
        if self._at < len(self._entries):
            return self._entries[self._at].path
        pages = self._manifest.pages()
        return pages[self._page].first if self._page < len(pages) else None

    @property
    def page(self) -> ChunkId | None:
        """The page that begins here, if one does."""
        pages = self._manifest.pages()
        return pages[self._page].id if self._at >= len(self._entries) and self._page < len(pages) else None

    def skip_page(self) -> None:
        self._page += 1
        self._entries, self._at = [], 0

    def take(self) -> ManifestEntry:
        if self._at >= len(self._entries):
            self._entries, self._at = self._manifest.page(self._page), 0
            self._page += 1
        entry = self._entries[self._at]
        self._at += 1
        return entry


def diff(old: Manifest, new: Manifest) -> Iterator[Change]:
    """Every path that differs, in path order. Reads only pages that are not in both."""
    a, b = _Cursor(old), _Cursor(new)
    while (before := a.path) is not None or b.path is not None:
        after = b.path
        if before == after:
            if a.page is not None and a.page == b.page:
                a.skip_page()
                b.skip_page()
                continue
            one, two = a.take(), b.take()
            if one != two:
                yield _change(one, two)
        elif after is None or (before is not None and before < after):
            gone = a.take()
            yield Change(kind=ChangeKind.REMOVED, path=gone.path, old=gone)
        else:
            came = b.take()
            yield Change(kind=ChangeKind.ADDED, path=came.path, new=came)


def _change(old: ManifestEntry, new: ManifestEntry) -> Change:
    pairs: tuple[tuple[str, object, object], ...] = (
        ("type", old.type, new.type),
        ("content", old.content, new.content),
        ("streams", old.streams, new.streams),
        ("attributes", old.attributes, new.attributes),
        ("acl", old.acls, new.acls),
        ("mode", old.mode, new.mode),
        ("owner", old.owner, new.owner),
        ("times", old.mtime_ns, new.mtime_ns),
        ("target", old.target, new.target),
        ("hard-link", old.same_as, new.same_as),
        ("dos", old.dos, new.dos),
        ("extra", old.extra, new.extra),
    )
    before = {stream.name: stream.content for stream in old.streams}
    after = {stream.name: stream.content for stream in new.streams}
    names = sorted({name for name in {*before, *after} if before.get(name) != after.get(name)})
    what = tuple(name for name, one, two in pairs if one != two)
    return Change(kind=ChangeKind.CHANGED, path=new.path, old=old, new=new, what=what, streams=tuple(names))
