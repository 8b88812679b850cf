"""Agreement of bytes, against the obvious way; fine fingerprints find what moved."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.delta.agreement import common_prefix, common_suffix
from haulage.engine.delta.fine import ID_BYTES, MAX_BYTES, SKETCH_SIZE, fine_cuts, similarity, sketch

NOISE = random.Random(1).randbytes(600_000)


def _slowly(a: bytes, b: bytes) -> int:
    return next((at for at, (left, right) in enumerate(zip(a, b, strict=False)) if left != right), min(len(a), len(b)))


@given(st.binary(max_size=400), st.binary(max_size=9), st.binary(max_size=9), st.booleans())
def test_agreement_is_what_comparing_bytes_says(same: bytes, left: bytes, right: bytes, views: bool) -> None:
    a, b = same + left, same + right
    wrap = memoryview if views else bytes
    assert common_prefix(wrap(a), wrap(b)) == _slowly(a, b)
    assert common_suffix(wrap(a[::-1]), wrap(b[::-1])) == _slowly(a, b)


def test_agreement_over_long_bytes() -> None:
    for at in (0, 1, 63, 64, 65, 131_072, 300_001, len(NOISE) - 1):
        other = bytearray(NOISE)
        other[at] ^= 1
        assert common_prefix(NOISE, other) == at
        assert common_suffix(NOISE, other) == len(NOISE) - 1 - at
    assert common_prefix(NOISE, NOISE) == len(NOISE)


def test_fine_pieces_cover_the_content_and_are_found_again_where_they_moved() -> None:
    cuts = fine_cuts(NOISE)
    assert [offset for offset, _, _ in cuts] == [sum(length for _, length, _ in cuts[:at]) for at in range(len(cuts))]
    assert sum(length for _, length, _ in cuts) == len(NOISE)
    assert all(0 < length <= MAX_BYTES and len(ident) == ID_BYTES for _, length, ident in cuts)
    moved = {ident for _, _, ident in fine_cuts(b"in front of it" + NOISE[200_001:])}
    tail = [ident for offset, _, ident in cuts if offset > 220_000]
    assert sum(ident in moved for ident in tail) > len(tail) * 0.95
    assert fine_cuts(b"") == []


def test_sketches_tell_how_alike_contents_are() -> None:
    half = NOISE[:300_000] + random.Random(2).randbytes(300_000)
    other = random.Random(3).randbytes(600_000)
    assert similarity(sketch(NOISE), sketch(NOISE)) == 1.0
    assert 0.15 < similarity(sketch(NOISE), sketch(half)) < 0.55
    assert similarity(sketch(NOISE), sketch(other)) == 0.0
    assert similarity(sketch(NOISE), sketch(b"")) == 0.0
    assert len(sketch(NOISE)) == SKETCH_SIZE
