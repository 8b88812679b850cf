"""A real process, killed with SIGKILL amid its work: what it had acknowledged is there."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from haulage.engine.content.store import LocalStore

WRITER = """
import random, sys
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.store import LocalStore
from haulage.engine.content.store_state import StoreSettings

store = LocalStore(sys.argv[1], settings=StoreSettings(block_bytes=65536, pack_bytes=1 << 20))
source = random.Random(sys.argv[2])
while True:
    with store.session("killed") as session:
        for _ in range(3):
            pieces = [source.randbytes(source.randrange(20000)) for _ in range(30)]
            for piece in pieces:
                session.put(chunk_id(piece), piece)
            session.checkpoint()
            print(*(chunk_id(piece).hex() for piece in pieces), flush=True)
"""


@pytest.mark.parametrize("lines", [1, 3, 4, 11])
def test_f1_i12_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path, lines: int) -> None:
    acknowledged: list[bytes] = []
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "store"), str(lines)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        for _ in range(lines):
            acknowledged += map(bytes.fromhex, writer.stdout.readline().split())
        writer.send_signal(signal.SIGKILL)
    assert len(acknowledged) == 30 * lines
    with contextlib.closing(LocalStore(tmp_path / "store")) as store:
        ids = [one for pack in store._state.indexes.all() for one in pack.chunks()]
        assert set(ids) >= set(acknowledged)
        assert sum(1 for _ in store.read_many(ids)) == len(ids)
        assert not store.check().damages
