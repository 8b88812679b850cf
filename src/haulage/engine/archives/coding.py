"""Packers and unpackers of each codec behind one interface each, fed in pieces of one fixed size: what is proven at one site
is done again at another with the same calls. Knows single streams, no containers.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Protocol

from haulage.base.errors import FormatError
from haulage.engine.archives.deflate import deflate_packer
from haulage.engine.archives.packer import Packer
from haulage.engine.archives.recipe import AGAIN, Codec, Member
from haulage.engine.archives.view import View

PIECE_BYTES = 256 * 1024
"""Raw bytes given to a packer at a time (the last piece is shorter). Part of the format: some packers' output depends on it."""
MAX_DICTIONARY_BYTES = 64 << 20
"""Of LZMA2, for unpacking."""
MAX_PACKER_DICTIONARY_BYTES = 8 << 20
"""Of LZMA2, for packing, which takes twelve times as much memory."""


class Unpacker(Protocol):
    """Bytes of a stream in, its raw bytes out; like the decompressors of the standard library."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflate:
    """zlib's decompressor, made like the others."""

    __slots__ = ("_inner",)

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def unpacker(codec: Codec, parameters: tuple[int, ...] = ()) -> Unpacker:
    """A fresh unpacker. Parameters may be missing; LZMA2's first tells how much memory it takes."""
    match codec:
        case Codec.DEFLATE:
            return _Inflate()
        case Codec.BZIP2:
            return bz2.BZ2Decompressor()
        case Codec.LZMA2:
            most = min(parameters[0], MAX_DICTIONARY_BYTES) if parameters else MAX_DICTIONARY_BYTES
            return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": max(most, 4096)}])


def to_unpack(codec: Codec, parameters: tuple[int, ...]) -> tuple[int, ...]:
    """What of these parameters unpacking needs."""
    return parameters[:1] if codec is Codec.LZMA2 else ()


def packer(codec: Codec, parameters: tuple[int, ...]) -> Packer:
    """A fresh packer. Raises FormatError ``bad-recipe`` for parameters it cannot have."""
    try:
        match codec, parameters:
            case Codec.DEFLATE, _:
                return deflate_packer(parameters)
            case Codec.BZIP2, (level,):
                return bz2.BZ2Compressor(level)
            case Codec.LZMA2, (dictionary, preset) if 4096 <= dictionary <= MAX_PACKER_DICTIONARY_BYTES:
                one = {"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": dictionary}
                return lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[one])
    except (ValueError, TypeError, OverflowError, lzma.LZMAError, zlib.error) as error:
        raise no_codec(codec, parameters) from error
    raise no_codec(codec, parameters)


def no_codec(codec: Codec, parameters: tuple[int, ...] = ()) -> FormatError:
    """This codec with these parameters is none."""
    return FormatError("bad-recipe", f"A stream cannot be made with codec {codec:d} and parameters {parameters}.", AGAIN)


UNPACK_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError)
"""What unpackers raise for bytes that are no stream of theirs."""


class Unpacking:
    """Iterates over the raw pieces of the stream at ``offset`` that ends at ``end`` at the latest.

    ``most`` bounds the raw bytes. After the last piece ``whole`` tells whether the stream ended well and ``stored_bytes`` where.
    Bytes that are no such stream end the iteration early; what ``view`` raises passes.
    """

    def __init__(self, view: View, offset: int, end: int, codec: Codec, parameters: tuple[int, ...], *, most: int) -> None:
        self._view, self._offset, self._end, self._most = view, offset, end, most
        self._unpacker = unpacker(codec, parameters)
        self.whole = False
        self.stored_bytes = 0
        self.raw_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        room = PIECE_BYTES
        at = self._offset
        inner = self._unpacker
        while not inner.eof:
            data = b""
            if inner.needs_input:
                data = self._view.read(at, min(PIECE_BYTES, self._end - at)) if at < self._end else b""
                at += len(data)
            try:
                raw = inner.decompress(data, room)
            except UNPACK_ERRORS:
                return
            if not raw and not data and not inner.eof:
                return
            self.raw_bytes += len(raw)
            if self.raw_bytes > self._most:
                return
            parts.append(raw)
            room -= len(raw)
            if not room:
                yield b"".join(parts)
                parts, room = [], PIECE_BYTES
        self.stored_bytes = at - self._offset - len(inner.unused_data)
        self.whole = self.stored_bytes > 0
        if room < PIECE_BYTES:
            yield b"".join(parts)


def unpack(view: View, member: Member) -> Iterator[bytes]:
    """The raw pieces of a member. Raises FormatError ``bad-recipe`` where the bytes are not what the member says."""
    end = member.offset + member.stored_bytes
    unpacking = Unpacking(view, member.offset, end, member.codec, member.parameters, most=member.raw_bytes)
    yield from unpacking
    if not unpacking.whole or (unpacking.stored_bytes, unpacking.raw_bytes) != (member.stored_bytes, member.raw_bytes):
        raise FormatError("bad-recipe", f"The bytes at {member.offset} of an archive are not the stream they should be.", AGAIN)


def pack(raw: View, at: int, member: Member) -> Iterator[bytes]:
    """The stored bytes of a member, in pieces, of its raw bytes at ``at``. Raises FormatError ``bad-recipe`` if they become more or
    fewer than it says."""
    inner = packer(member.codec, member.parameters)
    end = at + member.raw_bytes
    made = 0
    for start in range(at, end, PIECE_BYTES):
        stored = inner.compress(raw.read(start, min(PIECE_BYTES, end - start)))
        made += len(stored)
        if made > member.stored_bytes:
            break
        if stored:
            yield stored
    stored = inner.flush()
    if made + len(stored) != member.stored_bytes:
        raise FormatError("bad-recipe", f"The stream at {member.offset} of an archive does not come back as it was.", AGAIN)
    yield stored


def packer_bytes(codec: Codec, parameters: tuple[int, ...]) -> int:
    """About the memory that a packer takes."""
    match codec:
        case Codec.LZMA2 if parameters:
            return parameters[0] * 12
        case Codec.BZIP2:
            return 8 << 20
        case _:
            return 300 << 10
