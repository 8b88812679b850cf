"""Expanding and rebuilding against recipes that lie."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

import pytest

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.archives.expand import expand, rebuild
from haulage.engine.archives.look import look
from haulage.engine.archives.recipe import Codec, Member, Recipe
from haulage.engine.archives.view import BytesView, PartView, Spill
from tests.engine.archives.containers import contents, made_again, zipped

WHOLE = zipped([(str(number), contents(number, 5000)) for number in range(4)])


def looked() -> Recipe:
    recipe = look(BytesView(WHOLE), b"")
    assert recipe is not None
    return recipe


def test_the_expanded_form_holds_the_contents_between_the_plain_bytes() -> None:
    recipe = looked()
    with tempfile.TemporaryDirectory() as folder, Spill(folder) as spill:
        expand(BytesView(WHOLE), recipe, spill)
        data = spill.read(0, spill.size)
    first = recipe.members[0]
    assert data.startswith(WHOLE[: first.offset] + contents(0, 5000) + WHOLE[first.offset + first.stored_bytes :][:20])
    assert len(data) == recipe.expanded_size


def test_some_members_can_be_left_compressed() -> None:
    recipe = looked()
    assert made_again(WHOLE, recipe.only(recipe.members[1:3])) == WHOLE
    assert made_again(WHOLE, recipe.only(())) == WHOLE


@pytest.mark.parametrize(
    "lie",
    [
        {"raw_bytes": 4999},
        {"raw_bytes": 5001},
        {"stored_bytes": 100},
        {"offset": 7},
        {"codec": Codec.BZIP2},
        {"codec": Codec.LZMA2},
    ],
)
def test_a_recipe_that_lies_of_the_container_is_refused(lie: dict[str, int]) -> None:
    recipe = looked()
    lied = recipe.only((replace(recipe.members[0], **lie), *recipe.members[1:]))  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder, Spill(folder) as spill, pytest.raises(FormatError) as caught:
        expand(BytesView(WHOLE), lied, spill)
    assert caught.value.code == "bad-recipe"


@pytest.mark.parametrize(
    ("codec", "way"),
    [
        (Codec.DEFLATE, ()),
        (Codec.DEFLATE, (6, 8, 0)),
        (Codec.DEFLATE, (10, 8, 0, 15)),
        (Codec.DEFLATE, (6, 10, 0, 15)),
        (Codec.DEFLATE, (6, 8, 9, 15)),
        (Codec.DEFLATE, (6, 8, 0, 99)),
        (Codec.DEFLATE, (2**31, 8, 0, 15)),
        (Codec.DEFLATE, (1, 8, 0, 15)),  # possible, but not this stream's
        (Codec.BZIP2, (0,)),
        (Codec.BZIP2, (2**32 - 1,)),
        (Codec.LZMA2, (1 << 30, 6)),
        (Codec.LZMA2, (1 << 20, 77)),
        (Codec.DEFLATE, (9, 8, 0, 15, 3)),
        (Codec.DEFLATE, (9, 8, 0, 15, 1, 1)),
        (Codec.DEFLATE, (99, 8, 0, 15, 1)),
        (Codec.DEFLATE, (2**32 - 1, 8, 0, 15, 1)),
    ],
)
def test_parameters_that_cannot_be_are_refused(codec: Codec, way: tuple[int, ...]) -> None:
    recipe = looked()
    member = replace(recipe.members[0], codec=codec, parameters=way)
    with tempfile.TemporaryDirectory() as folder, Spill(folder) as spill:
        expand(BytesView(WHOLE), recipe, spill)
        with pytest.raises(FormatError) as caught:
            rebuild(spill, recipe.only((member, *recipe.members[1:])), lambda _: None)
    assert caught.value.code == "bad-recipe"


def test_views_of_another_size_are_refused() -> None:
    recipe = looked()
    with tempfile.TemporaryDirectory() as folder, Spill(folder) as spill:
        with pytest.raises(FormatError):
            expand(BytesView(WHOLE[:-1]), recipe, spill)
        with pytest.raises(FormatError):
            rebuild(BytesView(WHOLE), recipe, lambda _: None)


def test_an_empty_recipe_is_the_container_itself() -> None:
    assert made_again(b"", Recipe((), 0)) == b""
    assert made_again(b"abc", Recipe((), 3)) == b"abc"


def test_a_member_without_raw_bytes() -> None:
    assert made_again(b"x\x03\x00y", Recipe((Member(1, 2, 0, Codec.DEFLATE, (6, 8, 0, 15)),), 4)) == b"x\x03\x00y"


def test_views_end_where_they_end(tmp_path: os.PathLike[str]) -> None:
    with Spill(os.fspath(tmp_path)) as view:
        view.append(b"0123456789")
        for some in (view, BytesView(b"0123456789"), PartView(BytesView(b"ab0123456789cd"), 2, 10)):
            assert (some.read(8, 5), some.read(10, 1), some.read(99, 1), some.size) == (b"89", b"", b"", 10)
        view._file.truncate(4)
        with pytest.raises(IntegrityError) as caught:
            view.read(0, 10)
        assert caught.value.code == "file-shrank"
    assert PartView(BytesView(b"abc"), 5, 2).size == 0
