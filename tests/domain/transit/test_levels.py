"""Which level an update is made at: a table of lines and sizes, and what must hold for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.domain.transit.levels import AUTO, MIB, PACES, at_least, choose_level, expected_wire, seconds_at
from haulage.engine.delta.level import Level

KBIT = 1000 // 8
MBIT = 1000 * KBIT


@pytest.mark.parametrize(
    ("rates", "bytes_new", "level"),
    [
        # One receiver: the slower the line, the more it is worth to be small.
        ([64 * KBIT], 10 * MIB, Level.SMALLEST),
        ([512 * KBIT], 100 * MIB, Level.SMALLEST),
        ([4 * MBIT], 100 * MIB, Level.SMALLEST),
        ([10 * MBIT], 100 * MIB, Level.BALANCED),
        ([50 * MBIT], 100 * MIB, Level.BALANCED),
        ([1000 * MBIT], 100 * MIB, Level.FAST),
        ([1000 * MBIT], 20_000 * MIB, Level.FAST),
        # Made once, sent to many.
        ([10 * MBIT] * 10, 100 * MIB, Level.SMALLEST),
        ([200 * MBIT], 100 * MIB, Level.FAST),
        ([200 * MBIT] * 10, 100 * MIB, Level.BALANCED),
        # One slow line among fast ones decides.
        ([1000 * MBIT] * 20 + [512 * KBIT], 100 * MIB, Level.SMALLEST),
        # Nothing is known of the line: small ones as small as they get, large ones in time.
        ([0], 5 * MIB, Level.SMALLEST),
        ([], 5 * MIB, Level.SMALLEST),
        ([0], 65 * MIB, Level.BALANCED),
        ([0, 0], 20_000 * MIB, Level.BALANCED),
        # Who is not measured counts as the slowest of the others.
        ([512 * KBIT, 0], 100 * MIB, Level.SMALLEST),
        ([1000 * MBIT, 0], 100 * MIB, Level.FAST),
    ],
)
def test_the_level_follows_the_line(rates: list[int], bytes_new: int, level: Level) -> None:
    assert choose_level(AUTO, rates, bytes_new).level is level


@pytest.mark.parametrize("level", list(Level))
def test_a_setting_decides_whatever_the_line_is(level: Level) -> None:
    choice = choose_level(level.value, [64 * KBIT, 1000 * MBIT], 100 * MIB)
    assert choice.level is level
    assert "updates.level" in choice.why


@given(st.lists(st.integers(0, 10**10), max_size=5), st.integers(0, 10**12), st.booleans())
def test_a_slower_line_or_another_receiver_never_makes_it_larger(rates: list[int], bytes_new: int, based: bool) -> None:
    before = choose_level(AUTO, rates, bytes_new, based=based).level
    if any(rates):
        slower = [rate // 2 or rate for rate in rates]
        assert at_least(choose_level(AUTO, slower, bytes_new, based=based).level, before)
        assert at_least(choose_level(AUTO, [*rates, max(rates)], bytes_new, based=based).level, before)


def test_a_smaller_level_takes_longer_and_brings_less() -> None:
    fast, balanced, smallest = (PACES[level] for level in (Level.FAST, Level.BALANCED, Level.SMALLEST))
    assert fast.bytes_per_second > balanced.bytes_per_second > smallest.bytes_per_second
    assert fast.updated > balanced.updated > smallest.updated
    assert fast.whole > balanced.whole > smallest.whole
    assert seconds_at(Level.FAST, 10 * MBIT, 100 * MIB, based=True)[0] < seconds_at(Level.FAST, 10 * MBIT, 100 * MIB, based=True)[1]
    assert expected_wire(Level.SMALLEST, 0, based=True) == 0


@pytest.mark.parametrize(("bytes_new", "level"), [(5 * MIB, Level.SMALLEST), (9 * MIB, Level.FAST), (20_000 * MIB, Level.FAST)])
def test_a_new_site_does_not_wait_for_what_little_can_be_saved(bytes_new: int, level: Level) -> None:
    assert choose_level(AUTO, [0], bytes_new, based=False).level is level
