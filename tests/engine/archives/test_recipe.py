"""The encoding of recipes: one form, and nothing else is taken."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.engine.archives.recipe import Codec, Member, Recipe, decode, encode

ways = st.tuples(st.sampled_from(Codec), st.lists(st.integers(0, 2**32 - 1), max_size=4).map(tuple))


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    at, members = 0, []
    for gap, stored, raw, (codec, way) in draw(
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 2**33), st.integers(0, 2**40), ways), max_size=6)
    ):
        members.append(Member(at + gap, stored, raw, codec, way))
        at += gap + stored
    return Recipe(tuple(members), at + draw(st.integers(0, 9)))


@given(recipes())
def test_a_recipe_comes_back(recipe: Recipe) -> None:
    assert decode(encode(recipe)) == recipe


@given(recipes(), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_gives_another_recipe_or_none(recipe: Recipe, at: int, change: int) -> None:
    data = bytearray(encode(recipe))
    data[at % len(data)] ^= change
    try:
        other = decode(bytes(data))
    except FormatError:
        pass
    else:
        assert other != recipe
        assert encode(other) == data


@given(st.binary(max_size=60))
def test_no_other_form_is_taken(data: bytes) -> None:
    try:
        recipe = decode(data)
    except FormatError:
        return
    assert encode(recipe) == data


@pytest.mark.parametrize(
    "fields",
    [
        (10, [[1]], [0], [11], [1], [0]),  # over the end
        (10, [[1]], [-1], [1], [1], [0]),
        (10, [[1]], [0], [0], [1], [0]),
        (10, [[1]], [0], [1], [-1], [0]),
        (10, [[1]], [0], [1], [2**60], [0]),
        (10, [[9]], [0], [1], [1], [0]),
        (10, [[]], [0], [1], [1], [0]),
        (10, [[1, -1]], [0], [1], [1], [0]),
        (10, [[1] * 10], [0], [1], [1], [0]),
        (10, [[1], [1]], [0, 0], [1, 1], [1, 1], [0, 1]),  # twice the same way
        (10, [[1], [2]], [0, 0], [1, 1], [1, 1], [1, 0]),  # not by first use
        (10, [[1], [2]], [0], [1], [1], [0]),  # one unused
        (10, [[1]], [0], [1], [1], [1]),
        (10, [[1]], [0], [1], [1], [-1]),
        (10, [[1]], [0], [1], [1, 1], [0]),
        (2**60, [], [], [], [], []),
        (-1, [], [], [], [], []),
    ],
)
def test_what_nobody_would_write_is_refused(fields: tuple[object, ...]) -> None:
    with pytest.raises(FormatError) as caught:
        decode(msgspec.msgpack.encode(fields))
    assert caught.value.code == "bad-recipe"


def test_sizes() -> None:
    recipe = Recipe((Member(2, 3, 10, Codec.DEFLATE, (6, 8, 0, 15)), Member(5, 1, 0, Codec.BZIP2)), 9)
    assert recipe.expanded_size == 9 + 7 - 1
    assert recipe.only(recipe.members[:1]).expanded_size == 16
