"""The peer everybody has: ripgrep over the files, one run for each word, articles ranked by which words they have."""

from __future__ import annotations

import math
import os
import subprocess
from collections import defaultdict

from haulage.engine.search.asked import take_apart
from haulage.engine.search.stop_words import STOP_WORDS


class Ripgrep:
    """Files named by their article's id; ``by_rarity`` weighs a word by how few files have it, which no one does by hand."""

    def __init__(self, folder: str, *, by_rarity: bool) -> None:
        self._folder = folder
        self._by_rarity = by_rarity
        self._sizes = {name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)}

    def find(self, text: str, limit: int) -> list[str]:
        """Ids, those with most words first, of as many the shorter."""
        asked = take_apart(text)
        words = [word for word in asked.words if word not in STOP_WORDS] or list(asked.words)
        worth: dict[str, float] = defaultdict(float)
        for number in asked.numbers:
            if f"{number}.TXT" in self._sizes:
                worth[f"{number}.TXT"] += 1000.0
        for word in words:
            files = self._having(word)
            for file in files:
                worth[file] += math.log(1 + len(self._sizes) / len(files)) if self._by_rarity else 1.0
        ranked = sorted(worth, key=lambda file: (-worth[file], self._sizes[file], file))
        return [file.removesuffix(".TXT") for file in ranked[:limit]]

    def _having(self, word: str) -> list[str]:
        command = [
            "rg",
            "--files-with-matches",
            "--ignore-case",
            "--word-regexp",
            "--fixed-strings",
            "--no-config",
            "--",
            word,
            ".",
        ]
        found = subprocess.run(command, cwd=self._folder, capture_output=True, check=False)
        return [line.removeprefix("./") for line in found.stdout.decode().splitlines()]
