"""What is encoded decodes to itself, at every level and of every kind; what is hostile is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.delta.encoding import decode, encode
from haulage.engine.delta.level import Level

_PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda seed, size: random.Random(seed).randbytes(size), st.integers(0, 5), st.integers(0, 3000)),
    st.builds(lambda unit, times: unit * times, st.binary(min_size=1, max_size=5), st.integers(0, 600)),
    st.builds(
        lambda words: " ".join(words).encode(), st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta\n"]), max_size=300)
    ),
)


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Old bytes, and new ones made of them by edits, insertions, moves and repeats; or of nothing they share."""
    old = b"".join(draw(st.lists(_PIECES, max_size=6)))
    parts: list[bytes] = []
    for _ in range(draw(st.integers(0, 6))):
        if old and draw(st.booleans()):
            start = draw(st.integers(0, len(old) - 1))
            part = bytearray(old[start : start + draw(st.integers(1, 4000))])
            for _ in range(draw(st.integers(0, 3))):
                part[draw(st.integers(0, len(part) - 1))] ^= draw(st.integers(1, 255))
            parts.append(bytes(part))
        else:
            parts.append(draw(_PIECES))
    return old, b"".join(parts)


@pytest.mark.parametrize("level", Level)
@settings(max_examples=60, deadline=None)
@given(pair=_pairs(), text=st.booleans())
def test_decodes_to_itself(level: Level, pair: tuple[bytes, bytes], text: bool) -> None:
    old, new = pair
    method, payload = encode(old, new, level=level, text=text)
    assert decode(method, old, payload, len(new)) == new
    assert len(payload) <= len(new)
    assert (method, payload) == encode(old, new, level=level, text=text)
