"""Fuzzing targets of the archive room: recipes, and containers of every kind."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence

from haulage.base.errors import FormatError
from haulage.engine.archives.expand import expand, rebuild
from haulage.engine.archives.found import Bounds
from haulage.engine.archives.look import look, unproven
from haulage.engine.archives.recipe import Codec, Member, Recipe, decode, encode
from haulage.engine.archives.view import BytesView, Spill
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import Target, promised

_TEXT = b"Packages for every site, byte for byte. " * 6
_BOUNDS = Bounds(most_members=64, free_raw_bytes=4096, most_raw_bytes=1 << 18, least_stored_bytes=8)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, method in (("a", zipfile.ZIP_DEFLATED), ("b", zipfile.ZIP_STORED), ("c", zipfile.ZIP_BZIP2)):
            file.writestr(zipfile.ZipInfo(name), name.encode() + _TEXT, method)
    return out.getvalue()


def _tar(packed: bytes) -> bytes:
    head = tarfile.TarInfo("a.gz")
    head.size = len(packed)
    return head.tobuf() + packed + bytes(-len(packed) % 512)


@functools.cache
def _containers() -> tuple[bytes, ...]:
    xz, packed = lzma.compress(_TEXT, preset=0), gzip.compress(_TEXT, mtime=0)
    member = b"data.tar.xz     0           0     0     100644  %-10d`\n" % len(xz)
    return (_zip(), _tar(packed), packed, packed + packed, bz2.compress(_TEXT), xz, xz + xz, b"!<arch>\n" + member + xz)


def _take_container(data: bytes) -> None:
    """Whatever is found in it can be expanded, and what is proven comes back."""
    view = BytesView(data)
    loose, proven = (look(view, b"", prove=prove, bounds=_BOUNDS, threads=0) for prove in (False, True))
    with tempfile.TemporaryDirectory() as folder:
        if loose is not None:
            with Spill(folder) as spill:
                promised(lambda: expand(view, loose, spill, threads=0))
        if proven is None:
            raise FormatError("no-archive", "There is nothing to be made again.", "")
        assert loose is not None
        assert set(unproven(proven).members) <= set(loose.members)
        made: list[bytes] = []
        with Spill(folder) as spill:
            promised(lambda: rebuild(expand(view, proven, spill, threads=0), proven, made.append, threads=0))
        assert b"".join(made) == data


def _recipes() -> Sequence[bytes]:
    found = [look(BytesView(data), b"", bounds=_BOUNDS, threads=0) for data in _containers()]
    many = tuple(Member(9 * at, 5, 70 * at, Codec.DEFLATE, (6, 8, 0, 15)) for at in range(9))
    return [encode(recipe) for recipe in (*found, Recipe(many, 99), Recipe((), 0)) if recipe is not None]


def _take_recipe(data: bytes) -> None:
    recipe = decode(data)
    assert encode(recipe) == data
    assert recipe.expanded_size >= 0
    end = 0
    for member in recipe.members:
        assert member.offset >= end
        end = member.offset + member.stored_bytes
    assert end <= recipe.size


TARGETS = (
    Target(name="recipe", reads="recipes of archives", take=_take_recipe, seeds=_recipes, runs=8_000, coding=Coding.MSGPACK),
    Target(name="container", reads="zip, gzip, bzip2, xz, ar, tar", take=_take_container, seeds=_containers, runs=1_500),
)
