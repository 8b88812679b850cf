"""Each level picks what suits the bytes; what is moved, foretold or packed already is seen."""

from __future__ import annotations

import random

from haulage.engine.delta.encoding import BATCH_NEW_BYTES, BATCH_OLD_BYTES, Method, encode, memory_needed
from haulage.engine.delta.hdiff import make_hdiff
from haulage.engine.delta.level import Level
from haulage.engine.delta.packing import pack_lzma
from haulage.engine.delta.probe import looks_packed, looks_text
from haulage.testing.fuzzing.delta_targets import moved_code

NOISE = random.Random(9).randbytes(200_000)
WORDS = b" ".join(random.Random(3).choices([b"alpha", b"beta", b"gamma", b"delta", b"\n"], k=40_000))


def test_moved_code_costs_less_than_by_matching_alone() -> None:
    old, new = moved_code()
    matched = len(pack_lzma(make_hdiff(old, new)))
    for level in (Level.SMALLEST, Level.BALANCED):
        method, payload = encode(old, new, level=level, text=False)
        assert method is Method.PREDICTED
        assert len(payload) < matched * 0.8


def test_each_level_costs_at_most_what_the_faster_one_does() -> None:
    for old, new, text in ((*moved_code(), False), (WORDS, WORDS[5000:90_000] + b"new" + WORDS[100:60_000], True)):
        fast, balanced, smallest = (len(encode(old, new, level=level, text=text)[1]) for level in Level)
        assert smallest - 16 <= balanced <= fast


def test_what_cannot_get_smaller_is_stored() -> None:
    for level in Level:
        assert encode(b"", NOISE, level=level, text=False) == (Method.STORED, NOISE)
        assert encode(WORDS, b"", level=level, text=True) == (Method.STORED, b"")


def test_without_old_bytes_a_plain_compressor_is_used() -> None:
    for level in Level:
        method, payload = encode(b"", WORDS, level=level, text=True)
        assert method in (Method.ZSTD, Method.LZMA)
        assert len(payload) < len(WORDS) // 4


def test_packed_and_text_are_told_by_a_look() -> None:
    assert looks_packed(NOISE)
    assert looks_packed(NOISE[:1000])
    assert not looks_packed(WORDS)
    assert not looks_packed(b"")
    assert not looks_packed(WORDS + NOISE)
    assert looks_text(WORDS)
    assert not looks_text(b"\x7fELF\0\0")


def test_two_batches_of_the_largest_size_fit_the_memory_there_is() -> None:
    for kind, new in BATCH_NEW_BYTES.items():
        old = BATCH_OLD_BYTES[kind]
        assert all(2 * (old + new + memory_needed(old, new, level)) < 420 * 1024 * 1024 for level in Level)
