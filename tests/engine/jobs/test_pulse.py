"""When a queue looks: at once for what is handed over, and never while nothing is there."""

from __future__ import annotations

import threading

from haulage.engine.jobs.pulse import Pulse

LONG_SECONDS = 3600.0


class _Waiter:
    """A thread that waits as a queue does."""

    def __init__(self, pulse: Pulse) -> None:
        self.answers: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.answers.append(pulse.wait(LONG_SECONDS)), daemon=True)
        self._thread.start()

    def ended(self) -> bool:
        self._thread.join(30)
        return not self._thread.is_alive()


def test_what_is_handed_over_wakes_a_queue_that_would_wait_for_long() -> None:
    pulse = Pulse(threading.Event(), lambda: False)
    waiter = _Waiter(pulse)
    while not waiter.answers:
        pulse.wake()
    assert waiter.ended()
    assert waiter.answers == [False]


def test_a_busy_queue_looks_again_soon_by_itself() -> None:
    waiter = _Waiter(Pulse(threading.Event(), lambda: True))
    assert waiter.ended()
    assert waiter.answers == [False]


def test_the_end_is_told_to_those_who_wait_and_those_who_come() -> None:
    pulse = Pulse(threading.Event(), lambda: False)
    waiter = _Waiter(pulse)
    pulse.stop()
    assert waiter.ended()
    assert waiter.answers == [True]
    assert pulse.wait(LONG_SECONDS)
    assert pulse.is_set()


def test_the_librarys_own_word_to_stop_counts_too() -> None:
    stop = threading.Event()
    stop.set()
    assert Pulse(stop, lambda: False).wait(LONG_SECONDS)
