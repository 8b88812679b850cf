"""Fuzzing targets of the encodings of new bytes against old ones: every method, as it is and behind its compressor."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence

from haulage.base.errors import FormatError
from haulage.engine.delta.encoding import Method, decode, encode
from haulage.engine.delta.hdiff import make_hdiff
from haulage.engine.delta.level import Level
from haulage.engine.delta.matching import every_cover
from haulage.engine.delta.packing import Effort, pack_lzma, pack_zstd
from haulage.engine.delta.predicted import make_predicted, open_streams, seal_streams
from haulage.testing.folders import noise
from haulage.testing.fuzzing.target import AS_IT_IS, SEALED, Target, opened

_HEAD = struct.Struct("<BH")
_STREAMS = struct.Struct("<6H")
_LENGTH_BYTES = 4


@functools.cache
def moved_code() -> tuple[bytes, bytes]:
    """Two builds of a made-up program: calls among its functions, one of which grew."""

    def build(starts: Sequence[int], lengths: Sequence[int]) -> bytes:
        parts = []
        for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            body, at = bytearray(noise(length, 7)[:length]), 8
            body[:4] = struct.pack("<I", number)
            while at + 5 < length:
                target = starts[(number * 7 + at) % len(starts)]
                body[at : at + 5] = b"\xe8" + struct.pack("<i", target - (start + at + 5))
                at += 24
            parts.append(bytes(body))
        return b"".join(parts)

    def places(lengths: Sequence[int]) -> list[int]:
        return [sum(lengths[:number]) for number in range(len(lengths))]

    before, after = [240] * 60, [240] * 20 + [272] + [240] * 39
    return build(places(before), before), build(places(after), after)


def _seeds() -> list[bytes]:
    old, new = moved_code()
    container = make_hdiff(old, new)
    foretold = make_predicted(old, new, every_cover(old, new), Effort.MOST)
    assert foretold is not None
    length = len(container).to_bytes(_LENGTH_BYTES, "little")
    plain = {
        Method.STORED: new,
        Method.ZSTD: pack_zstd(new, 3),
        Method.LZMA: pack_lzma(new),
        Method.ZSTD_PREFIX: pack_zstd(new, 3, old),
        Method.HDIFF_LZMA: length + pack_lzma(container),
        Method.PREDICTED: foretold,
    }
    seeds = [AS_IT_IS + _HEAD.pack(method, len(new)) + payload for method, payload in plain.items()]
    streams = open_streams(foretold, len(new))
    sealed = _STREAMS.pack(*map(len, streams)) + b"".join(streams)
    seeds += [
        SEALED + _HEAD.pack(Method.PREDICTED, len(new)) + sealed,
        SEALED + _HEAD.pack(Method.HDIFF_LZMA, len(new)) + container,
    ]
    return seeds


def _take(data: bytes) -> None:
    """Exactly as many bytes as declared, whatever came."""
    sealing, body = opened(data)
    if len(body) < _HEAD.size:
        return
    number, size = _HEAD.unpack_from(body)
    try:
        method = Method(number)
    except ValueError:
        return  # heads refuse unknown methods
    payload = body[_HEAD.size :]
    if sealing:
        payload = _sealed(method, payload)
    assert len(decode(method, moved_code()[0], payload, size)) == size


def _sealed(method: Method, body: bytes) -> bytes:
    """What stands behind the compressor, compressed afresh."""
    if method is not Method.PREDICTED:
        return len(body).to_bytes(_LENGTH_BYTES, "little") + pack_lzma(body, Effort.SOME)
    if len(body) < _STREAMS.size:
        raise FormatError("bad-delta", "No encoding is as short as this.")
    streams, at = [], _STREAMS.size
    for length in _STREAMS.unpack_from(body):
        streams.append(body[at : at + length])
        at += length
    return seal_streams(streams, Effort.SOME)


def _round_seeds() -> list[bytes]:
    old, new = moved_code()
    return [struct.pack("<H", 900) + old[:900] + new[:900], struct.pack("<H", 40) + old[:40] + old[20:400] * 3, b"\0\0" + new[:500]]


def _round(data: bytes) -> None:
    """Any old and new bytes: what is encoded decodes to itself."""
    size = int.from_bytes(data[:2], "little")
    old, new = data[2 : 2 + size], data[2 + size :]
    for level in Level:
        method, payload = encode(old, new, level=level, text=bool(size & 1))
        assert decode(method, old, payload, len(new)) == new
        assert len(payload) <= len(new)


TARGETS = (
    Target(name="delta", reads="encoded bytes of updates", take=_take, seeds=_seeds, most_bytes=20_000, runs=4_000),
    Target(name="delta-round", reads="old and new bytes, encoded", take=_round, seeds=_round_seeds, runs=500),
)
