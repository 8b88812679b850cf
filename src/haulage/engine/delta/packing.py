"""General compressors behind the encodings: zstd with and without old bytes as prefix, raw LZMA2; decoding within exact sizes and
bounded windows (B42 to B45). Knows only bytes.
"""

from __future__ import annotations

import enum
import lzma
from collections.abc import Mapping

from backports import zstd

from haulage.engine.delta.hdiff import bad_delta

PLAIN_WINDOW_LOG = 23
"""A frame without a base asks the receiver for at most 8 MiB."""
PREFIX_WINDOW_LOG = 27
"""A frame with a base sees at most 128 MiB of base and content together; the receiver takes as much as the content."""
_SMALLEST_WINDOW_LOG = 10
LEAST_PREFIX = 8
"""Shorter prefixes are refused by zstd."""
MAX_DICTIONARY = 8 * 1024 * 1024
SOME_DICTIONARY = 4 * 1024 * 1024
"""With little effort: half the memory, so that two can be at work."""
_LEAST_DICTIONARY = 4096
_CONTEXTS = ({"lc": 3, "lp": 0, "pb": 0}, {"lc": 4, "lp": 0, "pb": 0}, {"lc": 3, "lp": 0, "pb": 2}, {"lc": 1, "lp": 2, "pb": 2})
"""What LZMA foretells the next byte from: the byte before, the place within a word, or both. The stream says which."""
_SAMPLE_BYTES = 128 * 1024
_LEVEL, _WINDOW, _LONG, _CHECKSUM = (
    zstd.CompressionParameter.compression_level,
    zstd.CompressionParameter.window_log,
    zstd.CompressionParameter.enable_long_distance_matching,
    zstd.CompressionParameter.checksum_flag,
)


class Effort(enum.Enum):
    """How hard to look: the longest matches and the best contexts cost three times the time and save 2 to 12 in a hundred."""

    SOME = "some"
    MOST = "most"


def pack_zstd(data: bytes, level: int, old: bytes = b"") -> bytes:
    """One frame that declares its size; ``old`` is seen as what stood before it."""
    most = PREFIX_WINDOW_LOG if old else PLAIN_WINDOW_LOG
    window = max(_SMALLEST_WINDOW_LOG, min(most, (len(old) + len(data)).bit_length()))
    options: dict[int, int] = {_LEVEL: level, _WINDOW: window, _CHECKSUM: 0, _LONG: 1 if old else 0}
    compressor = zstd.ZstdCompressor(options=options, zstd_dict=_prefix(old))
    return compressor.compress(data, compressor.FLUSH_FRAME)


def unpack_zstd(payload: bytes, size: int, old: bytes = b"") -> bytes:
    """Exactly ``size`` bytes. Raises FormatError ``bad-delta``."""
    limit = PREFIX_WINDOW_LOG if old else PLAIN_WINDOW_LOG
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: limit}
    try:
        if zstd.get_frame_info(payload).decompressed_size != size:
            raise bad_delta("a frame declares another size")
        decompressor = zstd.ZstdDecompressor(zstd_dict=_prefix(old), options=options)
        data = decompressor.decompress(payload, size + 1)
    except zstd.ZstdError as error:
        raise bad_delta(str(error)) from error
    if len(data) != size or not decompressor.eof or decompressor.unused_data:
        raise bad_delta("a frame does not end with its bytes")
    return data


def _prefix(old: bytes) -> tuple[zstd.ZstdDict, int] | None:
    return zstd.ZstdDict(old, is_raw=True).as_prefix if len(old) >= LEAST_PREFIX else None


def pack_lzma(data: bytes, effort: Effort = Effort.MOST) -> bytes:
    """Raw LZMA2 with a dictionary as large as the data, up to MAX_DICTIONARY."""
    options = {**_filter(len(data)), "preset": 9, "nice_len": 273 if effort is Effort.MOST else 32}
    if effort is Effort.SOME:
        options["dict_size"] = min(options["dict_size"], SOME_DICTIONARY)
    contexts = _CONTEXTS[0]
    if effort is Effort.MOST and len(data) > _SAMPLE_BYTES:
        middle = len(data) // 2
        sample = data[middle - _SAMPLE_BYTES // 2 : middle + _SAMPLE_BYTES // 2]
        contexts = min(_CONTEXTS, key=lambda some: len(_lzma(sample, {**options, "nice_len": 64, **some})))
    return _lzma(data, {**options, **contexts})


def _lzma(data: bytes, options: Mapping[str, int]) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=[options])


def unpack_lzma(payload: bytes, size: int) -> bytes:
    """Exactly ``size`` bytes. Raises FormatError ``bad-delta``."""
    decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[_filter(size)])
    try:
        data = decompressor.decompress(payload, size + 1)
        if len(data) == size and not decompressor.eof:
            data += decompressor.decompress(b"", 1)
    except (lzma.LZMAError, EOFError) as error:
        raise bad_delta(str(error)) from error
    if len(data) != size or not decompressor.eof or decompressor.unused_data:
        raise bad_delta("a stream does not end with its bytes")
    return data


def _filter(size: int) -> dict[str, int]:
    dictionary = min(MAX_DICTIONARY, max(_LEAST_DICTIONARY, 1 << max(0, size - 1).bit_length()))
    return {"id": lzma.FILTER_LZMA2, "dict_size": dictionary}
