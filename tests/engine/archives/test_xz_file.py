"""xz files of one block and of many, of one stream and of many; Debian packages with them in."""

from __future__ import annotations

import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.archives.look import Effort, look
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import BytesView
from tests.engine.archives.containers import ar, comes_back, contents, gzipped, xz_of_blocks


@pytest.mark.parametrize("preset", [0, 1, 2, 3, 4, 5, 6, 6 | lzma.PRESET_EXTREME])
def test_presets_up_to_six_come_back(preset: int) -> None:
    recipe = comes_back(lzma.compress(contents(preset & 7, 60_000), preset=preset))
    assert recipe is not None
    assert [(member.codec, member.raw_bytes) for member in recipe.members] == [(Codec.LZMA2, 60_000)]


def test_a_long_stream_comes_back() -> None:
    recipe = comes_back(lzma.compress(contents(1, 1_500_000), preset=1))
    assert recipe is not None
    assert recipe.members[0].parameters == (1 << 20, 1)


@pytest.mark.parametrize("preset", [7, 9])
def test_presets_that_take_more_memory_than_a_receiver_has_stay_compressed(preset: int) -> None:
    whole = lzma.compress(contents(1, 20_000), preset=preset)
    assert look(BytesView(whole), b"") is None
    assert look(BytesView(whole), b"", prove=False) is not None


def test_other_filters_stay_compressed() -> None:
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 1}]
    assert comes_back(lzma.compress(contents(1, 9000), filters=filters)) is None


@pytest.mark.parametrize("sizes", [True, False])
def test_many_blocks_come_back(sizes: bool) -> None:
    parts = [contents(number, 9000 + number) for number in range(5)]
    whole = xz_of_blocks(parts, preset=1, sizes=sizes)
    assert lzma.decompress(whole) == b"".join(parts)
    recipe = comes_back(whole)
    assert recipe is not None
    assert [member.raw_bytes for member in recipe.members] == [len(part) for part in parts]


@pytest.mark.parametrize("check", [lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256])
def test_many_streams_come_back(check: int) -> None:
    streams = [lzma.compress(contents(number, 5000 + number), preset=0, check=check) for number in range(4)]
    recipe = comes_back(streams[0] + streams[1] + bytes(8) + streams[2] + streams[3])
    assert recipe is not None
    assert len(recipe.members) == 4


def test_streams_of_several_presets_come_back_each_with_its_own() -> None:
    recipe = comes_back(b"".join(lzma.compress(contents(number, 5000 + number), preset=number) for number in (0, 1, 6, 1)))
    assert recipe is not None
    assert [member.parameters for member in recipe.members] == [(1 << 18, 0), (1 << 20, 1), (1 << 23, 6), (1 << 20, 1)]


def test_a_dictionary_that_no_preset_has_stays_compressed() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 3 << 17}]
    odd = lzma.compress(contents(1, 5000), filters=filters)
    recipe = comes_back(lzma.compress(contents(1, 5000), preset=0) + odd)
    assert recipe is not None
    assert len(recipe.members) == 1


def test_a_debian_package_comes_back() -> None:
    package = ar(
        [
            ("debian-binary", b"2.0\n"),
            ("control.tar.gz", gzipped(contents(1, 3001))),
            ("data.tar.xz", lzma.compress(contents(2, 30_001), preset=0)),
        ]
    )
    recipe = comes_back(package)
    assert recipe is not None
    assert [member.codec for member in recipe.members] == [Codec.DEFLATE, Codec.LZMA2]


def test_codecs_slow_to_pack_are_for_the_smallest_level_alone() -> None:
    view = BytesView(lzma.compress(contents(1, 9000), preset=0))
    assert [look(view, b"", level=level) is not None for level in Effort] == [False, False, True]


def test_b42_a_bomb_stays_compressed() -> None:
    assert comes_back(lzma.compress(bytes(20_000_000), preset=0)) is None


SMALL = xz_of_blocks([contents(1, 600), contents(2, 900)], preset=0) + ar([("a", gzipped(contents(3, 800)))])


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_damage_harms_nobody(data: st.DataObject) -> None:
    whole = bytearray(SMALL if data.draw(st.booleans()) else ar([("a", SMALL), ("b", SMALL)]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    comes_back(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_noise_behind_a_head_harms_nobody(noise: bytes) -> None:
    for head in (SMALL[:12], SMALL[:24], b"!<arch>\n"):
        comes_back(head + noise)
