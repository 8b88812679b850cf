"""Regions gathered into batches: text and binary apart, in the order in which they come, within what a batch may hold. *Pure*."""

from __future__ import annotations

from collections.abc import Iterator

from haulage.engine.archives.view import View
from haulage.engine.delta.encoding import BATCH_NEW_BYTES, BATCH_OLD_BYTES
from haulage.engine.parcels.head import MAX_BATCH_CHUNKS
from haulage.engine.parcels.model import Copy, Fresh, Made, Piece, PlannedBatch, Source, Window
from haulage.engine.parcels.regions import Group, Region, Slice

FRESH_BYTES = {group: BATCH_NEW_BYTES["text" if group is Group.TEXT else "binary"] for group in Group}
WINDOW_BYTES = {group: BATCH_OLD_BYTES["text" if group is Group.TEXT else "binary"] for group in Group}
PLAIN_BYTES = 8 * 1024 * 1024
"""Of fresh bytes that nothing held is like: they travel almost as they are, and what a cut line costs is a batch."""
_JOIN_BYTES = 4096
"""Windows closer than this become one."""


class Batcher:
    """Takes regions, gives batches. Memory: the regions of one batch of each group."""

    def __init__(self) -> None:
        self._open = {group: _Open(group) for group in Group}

    def add(self, region: Region) -> Iterator[PlannedBatch]:
        """The batch that is full now, if one is."""
        batch = self._open[region.group]
        if not batch.fits(region):
            yield batch.close()
            batch = self._open[region.group] = _Open(region.group)
        batch.add(region)

    def views(self) -> Iterator[View]:
        """What open batches will be read from."""
        for batch in self._open.values():
            for region in batch.regions:
                yield region.view

    def rest(self) -> Iterator[PlannedBatch]:
        """What is not full."""
        for group, batch in self._open.items():
            if batch.regions:
                yield batch.close()
                self._open[group] = _Open(group)


class _Open:
    def __init__(self, group: Group) -> None:
        self.regions: list[Region] = []
        self._group = group
        self._fresh = self._plain = self._windows = self._chunks = 0

    def fits(self, region: Region) -> bool:
        return not self.regions or (
            self._fresh + region.fresh_bytes <= FRESH_BYTES[self._group]
            and self._plain + _plain_bytes(region) <= PLAIN_BYTES
            and self._windows + _size(region.windows) <= WINDOW_BYTES[self._group]
            and self._chunks + region.count <= MAX_BATCH_CHUNKS
        )

    def add(self, region: Region) -> None:
        self.regions.append(region)
        self._fresh += region.fresh_bytes
        self._plain += _plain_bytes(region)
        self._windows += _size(region.windows)
        self._chunks += region.count

    def close(self) -> PlannedBatch:
        return batch_of(self.regions, text=self._group is Group.TEXT)


def _plain_bytes(region: Region) -> int:
    return 0 if region.windows else region.fresh_bytes


def _size(slices: tuple[Slice, ...]) -> int:
    return sum([item.length for item in slices])


def batch_of(regions: list[Region], *, text: bool) -> PlannedBatch:
    """These regions as one batch; old bytes that several want stand in it once."""
    numbers: dict[Source, int] = {}
    ranges: dict[int, list[tuple[int, int]]] = {}
    objects: list[Made] = []
    origins: list[tuple[View, int]] = []
    for region in regions:
        pieces: list[Piece] = []
        for piece in region.pieces:
            if isinstance(piece, Fresh):
                pieces.append(piece)
            else:
                pieces.append(Copy(numbers.setdefault(piece.source, len(numbers)), piece.offset, piece.length))
        for window in region.windows:
            number = numbers.setdefault(window.source, len(numbers))
            ranges.setdefault(number, []).append((window.offset, window.offset + window.length))
        objects.append(
            Made(
                kind=region.kind,
                first=region.first,
                count=region.count,
                pieces=tuple(pieces),
                at=region.at,
                recipe=region.recipe,
            )
        )
        origins.append((region.view, region.offset))
    windows = [Window(number, start, end - start) for number, some in ranges.items() for start, end in _joined(some)]
    return PlannedBatch(sources=tuple(numbers), windows=tuple(windows), objects=tuple(objects), origins=tuple(origins), text=text)


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1] + _JOIN_BYTES:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
