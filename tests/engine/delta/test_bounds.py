"""What decoders refuse: every method gives exactly the declared bytes or ``bad-delta``, within bounded memory."""

from __future__ import annotations

import contextlib
import random
import tracemalloc

import pytest

from haulage.base.errors import FormatError
from haulage.engine.delta.encoding import Method, decode
from haulage.engine.delta.hdiff import make_hdiff
from haulage.engine.delta.matching import every_cover
from haulage.engine.delta.packing import Effort, pack_lzma, pack_zstd
from haulage.engine.delta.predicted import make_predicted, open_streams, seal_streams
from haulage.testing.fuzzing.delta_targets import moved_code

OLD, NEW = moved_code()
SIZE = len(NEW)
CONTAINER = make_hdiff(OLD, NEW)


def _wrapped(container: bytes) -> bytes:
    return len(container).to_bytes(4, "little") + pack_lzma(container)


def _foretold() -> bytes:
    made = make_predicted(OLD, NEW, every_cover(OLD, NEW), Effort.MOST)
    assert made is not None
    return made


PAYLOADS = {
    Method.STORED: NEW,
    Method.ZSTD: pack_zstd(NEW, 3),
    Method.LZMA: pack_lzma(NEW),
    Method.ZSTD_PREFIX: pack_zstd(NEW, 3, OLD),
    Method.HDIFF_LZMA: _wrapped(CONTAINER),
    Method.PREDICTED: _foretold(),
}
COMPRESSED = [method for method in Method if method is not Method.STORED]


def _refused(method: Method, payload: bytes, size: int = SIZE, old: bytes = OLD) -> None:
    with pytest.raises(FormatError) as caught:
        decode(method, old, payload, size)
    assert caught.value.code == "bad-delta"


@pytest.mark.parametrize("method", Method)
def test_b47_only_the_declared_size_is_taken(method: Method) -> None:
    assert decode(method, OLD, PAYLOADS[method], SIZE) == NEW
    for size in (SIZE - 1, SIZE + 1, 0, 3 * SIZE):
        _refused(method, PAYLOADS[method], size)


@pytest.mark.parametrize("method", Method)
def test_b44_b45_nothing_may_follow_or_be_missing(method: Method) -> None:
    payload = PAYLOADS[method]
    _refused(method, payload + b"\0")
    _refused(method, payload + payload)
    for length in range(0, len(payload), max(1, len(payload) // 60)):
        _refused(method, payload[:length])


@pytest.mark.parametrize("method", COMPRESSED)
def test_flipped_bytes_never_get_further_than_a_refusal_or_other_bytes(method: Method) -> None:
    payload, dice = PAYLOADS[method], random.Random(4)
    for _ in range(400):
        at = dice.randrange(len(payload))
        flipped = payload[:at] + bytes([payload[at] ^ 1 << dice.randrange(8)]) + payload[at + 1 :]
        with contextlib.suppress(FormatError):
            assert len(decode(method, OLD, flipped, SIZE)) == SIZE


@pytest.mark.parametrize("method", [Method.HDIFF_LZMA, Method.PREDICTED])
def test_old_bytes_of_another_length_are_refused_or_give_as_many_bytes(method: Method) -> None:
    _refused(method, PAYLOADS[method], old=OLD[: len(OLD) // 2])


def test_b42_a_bomb_stops_at_the_declared_size() -> None:
    zeros = bytes(64 * 1024 * 1024)
    bombs = {Method.ZSTD: pack_zstd(zeros, 3), Method.LZMA: pack_lzma(zeros, Effort.SOME)}
    bombs[Method.HDIFF_LZMA] = (1000).to_bytes(4, "little") + bombs[Method.LZMA]
    tracemalloc.start()
    for method, payload in bombs.items():
        _refused(method, payload, 1000)
    assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    tracemalloc.stop()


def test_b43_a_window_over_the_limit_is_refused() -> None:
    from backports import zstd

    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 1}
    big = random.Random(1).randbytes(1024) * 10_000
    compressor = zstd.ZstdCompressor(options=options)
    frame = compressor.compress(big[: 9 * 1024 * 1024], compressor.FLUSH_FRAME)
    _refused(Method.ZSTD, frame, 9 * 1024 * 1024)


def _number(value: int) -> bytes:
    parts = [value & 127]
    while value := value >> 7:
        parts.append(128 | value & 127)
    return bytes(parts[::-1])


def _container(new: int, old: int, covers: int, *parts: bytes, packed: int = 0) -> bytes:
    sizes = b"".join(_number(len(part)) + _number(packed) for part in parts)
    return b"HDIFF13&\0" + _number(new) + _number(old) + _number(covers) + sizes + b"".join(parts)


@pytest.mark.parametrize(
    "container",
    [
        CONTAINER.replace(b"HDIFF13&\0", b"HDIFF13&zlib\0"),
        CONTAINER.replace(b"HDIFF13", b"HDIFF19"),
        _container(2**39, len(OLD), 0, b"", b"", b"", b""),
        _container(SIZE, 2**39, 0, b"", b"", b"", b""),
        _container(SIZE, len(OLD), 2**39, b"", b"", b"", b""),
        _container(SIZE, len(OLD), 1, b"\x01\x00\x00", b"", b"", b"x" * SIZE, packed=3),
        _container(SIZE, len(OLD), 0, b"", b"", b"", b"x")[:-1],
        _container(SIZE, len(OLD), 1, _number(0) + _number(0) + _number(SIZE + 5), b"", b"", b""),
        _container(SIZE, len(OLD), 1, b"\x7f\xff\xff\x7f" + _number(0) + _number(SIZE), b"", b"", b""),
        b"HDIFF13&\0" + b"\xff" * 64,
    ],
    ids=["compressed", "kind", "new", "old", "covers", "packed", "cut", "length", "outside", "endless"],
)
def test_b49_containers_that_lie_are_refused(container: bytes) -> None:
    _refused(Method.HDIFF_LZMA, _wrapped(container))


def test_b49_streams_that_lie_are_refused() -> None:
    right = open_streams(PAYLOADS[Method.PREDICTED], SIZE)
    assert decode(Method.PREDICTED, OLD, seal_streams(right, Effort.SOME), SIZE) == NEW
    covers, moves, blocks, runs, literals, differences = right
    far = (2**31).to_bytes(4, "little")
    broken = [
        [covers[:-1], moves, blocks, runs, literals, differences],
        [b"\xff" * len(covers), moves, blocks, runs, literals, differences],
        [b"", moves, blocks, runs, literals, differences],
        [covers, moves[:-1], blocks, runs, literals, differences],
        [covers, moves, blocks + b"\0", runs, literals, differences],
        [covers, moves, blocks, far + far, literals, b""],
        [covers, moves, blocks, runs, literals + b"x", differences],
        [covers, moves, blocks, runs, literals, differences + b"x"],
        [covers, moves, blocks, runs + b"\0", literals, differences],
    ]
    for streams in broken:
        _refused(Method.PREDICTED, seal_streams(streams, Effort.SOME))
