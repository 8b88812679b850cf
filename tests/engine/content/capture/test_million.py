"""A million small files stream through a capture (Q166733: a tool stopped at 5,885)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FILES = 1_000_000 if os.environ.get("HAULAGE_LONG") == "1" else 20_000
MOST_MEMORY_KIB = 512 * 1024


def test_b16_q166733_a_million_small_files_take_less_than_512_mib(tmp_path: Path) -> None:
    """In ``make test`` twenty thousand, all in one folder."""
    command = [sys.executable, "-m", "tests.engine.content.capture.million", str(FILES), os.fspath(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    files, memory = map(int, done.stdout.split())
    print(f"{files:,} files, {memory // 1024} MiB")
    assert files == FILES
    assert memory < MOST_MEMORY_KIB
