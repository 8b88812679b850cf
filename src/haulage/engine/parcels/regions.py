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
from haulage.engine.delta.agreement import common_prefix, common_suffix
from haulage.engine.delta.fine import fine_cuts
from haulage.engine.delta.probe import HEAD_BYTES, looks_packed, looks_text
from haulage.engine.parcels.anchors import Gap, in_order_most
from haulage.engine.parcels.islands import Island, Islands
from haulage.engine.parcels.model import At, Fresh, ObjectKind, Source

MIB = 1024 * 1024
LOOK_BYTES = 128 * 1024
"""Compared at a time; most copies end before."""
_LEAST_COPY = 32
"""A shorter copy costs more to say than to send."""
_MOST_OBJECT = 64 * MIB
_MOST_CHUNKS = 8192
_LEAST_FOR_ISLANDS = 2048
_LEAST_NEAR = 64 * 1024
"""What is taken out of the midst of a program moves all that follows, and its operands are foretold worse."""
_LEAST_ALIKE = 8 * 1024
"""For less, what resembles it elsewhere is not looked for."""
_LEAST_HELPED = 16
"""Fewer fresh bytes are sent as they are."""
_MUCH_FRESH = 2 * MIB
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
    """Old bytes taken beyond the gap, either side, at most."""
    margin_least: int
    """And at least: few fresh bytes are helped by what is near; more, by more around it."""
    margin_times: int
    """Between the two: so many times the fresh bytes."""
    reference: int
    """Old bytes taken beyond what a part of a cut gap probably comes from, either side."""
    grow: bool
    """Whether copies are grown."""


class Old(NamedTuple):
    """What a gap is compared with."""

    source: Source
    view: View


class _Segment(NamedTuple):
    """A part of a gap, counted from its beginning: a copy, or fresh."""

    start: int
    stop: int
    old: int | None
    """Where the copy is from."""
    low: int
    high: int
    """Fresh: between what its old counterpart lies."""


def cut_gap(gap: Gap, new: View, old: Old | None, bounds: Bounds, islands: Islands | None = None) -> Iterator[Region]:
    """The regions of a gap, in order. Raises what reading raises."""
    segments = _segments(gap, new, old, bounds, islands)
    fresh = [segment for segment in segments if segment.old is None]
    group = Group.BINARY
    if fresh:
        longest = max(fresh, key=lambda segment: segment.stop - segment.start)
        group = _group(new, gap.offset + longest.start, longest.stop - longest.start)
    at = 0
    ordinal = gap.first
    for lengths in _parts(list(gap.lengths), segments, bounds.fresh_bytes[group]):
        stop = at + sum(lengths)
        pieces, windows = _made_of(segments, at, stop, gap, new, old, bounds, group, islands)
        yield Region(
            group=group,
            kind=ObjectKind.RUN,
            first=ordinal,
            count=len(lengths),
            pieces=pieces,
            windows=windows,
            view=new,
            offset=gap.offset + at,
        )
        at = stop
        ordinal += len(lengths)


def likely_windows(gap: Gap, old_size: int, bounds: Bounds) -> list[tuple[int, int]]:
    """The ranges of the old content that ``cut_gap`` probably looks at and helps itself from."""
    ranges = _windows(gap.low, gap.high, 0, gap.size, gap.size, old_size, bounds)
    wide = gap.size // 4 if gap.size >= _MUCH_FRESH else 0
    return _merged(
        [(max(0, start - wide), min(old_size, min(end, start + 4 * gap.size + 16 * bounds.margin) + wide)) for start, end in ranges]
    )


def _segments(gap: Gap, new: View, old: Old | None, bounds: Bounds, islands: Islands | None) -> list[_Segment]:
    size = gap.size
    if old is None:
        return [_Segment(0, size, None, 0, 0)]
    front = back = 0
    if bounds.grow:
        front = _agreed_front(new, gap.offset, old.view, gap.low, min(size, old.view.size - gap.low))
        back = _agreed_back(new, gap.offset + size, old.view, gap.high, min(size - front, gap.high))
    copies = [(0, front, gap.low)] if front else []
    if islands is not None and size - front - back >= _LEAST_FOR_ISLANDS:
        found = islands.within(gap.offset + front, size - front - back)
        copies += [
            (island.offset - gap.offset, island.length, island.old)
            for island in found
            if island.length >= _LEAST_NEAR or not _near(island, gap, old.view.size, bounds)
        ]
    if back:
        copies.append((size - back, back, gap.high - back))
    return list(_between(copies, size, gap.low, gap.high))


def _near(island: Island, gap: Gap, old_size: int, bounds: Bounds) -> bool:
    """Whether the old bytes of an island stand where the gap is compared anyway: the encoder finds them by itself."""
    expected = gap.low + (island.offset - gap.offset) * max(0, gap.high - gap.low) // gap.size
    windows = likely_windows(gap, old_size, bounds)
    compared = any(start <= island.old and island.old + island.length <= stop for start, stop in windows)
    return compared and abs(island.old - expected) <= bounds.reference


