"""Small pairs made from a seed, for where nothing can be fetched or time is short: text, a program with moved parts, archives."""

from __future__ import annotations

import os
import random
import shutil
import zipfile

from benchmarks import rounds, synthetic
from benchmarks.updates.pairs import Kind, Pair

_FILES = 300
_PROGRAM_BYTES = 3 << 20
_STAMP = (2024, 1, 1, 0, 0, 0)


def quick_pairs(corpus: str) -> list[Pair]:
    """Lay them out and say what they are."""
    makers = {"text": _text, "program": _program, "archives": _archives}
    for name, make in makers.items():
        old, new = (os.path.join(corpus, name, which) for which in ("old", "new"))
        if not os.path.isdir(new):
            os.makedirs(os.path.dirname(old), exist_ok=True)
            make(old, f"{new}.part")
            os.rename(f"{new}.part", new)
    return [Pair(name=name, kind=Kind.MADE, old=(), new=(), note="made from a seed") for name in makers]


def _text(old: str, new: str) -> None:
    synthetic.small_files(old, _FILES)
    shutil.copytree(old, new)
    rounds.change_files(new, 40, seed=3)
    with open(os.path.join(new, "empty"), "wb"):
        pass


def _program(old: str, new: str) -> None:
    """Words of few kinds, as instructions are; every tenth address changed, a part moved, a part inserted."""
    rng = random.Random(4)
    words = [rng.randbytes(rng.randrange(2, 9)) for _ in range(500)]
    content = bytearray(b"".join(rng.choices(words, k=_PROGRAM_BYTES // 5)))
    _write(old, "program", bytes(content))
    for _ in range(2000):
        at = rng.randrange(len(content) - 4)
        content[at : at + 2] = rng.randbytes(2)
    moved = content[500_000:800_000]
    del content[500_000:800_000]
    content[1_500_000:1_500_000] = moved
    content[200_000:200_000] = rng.randbytes(5000)
    _write(new, "program", bytes(content))


def _archives(old: str, new: str) -> None:
    """A zip whose members are compressed as zlib does, before and after an edit in few of them."""
    rng = random.Random(5)
    members = {f"part{number}.txt": " ".join(rng.choices(_WORDS, k=4000)) for number in range(60)}
    _zip(old, members)
    for name in rng.sample(sorted(members), 50):
        members[name] += " and a word"
    _zip(new, members)


_WORDS = [f"word{number:x}" for number in range(3000)]


def _zip(tree: str, members: dict[str, str]) -> None:
    os.makedirs(tree)
    with zipfile.ZipFile(os.path.join(tree, "package.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, text in members.items():
            file.writestr(zipfile.ZipInfo(name, _STAMP), text, zipfile.ZIP_DEFLATED)


def _write(tree: str, name: str, content: bytes) -> None:
    os.makedirs(tree)
    with open(os.path.join(tree, name), "wb") as file:
        file.write(content)
