"""The pinned zlib: zlib's bytes, those of Node and GNU gzip, and no way out of its sandbox."""

from __future__ import annotations

import functools
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.archives import deflate, fingerprint, pinned
from haulage.engine.archives.coding import packer
from haulage.engine.archives.look import look
from haulage.engine.archives.pinned import Family, PinnedPacker
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import BytesView
from tests.engine.archives.containers import comes_back, contents

GOLDEN = pathlib.Path(__file__).parent / "golden"
FARTHEST = 32_768 - 262
"""How far back zlib looks: ``MAX_DIST``, deflate.h."""


def packed(data: bytes, *way: int) -> bytes:
    inner = PinnedPacker(*way)
    return inner.compress(data) + inner.flush()


@given(
    st.integers(0, 9),
    st.integers(1, 9),
    st.integers(0, 4),
    st.integers(9, 15),
    st.sampled_from(Family),
    st.integers(0, 90_000),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_every_family_packs_what_zlib_unpacks(
    level: int, memory: int, strategy: int, window: int, family: Family, size: int, noisy: bool
) -> None:
    data = os.urandom(size) if noisy else contents(size, size)
    stored = packed(data, level, memory, strategy, window, family)
    assert zlib.decompress(stored, -15) == data


def test_the_sandbox_makes_the_bytes_of_zlib() -> None:
    assert deflate.digest_of(lambda way: PinnedPacker(way[0], way[1], way[2], way[3], Family.ZLIB)) == deflate.STANDARD


def test_families_make_the_bytes_they_always_made() -> None:
    """A change here breaks every recipe that other sites hold."""
    made = {way: zlib.crc32(packed(contents(7, 300_000), *way)) for way in ((9, 8, 0, 15, 1), (6, 9, 0, 15, 2))}
    assert made == {(9, 8, 0, 15, 1): 377998642, (6, 9, 0, 15, 2): 2075589772}


@pytest.mark.parametrize("level", [1, 6, 8, 9])
@pytest.mark.parametrize("memory", [8, 9])
def test_repeats_as_far_back_as_zlib_looks_are_found_just_as_it_finds_them(level: int, memory: int) -> None:
    source = random.Random(level)
    data = bytearray(source.choices(b"ab", k=40_000))
    while len(data) < 400_000:
        if source.random() < 0.7:
            at = len(data) - source.choice([FARTHEST - 1, FARTHEST, FARTHEST + 1, source.randrange(1, FARTHEST)])
            data += data[at : at + source.randrange(3, 20)]
        else:
            data += bytes(source.choices(b"abc", k=source.randrange(1, 40)))
    made = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
    wanted = made.compress(data) + made.flush()
    if not deflate.native_is_used():
        wanted = packed(bytes(data), level, memory, 0, 15, Family.ZLIB)  # another zlib: only that it comes back is known
    stored = packed(bytes(data), level, memory, 0, 15, Family.ZLIB)
    assert stored == wanted
    assert zlib.decompress(stored, -15) == data


@pytest.mark.parametrize("level", [1, 4, 6, 9])
def test_gnu_gzip_comes_back(level: int) -> None:
    data = contents(level, 600_000)
    if shutil.which("gzip") is None:
        if os.environ.get("HAULAGE_NO_SKIP") == "1":
            pytest.fail("gzip is needed and may not be skipped", pytrace=False)
        pytest.skip("gzip is not installed")
    whole = subprocess.run(["gzip", "-nc", f"-{level}"], input=data, capture_output=True, check=True).stdout
    recipe = comes_back(whole)
    assert recipe is not None
    assert recipe.members[0].raw_bytes == len(data)


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.gz")))
def test_kept_files_of_real_writers_come_back(name: str) -> None:
    recipe = comes_back((GOLDEN / name).read_bytes())
    assert recipe is not None
    family = {"node": Family.CHROMIUM, "gnu": Family.GNU_GZIP}[name.split("-")[0]]
    assert recipe.members[0].parameters[-1] == family


def test_without_a_sandbox_what_needs_it_stays_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (GOLDEN / "node-9.gz").read_bytes()
    recipe = look(BytesView(whole), b"")
    assert recipe is not None
    assert fingerprint.needed(recipe) == {fingerprint.FAMILIES}
    assert fingerprint.feasible(recipe, fingerprint.abilities() - {fingerprint.FAMILIES}).members == ()
    for module in (pinned, deflate, fingerprint):
        monkeypatch.setattr(module, "available", lambda: False)
    assert look(BytesView(whole), b"") is None
    assert fingerprint.FAMILIES not in fingerprint.abilities()


def test_a_machine_with_another_zlib_uses_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate, "native_digest", lambda: "0011223344556677")
    monkeypatch.setattr(fingerprint, "native_digest", lambda: "0011223344556677")
    fingerprint.ability.cache_clear()
    assert isinstance(packer(Codec.DEFLATE, (6, 8, 0, 15)), PinnedPacker)
    assert fingerprint.ability(Codec.DEFLATE) == f"deflate-{deflate.STANDARD}"


@pytest.mark.parametrize(
    "way",
    [
        (10, 8, 0, 15, 0),
        (6, 0, 0, 15, 0),
        (6, 10, 0, 15, 1),
        (6, 8, 5, 15, 1),
        (6, 8, 0, 16, 1),
        (6, 8, 0, 15, 3),
        (-1, 8, 0, 15, 1),
    ],
)
def test_parameters_that_cannot_be_are_refused(way: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="parameter"):
        PinnedPacker(*way)


def test_a_stream_ends_once() -> None:
    inner = PinnedPacker(6, 8, 0, 15, 1)
    inner.flush()
    with pytest.raises(ValueError, match="ended"):
        inner.compress(b"x")


def test_streams_that_nobody_ends_leave_their_sandbox_to_others() -> None:
    """Left to the collector, a few thousand would take all address space."""
    kept = [PinnedPacker(6, 8, 0, 15, 1) for _ in range(3)]
    count = len(pinned._idle) + len(kept)
    for _ in range(50):
        PinnedPacker(6, 8, 0, 15, 1).compress(b"x")
        with pytest.raises(ValueError, match="refuses"):
            PinnedPacker(10, 8, 0, 15, 1)
    kept.clear()
    assert len(pinned._idle) <= count + 1


def test_streams_of_several_threads_do_not_meet() -> None:
    data = [contents(seed, 200_000) for seed in range(4)]
    made: dict[int, bytes] = {}

    def run(seed: int) -> None:
        for _ in range(3):
            made[seed] = packed(data[seed], 6, 8, 0, 15, 1)

    threads = [threading.Thread(target=functools.partial(run, seed)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [zlib.decompress(made[seed], -15) for seed in range(4)] == data
    assert all(made[seed] == packed(data[seed], 6, 8, 0, 15, 1) for seed in range(4))


def test_importing_the_room_does_not_start_the_sandbox() -> None:
    code = "import sys, haulage.engine.archives.look, haulage.engine.archives.expand; sys.exit('wasmtime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
