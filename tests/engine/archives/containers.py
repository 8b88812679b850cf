"""Containers for the tests of this room, and the one promise that all of them are held to."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence

from haulage.engine.archives.expand import expand, rebuild
from haulage.engine.archives.look import look, unproven
from haulage.engine.archives.recipe import Recipe, decode, encode
from haulage.engine.archives.view import BytesView, Spill


def contents(seed: int, size: int) -> bytes:
    """Words with some noise: compressible, and different for each level of a compressor."""
    dice = random.Random(seed)
    words = [dice.randbytes(dice.randrange(2, 9)).hex().encode() for _ in range(300)]
    parts: list[bytes] = []
    made = 0
    while made < size:
        part = dice.choice(words) + b" " if dice.random() < 0.97 else dice.randbytes(dice.randrange(40))
        parts.append(part)
        made += len(part)
    return b"".join(parts)[:size]


def zipped(files: Sequence[tuple[str, bytes]], *, level: int = 6, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file as Python writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=level) as file:
        for name, data in files:
            file.writestr(zipfile.ZipInfo(name), data, method, level)
    return out.getvalue()


def gzipped(data: bytes, *, level: int = 9) -> bytes:
    """A gzip file as Python writes it."""
    return gzip.compress(data, level, mtime=0)


def comes_back(container: bytes, *, name: bytes = b"") -> Recipe | None:
    """The proven recipe of a container, after making it again from its expanded form; and whatever is only measured is expanded."""
    view = BytesView(container)
    recipe = look(view, name)
    loose = look(view, name, prove=False)
    if loose is not None:
        with tempfile.TemporaryDirectory() as folder, Spill(folder) as spill:
            assert expand(view, loose, spill).size == loose.expanded_size
    if recipe is None:
        return None
    assert loose is not None
    assert set(unproven(recipe).members) <= set(unproven(loose).members)
    assert decode(encode(recipe)) == recipe
    assert made_again(container, recipe) == container
    return recipe


def made_again(container: bytes, recipe: Recipe, *, threads: int = 2, most_bytes: int = 1 << 20) -> bytes:
    """The container, expanded and rebuilt."""
    made: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder, Spill(folder) as spill:
        rebuild(
            expand(BytesView(container), recipe, spill, threads=threads, most_bytes=most_bytes),
            recipe,
            made.append,
            threads=threads,
            most_bytes=most_bytes,
        )
    return b"".join(made)


def xz_of_blocks(parts: Sequence[bytes], *, preset: int = 6, sizes: bool = True) -> bytes:
    """An xz file of a block for each part, as ``xz -T2`` writes it: with sizes in the blocks' headers, and CRC32 as the check."""
    flags = b"\0\1"
    out = b"\xfd7zXZ\0" + flags + _crc(flags)
    rows = []
    dictionary = {0: 1 << 18, 1: 1 << 20}.get(preset, 1 << 23)
    bits = {1 << 18: 12, 1 << 20: 16, 1 << 23: 22}[dictionary]
    for part in parts:
        stored = lzma.compress(part, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": preset}])
        body = (_number(len(stored)) + _number(len(part)) if sizes else b"") + bytes([0x21, 1, bits])
        body += bytes(-(len(body) + 2) % 4)
        header = bytes([(len(body) + 2) // 4, 0xC0 if sizes else 0]) + body
        out += header + _crc(header) + stored + bytes(-len(stored) % 4) + _crc(part)
        rows.append((len(header) + 4 + len(stored) + 4, len(part)))
    index = b"\0" + _number(len(rows)) + b"".join(_number(a) + _number(b) for a, b in rows)
    index += bytes(-len(index) % 4)
    foot = struct.pack("<I", len(index) // 4) + flags
    return out + index + _crc(index) + _crc(foot) + foot + b"YZ"


def _crc(data: bytes) -> bytes:
    return struct.pack("<I", zlib.crc32(data))


def _number(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def ar(files: Sequence[tuple[str, bytes]]) -> bytes:
    """A Unix archive, as Debian packages are."""
    return b"!<arch>\n" + b"".join(
        f"{name:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
        for name, data in files
    )
