"""New bytes against old ones: the best of the encoders that a level permits, and the way back within declared sizes (B42 to B47).

Decoders get bytes whose digest was checked, and still bound what they take: hostile bytes may be signed. Knows only bytes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from haulage.engine.delta.container import write_container
from haulage.engine.delta.hdiff import apply_hdiff, bad_delta
from haulage.engine.delta.level import Level
from haulage.engine.delta.matching import every_cover, most_covers
from haulage.engine.delta.packing import MAX_DICTIONARY, SOME_DICTIONARY, Effort, pack_lzma, pack_zstd, unpack_lzma, unpack_zstd
from haulage.engine.delta.predicted import apply_predicted, make_predicted
from haulage.engine.delta.probe import looks_packed

BATCH_NEW_BYTES = {"binary": 16 * 1024 * 1024, "text": 8 * 1024 * 1024}
"""How much to encode at once: two of these at work at once stay under half a gigabyte with the process around them. Larger ones of
many programs cost up to a tenth more, because the moves of one are mistaken for those of another."""
BATCH_OLD_BYTES = {"binary": 20 * 1024 * 1024, "text": 12 * 1024 * 1024}
"""Against how much."""

_LENGTH_BYTES = 4
_FAST, _SLOW = 3, 19
_PACKED_GAIN = 20
"""What looks packed is looked at no further when the quick way saves less than a twentieth."""
_LEAST_MEMORY = 16 * 1024 * 1024
_LEAST_OLD = 16
"""Against less old content nothing is looked for."""
_CONTAINER_SLACK = 1024
"""A container is at most this much longer than what it makes, or it is not used."""


class Method(enum.IntEnum):
    """How bytes are encoded. Numbers are part of the parcel's format."""

    STORED = 0
    ZSTD = 1
    """One zstd frame, no base; window up to 8 MiB."""
    LZMA = 2
    """Raw LZMA2, no base."""
    ZSTD_PREFIX = 16
    """One zstd frame that sees the old bytes as what stood before it; window up to 128 MiB."""
    HDIFF_LZMA = 17
    """The length of an HDiffPatch container (4 bytes, little-endian), then the container as raw LZMA2."""
    PREDICTED = 18
    """Matches with the operands of moved code foretold, and what still differs: see ``predicted.py``."""


def encode(old: bytes, new: bytes, *, level: Level, text: bool) -> tuple[Method, bytes]:
    """The smallest of what the level permits; STORED when nothing is smaller than ``new``. Same library versions, same bytes."""
    found = _Found(best=(Method.STORED, new))
    if not new:
        return found.best
    based = len(old) >= _LEAST_OLD
    if level is Level.FAST or looks_packed(new):
        found.offer(Method.ZSTD_PREFIX if based else Method.ZSTD, pack_zstd(new, _FAST, old if based else b""))
        if level is Level.FAST or found.size > len(new) - len(new) // _PACKED_GAIN:
            return found.best
    effort = Effort.MOST if level is Level.SMALLEST else Effort.SOME
    if based:
        _match(old, new, found, effort, text=text)
    if found.size > len(new) // 4:
        _compress(new, found, effort, text=text)
    return found.best


def decode(method: Method, old: bytes, payload: bytes, size: int) -> bytes:
    """Exactly ``size`` bytes. Raises FormatError ``bad-delta``."""
    if method is Method.STORED:
        if len(payload) != size:
            raise bad_delta("stored bytes are not as many as declared")
        return payload
    if method is Method.ZSTD:
        return unpack_zstd(payload, size)
    if method is Method.LZMA:
        return unpack_lzma(payload, size)
    if method is Method.ZSTD_PREFIX:
        return unpack_zstd(payload, size, old)
    if method is Method.PREDICTED:
        return apply_predicted(payload, old, size)
    return _unwrap(payload, old, size)


def memory_needed(old_bytes: int, new_bytes: int, level: Level) -> int:
    """Bytes that ``encode`` takes at most besides its arguments, as measured; for a caller with several at work. Balanced: beside
    the sorting of suffixes, which only one does at a time."""
    if level is Level.FAST:
        return _LEAST_MEMORY + new_bytes * 3 // 2 + old_bytes // 2
    if level is Level.BALANCED:
        return _LEAST_MEMORY + min(new_bytes, SOME_DICTIONARY) * 12 + new_bytes * 2
    matching = old_bytes * 27 // 5 + new_bytes
    packing = min(new_bytes, MAX_DICTIONARY) * 12 + new_bytes * 2
    return _LEAST_MEMORY + max(matching, packing)


@dataclass(slots=True)
class _Found:
    """The best so far."""

    best: tuple[Method, bytes]

    @property
    def size(self) -> int:
        return len(self.best[1])

    def offer(self, method: Method, payload: bytes) -> None:
        if len(payload) < self.size:
            self.best = (method, payload)


def _match(old: bytes, new: bytes, found: _Found, effort: Effort, *, text: bool) -> None:
    """What shares bytes with the old ones."""
    if text:
        found.offer(Method.ZSTD_PREFIX, pack_zstd(new, _SLOW if effort is Effort.MOST else _FAST, old))
    covers = every_cover(old, new) if effort is Effort.MOST else most_covers(old, new)
    foretold = None if text else make_predicted(old, new, covers, effort)
    if foretold is not None:
        found.offer(Method.PREDICTED, foretold)
        return
    container = write_container(old, new, covers)
    if len(container) <= len(new) + _CONTAINER_SLACK:
        found.offer(Method.HDIFF_LZMA, len(container).to_bytes(_LENGTH_BYTES, "little") + pack_lzma(container, effort))


def _compress(new: bytes, found: _Found, effort: Effort, *, text: bool) -> None:
    """What stands alone. The slow ones take at most a third off what the quick one leaves."""
    quick = pack_zstd(new, _FAST)
    found.offer(Method.ZSTD, quick)
    if len(quick) * 2 // 3 < found.size:
        found.offer(Method.LZMA, pack_lzma(new, effort))
        if text and effort is Effort.MOST:
            found.offer(Method.ZSTD, pack_zstd(new, _SLOW))


def _unwrap(payload: bytes, old: bytes, size: int) -> bytes:
    length = int.from_bytes(payload[:_LENGTH_BYTES], "little")
    if len(payload) < _LENGTH_BYTES or length > size + _CONTAINER_SLACK:
        raise bad_delta("the container is longer than it can be")
    return apply_hdiff(unpack_lzma(payload[_LENGTH_BYTES:], length), old, size)
