"""Covers between old and new bytes: long runs that are mostly alike by sampled anchors, in one pass, and HDiffPatch, which sorts
suffixes, for what they leave. Knows only bytes.
"""

from __future__ import annotations

import bisect
import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from haulage.engine.delta.columns import Ints
from haulage.engine.delta.covers import Covers
from haulage.engine.delta.hdiff import covers_of, make_hdiff
from haulage.engine.delta.numbers import np
from haulage.engine.delta.operands import Octets
from haulage.engine.delta.sampling import ANCHOR_BYTES, anchors

_MASK = 63
"""One place of 64 is an anchor."""
_LEAST_RUN = 256
_EDGE = 32
"""Kept of a run at either end, so that what stands beside it still finds its continuation."""
_MOST_APART = 8192
"""Of anchors in one run."""
_BLOCK = 64
_MOST_WRONG = 24
"""Bytes of a block that may differ."""
_sorting = threading.Lock()
"""Sorting suffixes takes five times the old bytes in memory: one at a time."""


class _Run(NamedTuple):
    start: int
    stop: int
    shift: int
    """How much further it stands than in the old bytes."""


def every_cover(old: bytes, new: bytes) -> Covers:
    """All that suffixes find, which takes a second for 3 MB and more memory than anything else."""
    with _sorting:
        return Covers.of(covers_of(make_hdiff(old, new)))


def most_covers(old: bytes, new: bytes) -> Covers:
    """Nearly the same, in a third of the time where most is alike."""
    runs = _runs(old, new)
    kept_new = _between([(run.start, run.stop) for run in runs], len(new))
    kept_old = _between(sorted([(run.start - run.shift, run.stop - run.shift) for run in runs]), len(old))
    rows = [(run.start - run.shift, run.start, run.stop - run.start) for run in runs]
    if kept_new and kept_old:
        rest_old = b"".join([old[start:stop] for start, stop in kept_old])
        rest_new = b"".join([new[start:stop] for start, stop in kept_new])
        with _sorting:
            found = covers_of(make_hdiff(rest_old, rest_new))
        rows += _placed(found, kept_old, kept_new)
    rows.sort(key=lambda row: row[1])
    return Covers.of(list(_joined(rows)))


def _alike(old: bytes, new: bytes) -> tuple[Ints, Ints]:
    """Places of anchors that the old bytes have exactly once, and their shifts, where neighbours agree."""
    old_at, old_hashes = anchors(old, _MASK)
    new_at, new_hashes = anchors(new, _MASK)
    order = np.argsort(old_hashes, kind="stable")
    old_at, old_hashes = old_at[order], old_hashes[order]
    once = np.ones(len(old_at), np.bool_)
    again = old_hashes[1:] == old_hashes[:-1]
    once[1:] &= ~again
    once[:-1] &= ~again
    old_at, old_hashes = old_at[once], old_hashes[once]
    if not len(old_at):
        return old_at, old_at
    rows = np.minimum(np.searchsorted(old_hashes, new_hashes), len(old_hashes) - 1)
    found = old_hashes[rows] == new_hashes
    at = new_at[found]
    shifts = at - old_at[rows[found]]
    agreed = np.zeros(len(at), np.bool_)
    agreed[1:] = shifts[1:] == shifts[:-1]
    agreed[:-1] |= agreed[1:].copy()
    return at[agreed], shifts[agreed]


def _runs(old: bytes, new: bytes) -> list[_Run]:
    """Long runs mostly alike, in order, without their edges."""
    at, shifts = _alike(old, new)
    if not len(at):
        return []
    cuts = np.flatnonzero((np.diff(shifts) != 0) | (np.diff(at) > _MOST_APART))
    firsts, lasts = np.concatenate([[0], cuts + 1]), np.append(cuts, len(at) - 1)
    old_octets, new_octets = np.frombuffer(old, np.uint8), np.frombuffer(new, np.uint8)
    runs: list[_Run] = []
    for start, last, shift in zip(at[firsts].tolist(), at[lasts].tolist(), shifts[firsts].tolist(), strict=True):
        start = max(start, runs[-1].stop + _EDGE if runs else 0)
        count = (last + ANCHOR_BYTES - start) // _BLOCK
        if count * _BLOCK >= _LEAST_RUN:
            runs += _good(start, old_octets[start - shift :], new_octets[start:], count, shift)
    return runs


def _good(start: int, old: Octets, new: Octets, count: int, shift: int) -> Iterator[_Run]:
    wrong = (old[: count * _BLOCK] != new[: count * _BLOCK]).reshape(count, _BLOCK).sum(axis=1)
    good = np.concatenate([[False], wrong <= _MOST_WRONG, [False]])
    edges = np.flatnonzero(good[1:] != good[:-1]).tolist()
    for first, behind in zip(edges[0::2], edges[1::2], strict=True):
        if (behind - first) * _BLOCK >= _LEAST_RUN:
            yield _Run(start + first * _BLOCK + _EDGE, start + behind * _BLOCK - _EDGE, shift)


def _between(holes: Iterable[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """What holes, in order, leave of ``size``."""
    kept: list[tuple[int, int]] = []
    at = 0
    for start, stop in holes:
        if start > at:
            kept.append((at, start))
        at = max(at, stop)
    if size > at:
        kept.append((at, size))
    return kept


def _placed(
    found: Iterable[tuple[int, int, int]], kept_old: list[tuple[int, int]], kept_new: list[tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    """Covers of what was kept, where they stand in the whole; none reaches over what was taken out."""
    old_ends = list(itertools.accumulate([stop - start for start, stop in kept_old]))
    new_ends = list(itertools.accumulate([stop - start for start, stop in kept_new]))
    for old, new, length in found:
        done = 0
        while done < length:
            in_old, in_new = bisect.bisect_right(old_ends, old + done), bisect.bisect_right(new_ends, new + done)
            size = min(length - done, old_ends[in_old] - old - done, new_ends[in_new] - new - done)
            yield (
                kept_old[in_old][1] - (old_ends[in_old] - old - done),
                kept_new[in_new][1] - (new_ends[in_new] - new - done),
                size,
            )
            done += size


def _joined(rows: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    last: tuple[int, int, int] | None = None
    for old, new, length in rows:
        if last is not None and last[1] + last[2] == new and last[0] + last[2] == old:
            last = (last[0], last[1], last[2] + length)
            continue
        if last is not None:
            yield last
        last = (old, new, length)
    if last is not None:
        yield last