def _between(copies: list[tuple[int, int, int]], size: int, low: int, high: int) -> Iterator[_Segment]:
    """Copies (start, length, where from) and, between them, what is fresh. Where its old counterpart lies is told by the copies
    beside it, unless they contradict each other: then, for what is large, by the nearest of those that keep their order."""
    ordered = in_order_most([where for _start, _length, where in copies])
    before, after = (0, low), list[tuple[int, int]]()
    for number in reversed(range(len(copies))):
        after.append(after[-1] if after else (size, high))
        if number in ordered:
            after[-1] = (copies[number][0], copies[number][2])
    at, near = 0, low
    for number, (start, length, where) in enumerate([*copies, (size, 0, high)]):
        if start > at:
            ends = near, where
            if start - at > MIB and not 0 <= where - near <= 4 * (start - at):
                following = after[len(copies) - 1 - number] if number < len(copies) else (size, high)
                ends = before[1] + at - before[0], following[1] - (following[0] - start)
            yield _Segment(at, start, None, max(0, ends[0]), max(0, ends[1]))
        if length:
            yield _Segment(start, start + length, where, 0, 0)
            at, near = start + length, where + length
            if number in ordered:
                before = (at, near)


def _made_of(
    segments: list[_Segment],
    at: int,
    stop: int,
    gap: Gap,
    new: View,
    old: Old | None,
    bounds: Bounds,
    group: Group,
    islands: Islands | None,
) -> tuple[tuple[Slice | Fresh, ...], tuple[Slice, ...]]:
    """Pieces and windows of a part of a gap."""
    pieces: list[Slice | Fresh] = []
    ranges: list[tuple[int, int]] = []
    for segment in segments:
        start, end = max(at, segment.start), min(stop, segment.stop)
        if start >= end:
            continue
        if old is not None and segment.old is not None:
            pieces.append(Slice(old.source, segment.old + start - segment.start, end - start))
            continue
        pieces.append(Fresh(end - start))
        if old is not None:
            part = (start - segment.start, end - segment.start, segment.stop - segment.start)
            some = _windows(segment.low, segment.high, *part, old.view.size, bounds)
            if islands is not None and end - start >= _LEAST_ALIKE:
                some += islands.alike(gap.offset + start, end - start)
            if group is not Group.PACKED or _resembles(new, gap.offset + start, end - start, old.view, some):
                ranges += some
    if old is None:
        return tuple(pieces), ()
    ranges = _at_most(_wider(_merged(ranges), pieces, old.view.size), bounds.window_bytes[group])
    return tuple(pieces), tuple([Slice(old.source, first, last - first) for first, last in ranges if last > first])


def _parts(lengths: list[int], segments: list[_Segment], most_fresh: int) -> Iterator[list[int]]:
    """Chunk lengths in runs, evenly, so that none has more than ``most_fresh`` fresh bytes."""
    total = sum([segment.stop - segment.start for segment in segments if segment.old is None])
    if total <= most_fresh and len(lengths) <= _MOST_CHUNKS and sum(lengths) <= _MOST_OBJECT:
        yield lengths
        return
    share = -(-total // -(-total // most_fresh)) if total > 0 else most_fresh
    most = min(share + 64 * 1024, most_fresh)
    run: list[int] = []
    size = fresh = 0
    for length, more in zip(lengths, _fresh_of(lengths, segments), strict=True):
        if run and (fresh + more > most or size + length > _MOST_OBJECT or len(run) >= _MOST_CHUNKS):
            yield run
            run, size, fresh = [], 0, 0
        run.append(length)
        size += length
        fresh += more
    yield run


def _fresh_of(lengths: list[int], segments: list[_Segment]) -> Iterator[int]:
    """The fresh bytes of each chunk."""
    at = number = 0
    for length in lengths:
        end, fresh = at + length, 0
        while number < len(segments):
            segment = segments[number]
            if segment.old is None:
                fresh += max(0, min(end, segment.stop) - max(at, segment.start))
            if segment.stop > end:
                break
            number += 1
        yield fresh
        at = end


def _windows(low: int, high: int, start: int, stop: int, total: int, size: int, bounds: Bounds) -> list[tuple[int, int]]:
    """Ranges of the old content (of ``size`` bytes) for the bytes ``start`` to ``stop`` of a gap of ``total`` fresh ones whose old
    counterpart lies from ``low`` to ``high``."""
    if total < _LEAST_HELPED:
        return []
    if (start, stop) == (0, total):
        margin = min(bounds.margin, bounds.margin_least + total * bounds.margin_times)
        if 0 <= high - low <= 4 * total + 16 * margin:
            return [(max(0, low - margin), min(size, high + margin))]
        reach = 2 * total + margin
        return _merged([(max(0, low - margin), min(size, low + reach)), (max(0, high - reach), min(size, high + margin))])
    if high <= low:
        low, high = max(0, low - total // 2), min(size, low + total)
    span = high - low
    first = low + span * start // total - bounds.reference
    last = low + span * stop // total + bounds.reference
    return [(max(0, low - bounds.margin, first), min(size, high + bounds.margin, last))]


def _wider(ranges: list[tuple[int, int]], pieces: list[Slice | Fresh], size: int) -> list[tuple[int, int]]:
    """Much that is fresh is helped by more around it: what was written anew has moved."""
    fresh = sum([piece.length for piece in pieces if isinstance(piece, Fresh)])
    if fresh < _MUCH_FRESH:
        return ranges
    return _merged([(max(0, start - fresh // 4), min(size, end + fresh // 4)) for start, end in ranges])


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
    head = view.read(max(0, offset - HEAD_BYTES // 4), HEAD_BYTES)
    if size >= _PACKED_BYTES:
        step = (size - _SAMPLE_BYTES) // (_SAMPLES - 1)
        if looks_packed(b"".join([view.read(offset + number * step, _SAMPLE_BYTES) for number in range(_SAMPLES)])):
            return Group.PACKED
    return Group.TEXT if looks_text(head) else Group.BINARY
