"""Gzip files: every level, several members, headers of all kinds, damage."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.archives.look import look
from haulage.engine.archives.view import BytesView
from tests.engine.archives.containers import comes_back, contents, gzipped


@pytest.mark.parametrize("level", range(1, 10))
def test_every_level_of_zlib_comes_back(level: int) -> None:
    recipe = comes_back(gzipped(contents(level, 400_000), level=level))
    assert recipe is not None
    found = recipe.members[0].parameters
    assert found == (level, 8, 0, 15) or level in (7, 8)


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4), st.binary(max_size=9)
)
@settings(deadline=None, max_examples=50)
def test_any_members_come_back(members: list[tuple[int, int, int]], after: bytes) -> None:
    whole = b""
    for size, level, memory in members:
        packed = zlib.compressobj(level, zlib.DEFLATED, 31, memory)
        whole += packed.compress(contents(size, size)) + packed.flush()
    comes_back(whole + after)


def test_long_headers_are_passed() -> None:
    whole = gzipped(contents(1, 9000))
    header = whole[:3] + bytes([4 | 8 | 16 | 2]) + whole[4:10] + struct.pack("<H", 5) + b"extra" + b"name\0" + b"comment\0" + b"cc"
    recipe = comes_back(header + whole[10:])
    assert recipe is not None
    assert recipe.members[0].offset == len(header)


def test_a_member_of_many_pieces_that_only_differs_at_its_end_stays_as_it_is() -> None:
    data = contents(3, 1_000_000)
    packed = zlib.compressobj(6, zlib.DEFLATED, 31)
    whole = packed.compress(data[:-5]) + packed.flush(zlib.Z_FULL_FLUSH) + packed.compress(data[-5:]) + packed.flush()
    assert comes_back(whole) is None
    assert look(BytesView(whole), b"", prove=False) is not None


@given(st.integers(0, 1000), st.integers(0, 7), st.integers(0, 1000))
@settings(deadline=None, max_examples=80)
def test_damage_harms_nobody(at: int, bit: int, cut: int) -> None:
    whole = bytearray(gzipped(contents(1, 1500)))
    whole[at % len(whole)] ^= 1 << bit
    comes_back(bytes(whole[: len(whole) - cut % len(whole)]))


def test_b42_a_bomb_stays_compressed() -> None:
    assert comes_back(gzipped(bytes(50_000_000))) is None


@pytest.mark.parametrize(
    "head", [b"", b"\x1f", b"\x1f\x8b\x08", b"\x1f\x8b\x08\xff" + bytes(6), b"PK\x03\x04", b"PK\x05\x06" + bytes(18)]
)
def test_beginnings_without_more_hold_nothing(head: bytes) -> None:
    assert comes_back(head) is None
