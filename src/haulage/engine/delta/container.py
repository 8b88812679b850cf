"""HDiffPatch's container written from covers, as its own library writes it, so that its patcher reads it. Knows only bytes."""

from __future__ import annotations

from haulage.engine.delta.columns import Ints
from haulage.engine.delta.covers import Covers
from haulage.engine.delta.hdiff import HEAD
from haulage.engine.delta.numbers import np
from haulage.engine.delta.operands import Octets

_ZEROS, _BYTES = 0, 3
"""What a run of differences is: zeros, or bytes that stand elsewhere. The library knows two more, which packing makes up for."""
_LEAST_ZEROS = 3
_MOST_GROUPS = 6


def write_container(old: bytes, new: bytes, covers: Covers) -> bytes:
    """An uncompressed container that turns ``old`` into ``new``."""
    literals = covers.literals(new)
    rows, kinds, differences = _differences(old, new, covers, literals)
    signs = np.zeros((len(covers.new), 3), np.int64)
    numbers = np.zeros((len(covers.new), 3), np.int64)
    jumps, gaps = covers.old.copy(), covers.new.copy()
    jumps[1:] -= covers.old[:-1] + covers.lengths[:-1]
    gaps[1:] -= covers.new[:-1] + covers.lengths[:-1]
    numbers[:, 0], numbers[:, 1], numbers[:, 2] = np.abs(jumps), gaps, covers.lengths
    signs[:, 0] = jumps < 0
    tag_bits = np.tile(np.array([1, 0, 0], np.int64), len(covers.new))
    parts = [
        _numbers(numbers.ravel(), signs.ravel(), tag_bits),
        _numbers(rows, kinds, np.full(len(rows), 2, np.int64)),
        differences,
        literals,
    ]
    sizes = [len(new), len(old), len(covers.new)]
    for part in parts:
        sizes += [len(part), 0]
    plain = np.array(sizes, np.int64)
    return HEAD + _numbers(plain, np.zeros_like(plain), np.zeros_like(plain)) + b"".join(parts)


def _differences(old: bytes, new: bytes, covers: Covers, literals: bytes) -> tuple[Ints, Ints, bytes]:
    """All new bytes less what covers and literals say, as runs: length less one, kind, and the bytes that are no zeros."""
    draft: Octets = np.frombuffer(covers.draft(old, literals, len(new)), np.uint8)
    draft = np.frombuffer(new, np.uint8) - draft
    wrong = np.flatnonzero(draft)
    if not len(wrong):
        return np.array([len(new) - 1], np.int64), np.array([_ZEROS], np.int64), b""
    cuts = np.flatnonzero(np.diff(wrong) > _LEAST_ZEROS)
    starts, stops = wrong[np.concatenate([[0], cuts + 1])], wrong[np.append(cuts, -1)] + 1
    edges = np.empty(2 * len(starts) + 2, np.int64)
    edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = 0, starts, stops, len(new)
    lengths = np.diff(edges)
    kinds = np.tile(np.array([_ZEROS, _BYTES], np.int64), len(starts) + 1)[: len(lengths)]
    inside = np.zeros(len(new) + 1, np.int8)
    inside[starts] += 1
    inside[stops] -= 1
    held = np.cumsum(inside[:-1], dtype=np.int8).view(np.bool_)
    some = lengths > 0
    return lengths[some] - 1, kinds[some], draft[held].tobytes()


def _numbers(values: Ints, tags: Ints, tag_bits: Ints) -> bytes:
    """Numbers in base 128, most significant group first; the first byte of each begins with a tag of some bits."""
    room = 7 - tag_bits
    octets = np.zeros((len(values), _MOST_GROUPS), np.uint8)
    used = np.zeros((len(values), _MOST_GROUPS), np.bool_)
    more = np.zeros(len(values), np.int64)
    for groups in range(1, _MOST_GROUPS):
        more += values >> (room + 7 * (groups - 1)) > 0
    for group in range(_MOST_GROUPS):
        left = _MOST_GROUPS - 1 - group
        """Groups that follow."""
        part = values >> 7 * left & 127 | (128 if left else 0)
        first = (values >> 7 * more) | (more > 0) << room | tags << (room + 1)
        octets[:, group] = np.where(more == left, first, part) & 255
        used[:, group] = more >= left
    return octets[used].tobytes()
