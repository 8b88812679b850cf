"""From a gap between common chunks to what a batch carries of it: copies grown byte by byte into the gap from both sides, the rest
fresh, and the old bytes that are likely to help. Knows views, no stores and no manifests.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from haulage.engine.archives.recipe import Recipe
from haulage.engine.archives.view import View
from haulage.engine.delta.common import common_prefix, common_suffix
from haulage.engine.delta.fine import fine_cuts
from haulage.engine.delta.probe import HEAD_BYTES, looks_packed, looks_text
from haulage.engine.parcels.anchors import Gap
from haulage.engine.parcels.model import At, Fresh, ObjectKind, Source

MIB = 1024 * 1024
LOOK_BYTES = 128 * 1024
"""Compared at a time; most copies end before."""
_LEAST_COPY = 32
"""A shorter copy costs more to say than to send."""
_MOST_OBJECT = 64 * MIB
_MOST_CHUNKS = 8192
_SAMPLE_BYTES = 4096
_SAMPLES = 5
_PACKED_BYTES = 32 * 1024
"""What is smaller does not matter by itself."""


class Group(enum.IntEnum):
    """What goes into batches together."""

    TEXT = 0
    BINARY = 1
    PACKED = 2


class Slice(NamedTuple):
    """Bytes of a source: to copy, or to encode against."""

    source: Source
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One object of a batch before it is known which."""

    group: Group
    kind: ObjectKind
    first: int
    count: int
    pieces: tuple[Slice | Fresh, ...]
    windows: tuple[Slice, ...]
    view: View
    offset: int
    at: At | None = None
    recipe: Recipe | None = None

    @property
    def fresh_bytes(self) -> int:
        """Of its pieces."""
        return sum([piece.length for piece in self.pieces if isinstance(piece, Fresh)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a region may take."""

    fresh_bytes: Mapping[Group, int]
    """The most in one region."""
    window_bytes: Mapping[Group, int]
    """The most old bytes for one."""
    margin: int
    """Old bytes taken beyond the gap, either side."""
    reference: int
    """Old bytes taken beyond what a part of a cut gap probably comes from, either side."""
    grow: bool
    """Whether copies are grown."""


class Old(NamedTuple):
    """What a gap is compared with."""

    source: Source
    view: View


def cut_gap(gap: Gap, new: View, old: Old | None, bounds: Bounds) -> Iterator[Region]:
    """The regions of a gap, in order. Raises what reading raises."""
    size = gap.size
    front = back = 0
    if old is not None and bounds.grow:
        front = _agreed_front(new, gap.offset, old.view, gap.low, min(size, old.view.size - gap.low))
        back = _agreed_back(new, gap.offset + size, old.view, gap.high, min(size - front, gap.high))
    end = size - back
    at = 0
    ordinal = gap.first
    group = _group(new, gap.offset + front, end - front)
    for lengths in _parts(list(gap.lengths), front, end, bounds.fresh_bytes[group]):
        stop = at + sum(lengths)
        low, high = max(at, front), min(stop, end)
        pieces: list[Slice | Fresh] = []
        if old is not None and at < front:
            pieces.append(Slice(old.source, gap.low + at, min(stop, front) - at))
        if low < high:
            pieces.append(Fresh(high - low))
        if old is not None and stop > end:
            start = max(at, end)
            pieces.append(Slice(old.source, gap.high - (size - start), stop - start))
        windows: tuple[Slice, ...] = ()
        if old is not None and low < high:
            ranges = _windows(gap.low + front, gap.high - back, low - front, high - front, end - front, old.view.size, bounds)
            ranges = _at_most(ranges, bounds.window_bytes[group])
            if group is not Group.PACKED or _resembles(new, gap.offset + low, high - low, old.view, ranges):
                windows = tuple([Slice(old.source, first, last - first) for first, last in ranges if last > first])
        yield Region(
            group=group,
            kind=ObjectKind.RUN,
            first=ordinal,
            count=len(lengths),
            pieces=tuple(pieces),
            windows=windows,
            view=new,
            offset=gap.offset + at,
        )
        at = stop
        ordinal += len(lengths)


def _parts(lengths: list[int], front: int, end: int, most_fresh: int) -> Iterator[list[int]]:
    """Chunk lengths in runs, evenly, so that of none more than ``most_fresh`` bytes lie between ``front`` and ``end``."""
    total = end - front
    if total <= most_fresh and len(lengths) <= _MOST_CHUNKS and sum(lengths) <= _MOST_OBJECT:
        yield lengths
        return
    share = -(-total // -(-total // most_fresh)) if total > 0 else most_fresh
    most = min(share + 64 * 1024, most_fresh)
    run: list[int] = []
    at = start = 0
    for length in lengths:
        fresh = max(0, min(at + length, end) - max(start, front))
        if run and (fresh > most or at + length - start > _MOST_OBJECT or len(run) >= _MOST_CHUNKS):
            yield run
            run, start = [], at
        run.append(length)
        at += length
    yield run


def _windows(low: int, high: int, start: int, stop: int, total: int, size: int, bounds: Bounds) -> list[tuple[int, int]]:
    """Ranges of the old content (of ``size`` bytes) for the bytes ``start`` to ``stop`` of a gap of ``total`` fresh ones whose old
    counterpart lies from ``low`` to ``high``."""
    if (start, stop) == (0, total):
        if 0 <= high - low <= 4 * total + MIB:
            return [(max(0, low - bounds.margin), min(size, high + bounds.margin))]
        reach = 2 * total + bounds.margin
        ranges = [
            (max(0, low - bounds.margin), min(size, low + reach)),
            (max(0, high - reach), min(size, high + bounds.margin)),
        ]
        return _merged(ranges)
    if high <= low:
        low, high = max(0, low - total // 2), min(size, low + total)
    span = high - low
    first = low + span * start // total - bounds.reference
    last = low + span * stop // total + bounds.reference
    return [(max(0, low - bounds.margin, first), min(size, high + bounds.margin, last))]


def _at_most(ranges: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Ranges shortened evenly, about their middles, to at most so many bytes together."""
    total = sum([end - start for start, end in ranges])
    if total <= most:
        return ranges
    shortened = []
    for start, end in ranges:
        size = (end - start) * most // total
        first = (start + end - size) // 2
        shortened.append((first, first + size))
    return shortened


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _agreed_front(new: View, at: int, old: View, low: int, most: int) -> int:
    done = 0
    while done < most:
        size = min(LOOK_BYTES, most - done)
        same = common_prefix(new.read(at + done, size), old.read(low + done, size))
        done += same
        if same < size:
            break
    return done if done >= _LEAST_COPY else 0


def _agreed_back(new: View, end: int, old: View, high: int, most: int) -> int:
    done = 0
    while done < most:
        size = min(LOOK_BYTES, most - done)
        same = common_suffix(new.read(end - done - size, size), old.read(high - done - size, size))
        done += same
        if same < size:
            break
    return done if done >= _LEAST_COPY else 0


def _resembles(new: View, offset: int, size: int, old: View, ranges: list[tuple[int, int]]) -> bool:
    """Whether old bytes could be of use for packed ones: unless some piece is the same, nothing is."""
    seen = {ident for at in range(offset, offset + size, MIB) for ident in _idents(new, at, min(MIB, offset + size - at))}
    return any(not seen.isdisjoint(_idents(old, at, min(MIB, end - at))) for start, end in ranges for at in range(start, end, MIB))


def _idents(view: View, offset: int, size: int) -> list[bytes]:
    return [ident for _offset, _length, ident in fine_cuts(view.read(offset, size))]


def _group(view: View, offset: int, size: int) -> Group:
    """What kind of bytes these are, from a few samples."""
    head = view.read(offset, min(size, HEAD_BYTES))
    if size >= _PACKED_BYTES:
        step = (size - _SAMPLE_BYTES) // (_SAMPLES - 1)
        if looks_packed(b"".join([view.read(offset + number * step, _SAMPLE_BYTES) for number in range(_SAMPLES)])):
            return Group.PACKED
    return Group.TEXT if looks_text(head) else Group.BINARY
