"""Lays the trees of the pairs out: ``CORPUS/PAIR/old`` and ``CORPUS/PAIR/new``, fetched where they are missing.

python -m benchmarks.updates.corpus --corpus FOLDER [--pairs NAME ...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from benchmarks.updates import image
from benchmarks.updates.fetch import NotFetched, fetch
from benchmarks.updates.pairs import Kind, Pair, Source, read_pairs
from benchmarks.updates.unpack import unpack

FILLING = (
    "chromium",
    "kernel",
    "cvarrow",
    "jdk",
    "pydata",
    "ansible",
    "pyside",
    "npm",
    "web",
    "docs",
    "media",
    "java",
    "lo",
    "webkit",
)
"""The pairs whose old trees fill the disk image, as far as it holds them."""


def lay_out(pair: Pair, corpus: str) -> str:
    """The pair's folder, with both trees in it. Raises NotFetched."""
    folder = os.path.join(corpus, pair.name)
    for which, sources in (("old", pair.old), ("new", pair.new)):
        tree = os.path.join(folder, which)
        if pair.kind is not Kind.MADE and not os.path.isdir(tree):
            _fill(tree, sources, corpus, packed=pair.kind is Kind.PACKED)
    if pair.kind is Kind.MADE and not os.path.isdir(f"{folder}/new"):
        _make_image(folder, corpus)
    return folder


def _fill(tree: str, sources: Sequence[Source], corpus: str, *, packed: bool) -> None:
    archives = [fetch(source, os.path.join(corpus, "fetched")) for source in sources]
    staging = f"{tree}.part"
    shutil.rmtree(staging, ignore_errors=True)
    os.makedirs(staging)
    for source, archive in zip(sources, archives, strict=True):
        if packed and not source.opened:
            shutil.copy2(archive, staging)
        else:
            unpack(source, archive, staging)
    os.rename(staging, tree)


def _make_image(folder: str, corpus: str) -> None:
    trees = [lay_out(pair, corpus) for pair in read_pairs() if pair.name in FILLING]
    for which in ("old.part", "new.part"):
        os.makedirs(os.path.join(folder, which), exist_ok=True)
    placed = image.write_old(f"{folder}/old.part/disk.img", [f"{tree}/old" for tree in trees])
    next_of = {
        path: later for _, _, path in placed if os.path.isfile(later := path.replace("/old/", "/new/", 1)) and _differ(path, later)
    }
    own = image.write_new(f"{folder}/old.part/disk.img", f"{folder}/new.part/disk.img", placed, next_of, image.Edits())
    print(f"image: {len(placed)} files, {own:,} bytes replaced or inserted", file=sys.stderr)
    for which in ("old", "new"):
        os.rename(os.path.join(folder, f"{which}.part"), os.path.join(folder, which))


def _differ(one: str, other: str) -> bool:
    if os.path.getsize(one) != os.path.getsize(other):
        return True
    with open(one, "rb") as first, open(other, "rb") as second:
        return first.read() != second.read()


def main() -> None:
    """Lay out every pair asked for; say which cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates.corpus", description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--pairs", nargs="*")
    given = parser.parse_args()
    for pair in read_pairs():
        if not given.pairs or pair.name in given.pairs:
            try:
                print(lay_out(pair, os.path.abspath(given.corpus)), flush=True)
            except NotFetched as error:
                print(f"!!! {pair.name} IS LEFT OUT: {error}", flush=True)


if __name__ == "__main__":
    main()
