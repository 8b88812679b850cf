"""The rate of a line, by a clock moved by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.domain.transit.line_rate import ENOUGH_BYTES, LineRate, Measured, total
from haulage.testing.clock import HandClock

MIB = 1024 * 1024


def _line(clock: HandClock, rate: float, pieces: int, size: int = MIB // 4) -> Iterator[bytes]:
    for _piece in range(pieces):
        clock.move(size / rate)
        yield bytes(size)


def _transfer(line: LineRate, pieces: Iterator[bytes]) -> None:
    parts: list[Measured] = []
    for _piece in line.watch(pieces, parts):
        pass
    line.learn(total(parts))


@pytest.mark.parametrize("rate", [8_000, 125_000, 1_250_000, 125_000_000])
def test_a_rate_is_what_came_in_the_time_it_took(rate: int) -> None:
    clock = HandClock()
    line = LineRate(clock)
    assert line.bytes_per_second == 0
    _transfer(line, _line(clock, rate, 16))
    assert line.bytes_per_second == pytest.approx(rate, rel=0.01)


def test_what_came_while_nobody_waited_says_nothing_of_the_line() -> None:
    """A receiver works on each piece for ten seconds; the next one waits for it then, or most of the next eight do."""
    clock = HandClock()
    line = LineRate(clock)
    parts: list[Measured] = []

    def buffered() -> Iterator[bytes]:
        for number in range(64):
            if number % 8 == 0:
                clock.move(2.0)
            yield bytes(MIB)

    for number, _piece in enumerate(line.watch(buffered(), parts)):
        if number % 8 == 6:
            clock.move(10.0)
    line.learn(total(parts))
    assert 0.4 * MIB < line.bytes_per_second < 4 * MIB


def test_too_little_is_not_a_measurement() -> None:
    clock = HandClock()
    line = LineRate(clock)
    _transfer(line, _line(clock, 10 * MIB, 1, size=1000))
    assert line.bytes_per_second == 0
    _transfer(line, _line(clock, 1000, 1, size=3000))
    assert line.bytes_per_second > 0


def test_a_line_that_became_slow_is_known_to_be_slow_after_some_transfers() -> None:
    clock = HandClock()
    line = LineRate(clock, rate=100 * MIB)
    assert line.bytes_per_second == 100 * MIB
    for _transfer_number in range(8):
        _transfer(line, _line(clock, 50_000, 4))
    assert line.bytes_per_second == pytest.approx(50_000, rel=0.5)


def test_an_answer_that_breaks_off_is_measured_as_far_as_it_came() -> None:
    clock = HandClock()
    line = LineRate(clock)
    parts: list[Measured] = []
    pieces = line.watch(_line(clock, 100_000, 100), parts)
    for _number in range(10):
        next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert parts[0].size == 10 * MIB // 4
    assert total(parts).rate == pytest.approx(100_000, rel=0.01)
    assert parts[0].size >= ENOUGH_BYTES
