"""Containers for the tests of this room, and the one promise that all of them are held to."""

from __future__ import annotations

import gzip
import io
import random
import tempfile
import zipfile
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
