"""Times in columns: most are the base's, or one that was used a moment ago, or as far from the base's as the one before. *Pure.*"""

from __future__ import annotations

from haulage.engine.parcels.structure_columns import Reader, RunReader, RunWriter, bad, folded, put

AS_HELD = 0
"""As expected: the base's, or for a new entry the one before."""
_RECENT = 1
"""And up to ``_RECENT_KEPT`` more: a time given before, the last one first."""
_RECENT_KEPT = 48
SHIFTED = 64
"""As far from the expected as the last one that was given."""
STEPPED = 65
"""As far from the one before as that from the one before it."""
GIVEN = 66
_SECOND = 1_000_000_000
_INT64 = 2**63


class _Past:
    """What writer and reader both know of the times so far."""

    __slots__ = ("before", "given", "recent", "shift", "step")

    def __init__(self) -> None:
        self.recent: list[int] = []
        self.before = 0
        self.step = 0
        self.shift = 0
        self.given = 0

    def saw(self, time: int, expected: int, symbol: int) -> None:
        if symbol:
            self.shift = time - expected
            if symbol != _RECENT:
                self._to_front(time, symbol)
        self.step = time - self.before
        self.before = time

    def _to_front(self, time: int, symbol: int) -> None:
        if symbol < SHIFTED:
            del self.recent[symbol - _RECENT]
        elif time in self.recent:
            self.recent.remove(time)
        self.recent.insert(0, time)
        del self.recent[_RECENT_KEPT:]


class TimeWriter:
    """Writes times into columns of symbols that the caller chooses by what is known of the entry."""

    def __init__(self, seconds: bytearray, nanoseconds: bytearray) -> None:
        self._seconds = seconds
        self._nanoseconds = nanoseconds
        self._past = _Past()

    def add(self, column: RunWriter, time: int, expected: int) -> None:
        """The next time, in ns."""
        past = self._past
        symbol = self._symbol(column.symbol, time, expected)
        column.add(symbol)
        if symbol == GIVEN:
            seconds, nanoseconds = divmod(time, _SECOND)
            put(self._seconds, folded(seconds - past.given))
            put(self._nanoseconds, nanoseconds)
            past.given = seconds
        past.saw(time, expected, symbol)

    def _symbol(self, going_on: int, time: int, expected: int) -> int:
        """How to give a time: best as the one before was given, so that its run goes on."""
        past = self._past
        possible = [AS_HELD] if time == expected else []
        if time in past.recent:
            possible.append(_RECENT + past.recent.index(time))
        if time == expected + past.shift:
            possible.append(SHIFTED)
        if time == past.before + past.step:
            possible.append(STEPPED)
        if not possible:
            return GIVEN
        return going_on if going_on in possible else possible[0]


class TimeReader:
    """Reads what :class:`TimeWriter` wrote."""

    def __init__(self, seconds: Reader, nanoseconds: Reader) -> None:
        self._seconds = seconds
        self._nanoseconds = nanoseconds
        self._past = _Past()

    def next(self, column: RunReader, expected: int) -> int:
        """The next time, in ns."""
        past, symbol = self._past, column.next()
        if symbol == AS_HELD:
            time = expected
        elif symbol <= len(past.recent):
            time = past.recent[symbol - _RECENT]
        elif symbol == SHIFTED:
            time = expected + past.shift
        elif symbol == STEPPED:
            time = past.before + past.step
        elif symbol == GIVEN:
            past.given += self._seconds.signed()
            nanoseconds = self._nanoseconds.number()
            if nanoseconds >= _SECOND:
                raise bad("a time has too many nanoseconds")
            time = past.given * _SECOND + nanoseconds
        else:
            raise bad("a time is given in a way that is unknown here")
        if not -_INT64 <= time < _INT64:
            raise bad("a time is out of range")
        past.saw(time, expected, symbol)
        return time

    def state(self) -> tuple[int, ...]:
        """All that is needed to go on from here."""
        past = self._past
        return (past.before, past.step, past.shift, past.given, *past.recent)

    def go_on(self, state: tuple[int, ...]) -> None:
        """Be where ``state`` was taken."""
        past = self._past
        past.before, past.step, past.shift, past.given = state[:4]
        past.recent = list(state[4:])
