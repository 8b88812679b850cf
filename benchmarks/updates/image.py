"""A disk image and its next version, from real files and a fixed seed: scattered edits, insertions, files replaced by their next
version, and large parts moved far away. Same files, same images.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SIZE = 4 << 30
_BLOCK = 4096
_PIECE = 8 << 20

Part = tuple[int, int] | bytes
"""Of the new image: a range of the old one (offset, length), or bytes of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """How much is done to an image; the default is for one of SIZE."""

    scattered: int = 4000
    insertions: int = 48
    moved: int = 10
    moved_bytes: int = 24 << 20
    replaced_bytes: int = 40 << 20


Placed = tuple[int, int, str]
"""A file in an image: offset, length, path."""


def write_old(path: str, trees: Sequence[str], size: int = SIZE) -> list[Placed]:
    """Fill an image with files in a shuffled order, each from a block's start; the rest is zeros."""
    files = [path for tree in trees for path in _files(tree)]
    random.Random(1).shuffle(files)
    placed: list[Placed] = []
    with open(path, "wb") as image:
        for name in files:
            length = os.path.getsize(name)
            at = -(-image.tell() // _BLOCK) * _BLOCK
            if not length or at + length > size:
                continue
            image.seek(at)
            image.write(_read(name, 0, length))
            placed.append((at, length, name))
        image.truncate(size)
    return placed


def write_new(old: str, path: str, placed: Sequence[Placed], next_of: dict[str, str], edits: Edits) -> int:
    """Write the next version; returns how many of its bytes are not copied. ``next_of`` tells a file's next version."""
    rng = random.Random(2)
    end = placed[-1][0] + placed[-1][1]
    parts = _replace(placed, next_of, edits.replaced_bytes, rng)
    parts.append((end, os.path.getsize(old) - end))
    parts = _move(parts, edits, rng)
    fresh = _fresh_bytes(placed, next_of)
    parts = _insert(parts, edits.insertions, fresh, rng)
    with open(path, "wb") as image:
        for part in parts:
            for piece in [part] if isinstance(part, bytes) else _pieces(old, *part):
                image.write(piece)
        image.truncate(-(-image.tell() // _BLOCK) * _BLOCK)
    with open(path, "r+b") as image:
        for _ in range(edits.scattered):
            image.seek(rng.randrange(end))
            image.write(rng.randbytes(rng.choice((4, 16, 64, 512, 4096))))
    return sum(len(part) for part in parts if isinstance(part, bytes))


def _replace(placed: Sequence[Placed], next_of: dict[str, str], total: int, rng: random.Random) -> list[Part]:
    """All files, some of them in their next version, which may be longer: what follows it starts at a later block."""
    parts: list[Part] = []
    before = 0
    changed = [each for each in placed if each[2] in next_of and each[1] < total // 4]
    chosen: set[int] = set()
    for at, length, _ in rng.sample(changed, len(changed)):
        if total > 0:
            chosen.add(at)
            total -= length
    for at, length, name in placed:
        if at in chosen:
            _copy(parts, before, at)
            content = _read(next_of[name], 0, os.path.getsize(next_of[name]))
            parts.append(content + bytes(-len(content) % _BLOCK))
            before = -(-(at + length) // _BLOCK) * _BLOCK
    _copy(parts, before, placed[-1][0] + placed[-1][1])
    return parts


def _move(parts: list[Part], edits: Edits, rng: random.Random) -> list[Part]:
    """Cut whole blocks out of some ranges and put them between other parts, far away."""
    for _ in range(edits.moved):
        lengths = [0 if isinstance(part, bytes) else part[1] for part in parts]
        large = [i for i, length in enumerate(lengths) if length > 2 * edits.moved_bytes]
        at = rng.choice(large or [lengths.index(max(lengths))])
        part = parts[at]
        assert not isinstance(part, bytes)
        length = min(part[1] // 2, rng.randrange(edits.moved_bytes // 4, edits.moved_bytes)) // _BLOCK * _BLOCK
        start = rng.randrange(0, (part[1] - length) // _BLOCK) * _BLOCK
        cut: list[Part] = []
        _copy(cut, part[0], part[0] + start)
        _copy(cut, part[0] + start + length, part[0] + part[1])
        parts[at : at + 1] = cut
        parts.insert(rng.randrange(len(parts)), (part[0] + start, length))
    return parts


def _insert(parts: list[Part], number: int, fresh: bytes, rng: random.Random) -> list[Part]:
    """Insert bytes at any offset, block or not."""
    for _ in range(number):
        ranges = [i for i, part in enumerate(parts) if not isinstance(part, bytes) and part[1] > _BLOCK]
        at = rng.choice(ranges)
        part = parts[at]
        assert not isinstance(part, bytes)
        split = rng.randrange(1, part[1])
        begin = rng.randrange(len(fresh) // 2)
        inserted = fresh[begin : begin + rng.randrange(100, 200_000)]
        parts[at : at + 1] = [(part[0], split), inserted, (part[0] + split, part[1] - split)]
    return parts


def _fresh_bytes(placed: Sequence[Placed], next_of: dict[str, str]) -> bytes:
    """Bytes like those of the image that are not in it: the last megabytes of next versions that were not put in."""
    found = b"".join(_read(next_of[name], 0, 1 << 20) for _, _, name in placed[-400:] if name in next_of)
    return found[: 16 << 20] or random.Random(3).randbytes(1 << 20)


def _copy(parts: list[Part], begin: int, end: int) -> None:
    if end > begin:
        parts.append((begin, end - begin))


def _pieces(path: str, offset: int, length: int) -> Iterator[bytes]:
    for at in range(offset, offset + length, _PIECE):
        yield _read(path, at, min(_PIECE, offset + length - at))


def _read(path: str, offset: int, length: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(length)


def _files(tree: str) -> list[str]:
    return sorted(os.path.join(at, name) for at, _, names in os.walk(tree) for name in names)
