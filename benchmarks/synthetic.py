"""Made trees for the ends of the scale: very many small files, and one very large sparse file. Same numbers, same bytes."""

from __future__ import annotations

import os
import random

FILES_PER_FOLDER = 500
_WORDS = [f"word{number:x}" for number in range(4096)]
_RUN_BYTES = 16 << 20
_RUNS_APART = 4


def small_files(folder: str, count: int) -> None:
    """Text files of 100 bytes to some 4 KiB, no two alike."""
    rng = random.Random(1)
    for number in range(count):
        if number % FILES_PER_FOLDER == 0:
            inner = os.path.join(folder, f"{number // FILES_PER_FOLDER % 64:02x}", f"{number:08d}")
            os.makedirs(inner)
        text = " ".join(rng.choices(_WORDS, k=rng.randrange(12, 500)))
        with open(os.path.join(inner, f"{number}.txt"), "w") as file:
            file.write(f"{number}\n{text}\n")


def sparse_file(path: str, size: int) -> int:
    """One file of which every fourth run of 16 MiB is random, the rest holes; the bytes that are no hole."""
    rng = random.Random(2)
    written = 0
    with open(path, "wb") as file:
        file.truncate(size)
        for offset in range(0, size, _RUN_BYTES * _RUNS_APART):
            file.seek(offset)
            file.write(rng.randbytes(_RUN_BYTES))
            written += _RUN_BYTES
    return written
