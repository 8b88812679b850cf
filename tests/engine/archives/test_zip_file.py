"""Zip files: what writers make comes back; what nobody should make harms nobody."""

from __future__ import annotations

import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.archives.found import Bounds
from haulage.engine.archives.look import look
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import BytesView
from tests.engine.archives.containers import comes_back, contents, gzipped, made_again, zipped

FILES = [(f"name-{number}", contents(number, 3000 * number)) for number in range(1, 9)]


@pytest.mark.parametrize("level", range(1, 10))
def test_every_level_of_python_comes_back(level: int) -> None:
    recipe = comes_back(zipped([*FILES, ("large", contents(9, 700_000))], level=level))
    assert recipe is not None
    assert len(recipe.members) == 9
    assert {member.codec for member in recipe.members} == {Codec.DEFLATE}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5000), st.booleans()), max_size=8),
    st.binary(max_size=20),
    st.binary(max_size=20),
)
@settings(deadline=None, max_examples=60)
def test_any_zip_comes_back(files: list[tuple[int, int, bool]], before: bytes, after: bytes) -> None:
    data = zipped([(str(number), contents(seed, size)) for number, (seed, size, _) in enumerate(files)])
    recipe = comes_back(before + data + after)
    if not after:
        assert len(recipe.members if recipe else ()) == sum(size > 400 for _, size, _ in files) or any(
            60 < size <= 400 for _, size, _ in files
        )


def test_members_of_other_methods_are_found_too() -> None:
    recipe = comes_back(zipped(FILES, method=zipfile.ZIP_BZIP2, level=9))
    assert recipe is not None
    assert {(member.codec, member.parameters) for member in recipe.members} == {(Codec.BZIP2, (9,))}


def test_a_container_stored_in_a_zip_is_looked_into() -> None:
    inner = zipped(FILES, level=9)
    recipe = comes_back(zipped([("inner.whl", inner), ("x.gz", gzipped(contents(1, 9000)))], method=zipfile.ZIP_STORED))
    assert recipe is not None
    assert len(recipe.members) == len(FILES) + 1


def test_a_self_extractor_is_found_by_its_end() -> None:
    recipe = comes_back(b"MZ" + contents(3, 5000) + zipped(FILES))
    assert recipe is not None
    assert len(recipe.members) == len(FILES)


def test_a_zip_without_its_directory_is_read_by_its_headers() -> None:
    whole = zipped(FILES)
    recipe = comes_back(whole[: whole.index(b"PK\x01\x02") + 10])
    assert recipe is not None
    assert len(recipe.members) == len(FILES)


def streamed(files: list[tuple[str, bytes]]) -> bytes:
    """A zip whose headers tell no sizes, cut before its directory."""
    out = b""
    for name, data in files:
        packed = zlib.compressobj(6, zlib.DEFLATED, -15)
        stored = packed.compress(data) + packed.flush()
        out += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 8, 8, 0, 0, 0, 0, 0, len(name), 0) + name.encode() + stored
        out += struct.pack("<4sIII", b"PK\x07\x08", zlib.crc32(data), len(stored), len(data))
    return out


def test_headers_without_sizes_are_followed_by_unpacking() -> None:
    recipe = comes_back(streamed(FILES))
    assert recipe is not None
    assert [member.raw_bytes for member in recipe.members] == [len(data) for _, data in FILES]


def test_sizes_of_64_bits_are_read() -> None:
    data = bytearray(zipped([("a", contents(1, 5000))]))
    at = data.index(b"PK\x01\x02")
    stored, offset = struct.unpack_from("<I", data, at + 20)[0], 0
    extra = struct.pack("<HHQQ", 1, 16, stored, offset)
    struct.pack_into("<I", data, at + 20, 0xFFFFFFFF)
    struct.pack_into("<I", data, at + 42, 0xFFFFFFFF)
    struct.pack_into("<H", data, at + 30, len(extra))
    data[at + 47 : at + 47] = extra
    end = data.index(b"PK\x05\x06")
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, end - at, at)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    struct.pack_into("<II", data, end + 12, 0xFFFFFFFF, 0xFFFFFFFF)
    data[end:end] = wide + locator
    recipe = comes_back(bytes(data))
    assert recipe is not None
    assert len(recipe.members) == 1


