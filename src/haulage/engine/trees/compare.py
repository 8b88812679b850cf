"""Comparing two trees entirely: names, kinds, bytes, streams, attributes, ACLs, links, modes, owners, times."""

from __future__ import annotations

from collections.abc import Iterator

from haulage.engine.trees.model import Entry, EntryType, TreeDifference, TreeReader
from haulage.engine.trees.paths import shown

_SEGMENT_BYTES = 1 << 20
_LONGEST_SHOWN = 200


def compare_trees(
    expected: TreeReader, found: TreeReader, contents: bool = True, *, ignore_owner: bool = False, ignore_times: bool = False
) -> Iterator[TreeDifference]:
    """Every way in which ``found`` is not ``expected``, in order of paths; nothing if they are the same.

    A mode or owner that ``expected`` leaves unset must be unset in ``found`` too. Reading errors of either side are raised."""
    theirs = found.entries()
    other = next(theirs, None)
    for entry in expected.entries():
        while other is not None and other.path < entry.path:
            yield TreeDifference(path=other.path, what="added", found=other.type.value)
            other = next(theirs, None)
        if other is None or other.path != entry.path:
            yield TreeDifference(path=entry.path, what="missing", expected=entry.type.value)
            continue
        yield from _compare_facts(entry, other, ignore_owner=ignore_owner, ignore_times=ignore_times)
        if contents:
            yield from _compare_contents(expected, entry, found, other)
        other = next(theirs, None)
    while other is not None:
        yield TreeDifference(path=other.path, what="added", found=other.type.value)
        other = next(theirs, None)


def _compare_facts(entry: Entry, other: Entry, *, ignore_owner: bool, ignore_times: bool) -> Iterator[TreeDifference]:
    if entry == other:
        return
    for name in ("type", "size", "mode", "owner", "mtime_ns", "target", "same_as", "attributes", "acls", "streams", "dos"):
        if (name == "owner" and ignore_owner) or (name == "mtime_ns" and ignore_times):
            continue
        wanted, got = getattr(entry, name), getattr(other, name)
        if wanted != got:
            yield TreeDifference(path=entry.path, what=name, expected=_text(wanted), found=_text(got))


def _text(value: object) -> str:
    text = shown(value) if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def _compare_contents(expected: TreeReader, entry: Entry, found: TreeReader, other: Entry) -> Iterator[TreeDifference]:
    """Only of contents that both have at the same size: the rest was told by the facts."""
    both_files = entry.type is EntryType.FILE and other.type is EntryType.FILE
    if both_files and entry.same_as is None and other.same_as is None and entry.size == other.size:
        yield from _compare_bytes(expected, entry, found, other, None)
    sizes = {stream.name: stream.size for stream in other.streams}
    for stream in entry.streams:
        if sizes.get(stream.name) == stream.size:
            yield from _compare_bytes(expected, entry, found, other, stream.name)


def _compare_bytes(
    expected: TreeReader, entry: Entry, found: TreeReader, other: Entry, stream: bytes | None
) -> Iterator[TreeDifference]:
    wanted, got = expected.open(entry, stream), found.open(other, stream)
    try:
        for offset in range(0, wanted.size, _SEGMENT_BYTES):
            size = min(_SEGMENT_BYTES, wanted.size - offset)
            if wanted.read_at(offset, size) != got.read_at(offset, size):
                name = "bytes" if stream is None else f"bytes of stream {shown(stream)}"
                yield TreeDifference(path=entry.path, what=name, expected=f"bytes {offset} to {offset + size}", found="others")
                return
    finally:
        wanted.close()
        got.close()
