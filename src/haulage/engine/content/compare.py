"""Two versions of a tree side by side, for people: what was added, removed, changed, moved, and what differs in streams or
attributes alone, summed up for each folder. Reads what :mod:`diff` reads; knows manifests only.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from haulage.engine.content.browse import folders_above
from haulage.engine.content.diff import Change, ChangeKind
from haulage.engine.content.manifest_model import ManifestEntry
from haulage.engine.trees.model import EntryType

Key = tuple[bytes, bytes, bytes]


class What(enum.StrEnum):
    """What became of a path, the most telling word first."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    STREAMS = "streams"
    ATTRIBUTES = "attributes"
    TIMES = "times"


MEANINGS: dict[What, str] = {
    What.ADDED: "There only in the newer version.",
    What.REMOVED: "There only in the older version.",
    What.CHANGED: "Other bytes, another link target, or another kind of thing.",
    What.MOVED: "The same bytes under another name.",
    What.STREAMS: "The same bytes; a named stream came, went or changed.",
    What.ATTRIBUTES: "The same bytes; rights, owners, attributes or flags differ.",
    What.TIMES: "Nothing but the time of last change differs.",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. Sizes in bytes of contents, streams and large values."""

    what: What
    path: bytes
    was: bytes = b""
    """Of what moved: where it was."""
    type: EntryType
    old_bytes: int = 0
    new_bytes: int = 0
    facets: tuple[str, ...] = ()
    """Which facts differ, in the words of :class:`~haulage.engine.content.diff.Change`."""
    streams: tuple[bytes, ...] = ()
    """Names of the streams that differ."""


@dataclass(slots=True)
class Sum:
    """What differs below a folder."""

    counts: Counter[What] = field(default_factory=Counter)
    bytes_added: int = 0
    bytes_removed: int = 0

    def add(self, row: Row) -> None:
        self.counts[row.what] += 1
        self.bytes_added += max(0, row.new_bytes - row.old_bytes)
        self.bytes_removed += max(0, row.old_bytes - row.new_bytes)


class Comparison:
    """All differences, by path, and their sums by folder. Never changes: versions do not."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = sorted(rows, key=lambda row: (row.path, row.what))
        self._own: dict[bytes, list[Row]] = {}
        """What differs directly in a folder."""
        self.sums: dict[bytes, Sum] = {b"": Sum()}
        self._below: dict[bytes, set[bytes]] = {}
        """Folders in which something differs, by the folder that holds them."""
        for row in self.rows:
            self.sums[b""].add(row)
            self._own.setdefault(_folder(row.path), []).append(row)
            above = b""
            for folder in folders_above(row.path):
                self.sums.setdefault(folder, Sum()).add(row)
                self._below.setdefault(above, set()).add(folder)
                above = folder

    @property
    def total(self) -> Sum:
        """Of everything."""
        return self.sums[b""]

    def folder(self, folder: bytes, kinds: frozenset[What] = frozenset()) -> list[bytes | Row]:
        """What differs directly in a folder: the folders below it in which something differs (their path), and rows of its own."""
        inside = [one for one in sorted(self._below.get(folder, ())) if not kinds or kinds & set(self.sums[one].counts)]
        return [*inside, *(row for row in self._own.get(folder, ()) if not kinds or row.what in kinds)]

    def row(self, path: bytes) -> Row | None:
        """What differs of a path itself."""
        return next((row for row in self._own.get(_folder(path), ()) if row.path == path), None)

    def chosen(self, kinds: frozenset[What] = frozenset(), name: str = "") -> Iterator[Row]:
        """All rows of some kinds whose path, old or new, holds a text."""
        needle = name.lower()
        for row in self.rows:
            if kinds and row.what not in kinds:
                continue
            if needle and not any(needle in path.decode("utf-8", "replace").lower() for path in (row.path, row.was)):
                continue
            yield row


def compare(changes: Iterable[Change]) -> Comparison:
    """Changes as :func:`diff` gives them, what moved put together. Memory: all of them."""
    rows: list[Row] = []
    gone: dict[bytes, ManifestEntry] = {}
    came: dict[bytes, ManifestEntry] = {}
    for change in changes:
        if change.kind is ChangeKind.ADDED and change.new is not None:
            came[change.path] = change.new
        elif change.kind is ChangeKind.REMOVED and change.old is not None:
            gone[change.path] = change.old
        elif change.old is not None and change.new is not None:
            rows.append(_changed(change, change.old, change.new))
    moves = _moves(gone, came)
    rows += [_moved(gone[was], came[now]) for was, now in moves.items()]
    landed = set(moves.values())
    rows += [
        Row(what=What.REMOVED, path=path, type=one.type, old_bytes=_bytes(one)) for path, one in gone.items() if path not in moves
    ]
    rows += [
        Row(what=What.ADDED, path=path, type=one.type, new_bytes=_bytes(one)) for path, one in came.items() if path not in landed
    ]
    return Comparison(rows)


def _changed(change: Change, old: ManifestEntry, new: ManifestEntry) -> Row:
    facets = set(change.what)
    if facets & {"content", "type", "target"}:
        what = What.CHANGED
    elif "streams" in facets:
        what = What.STREAMS
    else:
        what = What.TIMES if facets == {"times"} else What.ATTRIBUTES
    return Row(
        what=what,
        path=change.path,
        type=new.type,
        old_bytes=_bytes(old),
        new_bytes=_bytes(new),
        facets=change.what,
        streams=change.streams,
    )


def _moved(old: ManifestEntry, new: ManifestEntry) -> Row:
    streams = {one.name: one.content for one in old.streams}, {one.name: one.content for one in new.streams}
    names = sorted(name for name in {*streams[0], *streams[1]} if streams[0].get(name) != streams[1].get(name))
    facts = ("mode", "owner", "attributes", "acls", "dos", "mtime_ns", "same_as")
    words = {"acls": "acl", "mtime_ns": "times", "same_as": "hard-link"}
    facets = [words.get(fact, fact) for fact in facts if getattr(old, fact) != getattr(new, fact)]
    return Row(
        what=What.MOVED,
        path=new.path,
        was=old.path,
        type=new.type,
        old_bytes=_bytes(old),
        new_bytes=_bytes(new),
        facets=(*(["streams"] if names else []), *facets),
        streams=tuple(names),
    )


def _moves(gone: dict[bytes, ManifestEntry], came: dict[bytes, ManifestEntry]) -> dict[bytes, bytes]:
    """Old path to new path: files of the same bytes and links of the same target, the same name first; then folders all of whose
    things went to one folder."""
    by_key: dict[Key, list[bytes]] = {}
    for path, entry in gone.items():
        if (key := _key(entry)) is not None:
            by_key.setdefault(key, []).append(path)
    moves: dict[bytes, bytes] = {}
    waiting: list[tuple[bytes, list[bytes]]] = []
    for path, entry in came.items():
        key = _key(entry)
        candidates = by_key.get(key, []) if key is not None else []
        same = next((one for one in candidates if _name(one) == _name(path)), None)
        if same is not None:
            candidates.remove(same)
            moves[same] = path
        elif candidates:
            waiting.append((path, candidates))
    for path, candidates in waiting:
        if candidates:
            moves[candidates.pop(0)] = path
    _add_folders(gone, came, moves)
    return moves


def _add_folders(gone: dict[bytes, ManifestEntry], came: dict[bytes, ManifestEntry], moves: dict[bytes, bytes]) -> None:
    old_inside, new_inside = _inside(gone), _inside(came)
    taken = set(moves.values())
    for path in sorted((path for path, entry in gone.items() if entry.type is EntryType.FOLDER), reverse=True):
        inside = old_inside.get(path, [])
        homes = {_folder(moves[one]) if one in moves else None for one in inside}
        home = homes.pop() if len(homes) == 1 else None
        if home is None or home in taken or home not in came or len(new_inside.get(home, [])) != len(inside):
            continue
        moves[path] = home
        taken.add(home)


def _inside(entries: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for path in entries:
        found.setdefault(_folder(path), []).append(path)
    return found


def _key(entry: ManifestEntry) -> Key | None:
    if entry.type is EntryType.SYMLINK:
        return (entry.target, b"", b"link")
    if entry.type is not EntryType.FILE or not entry.content.size:
        return None  # empty files are all alike: none of them came from another
    return (entry.content.chunks, entry.content.lists, b"")


def _bytes(entry: ManifestEntry) -> int:
    return sum(content.size for content in entry.contents())


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