def test_encrypted_members_stay_as_they_are() -> None:
    data = bytearray(zipped(FILES[:2]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    recipe = comes_back(bytes(data))
    assert recipe is not None
    assert len(recipe.members) == 1


def test_members_nobody_can_make_again_stay_as_they_are() -> None:
    """A stream that zlib would not write: its end is cut into a block of its own."""
    packed = zlib.compressobj(6, zlib.DEFLATED, -15)
    foreign = (
        packed.compress(contents(1, 4000)) + packed.flush(zlib.Z_FULL_FLUSH) + packed.compress(contents(2, 9)) + packed.flush()
    )
    data = bytearray(zipped([("a", contents(5, 6000)), ("b", contents(6, 6000))]))
    recipe = look(BytesView(bytes(data)), b"")
    assert recipe is not None
    first = recipe.members[0]
    assert len(foreign) < first.stored_bytes
    data[first.offset : first.offset + len(foreign)] = foreign
    recipe = comes_back(bytes(data))
    assert recipe is not None
    assert [member.offset for member in recipe.members] != [first.offset]
    assert len(recipe.members) == 1


def test_b57_overlapping_members_are_taken_once() -> None:
    """Fifield's: many entries of the directory name one and the same stream."""
    whole = zipped([("a", bytes(200_000)), ("b", contents(1, 5000))])
    at, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    directory = whole[at:end] * 500
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1000, 1000, len(directory), at, 0)
    recipe = comes_back(whole[:at] + directory + tail)
    assert recipe is not None
    assert len(recipe.members) <= 2


def test_b42_a_bomb_stays_compressed() -> None:
    bomb = zipped([("zeros", bytes(60_000_000)), ("text", contents(1, 5000))])
    recipe = comes_back(bomb)
    assert recipe is not None
    assert [member.raw_bytes for member in recipe.members] == [5000]


def test_all_members_together_stay_within_bounds() -> None:
    recipe = look(BytesView(zipped(FILES)), b"", bounds=Bounds(most_raw_bytes=20_000))
    assert recipe is not None
    assert 0 < sum(member.raw_bytes for member in recipe.members) <= 20_000


def test_no_more_members_than_allowed() -> None:
    recipe = look(BytesView(zipped(FILES)), b"", bounds=Bounds(most_members=3))
    assert recipe is not None
    assert len(recipe.members) == 3


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_damaged_zips_harm_nobody(data: st.DataObject) -> None:
    whole = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        if data.draw(st.booleans()):
            whole[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del whole[at : at + data.draw(st.integers(1, 200))]
            whole = whole or bytearray(b"P")
    comes_back(bytes(whole))


SMALL = zipped([("a", contents(1, 900)), ("b", contents(2, 300)), ("c", b""), ("d", contents(3, 2000))])


def test_a_stop_ends_it_early() -> None:
    assert look(BytesView(zipped(FILES)), b"", stop=lambda: True) is None


@pytest.mark.parametrize("threads", [0, 1, 2])
@pytest.mark.parametrize("most_bytes", [1, 1 << 16, 1 << 24])
def test_threads_and_memory_change_nothing(threads: int, most_bytes: int) -> None:
    whole = zipped([*FILES, ("large", contents(9, 1_500_000))])
    recipes = [look(BytesView(whole), b"", threads=number) for number in (0, threads)]
    assert recipes[0] is not None
    assert recipes[0] == recipes[1]
    assert made_again(whole, recipes[0], threads=threads, most_bytes=most_bytes) == whole
