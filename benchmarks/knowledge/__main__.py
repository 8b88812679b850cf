"""Search measured: the index of Haulage, SQLite's FTS5 behind the same questions, and ripgrep over the files, in one run.

    python -m benchmarks.knowledge CORPUS-FOLDER

Relevance over the corpus as it is (tuned and held questions apart; of the held ones only totals are printed), time and space over
the corpus renumbered to 57,000 articles. Each cell is a process of its own, in turns on one machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile

from benchmarks.knowledge.cell import ENGINES, run

MANY = 57_000


def main() -> None:
    """Run all cells, one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="a folder of articles in the archive's text form")
    parser.add_argument("--articles", type=int, default=MANY)
    parser.add_argument("--cell", choices=ENGINES)
    parser.add_argument("--work", default=None)
    told = parser.parse_args()
    if told.cell:
        print(run(told.cell, told.corpus, told.articles, told.work))
        return
    with tempfile.TemporaryDirectory(dir=told.work) as work:
        for articles in (0, told.articles):
            for engine in ENGINES:
                print(json.dumps(_cell(engine, told.corpus, articles, work)), flush=True)


def _cell(engine: str, corpus: str, articles: int, work: str) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.knowledge", corpus, "--cell", engine, "--articles", str(articles), "--work", work]
    made = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, object] = json.loads(made.stdout)
    return found


if __name__ == "__main__":
    main()
