"""When the server takes a backup by itself."""

from __future__ import annotations

import datetime as dt

from haulage.base.errors import TransferError
from haulage.server.backups import AGAIN, BackupOrder, Schedule
from haulage.testing.clock import HandClock

DAY = dt.timedelta(days=1)
ORDER = BackupOrder(target="/backups", keep=3)


class Taker:
    """Takes, or fails."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.taken: list[dt.datetime] = []
        self.tries = 0
        self.fails = False

    def __call__(self, order: BackupOrder, actor: str) -> dict[str, object]:
        assert (order, actor) == (ORDER, "schedule")
        self.tries += 1
        if self.fails:
            raise TransferError("backup-no-space", "No space.", "")
        self.taken.append(self.clock.now())
        return {}

    def last(self) -> dt.datetime | None:
        return self.taken[-1] if self.taken else None


def _schedule(order: BackupOrder | None = ORDER) -> tuple[Schedule, Taker, HandClock]:
    clock = HandClock()
    taker = Taker(clock)
    return Schedule(clock=clock, every=DAY, order=order, take=taker, last=taker.last), taker, clock


def test_a_backup_is_taken_when_the_last_one_is_old_enough() -> None:
    schedule, taker, clock = _schedule()
    assert [schedule.turn(), schedule.turn()] == [True, False]
    clock.move(DAY.total_seconds() - 1)
    assert not schedule.turn()
    clock.move(2)
    assert schedule.turn()
    assert len(taker.taken) == 2


def test_none_is_taken_where_none_is_asked_for() -> None:
    schedule, taker, clock = _schedule(None)
    clock.move(10 * DAY.total_seconds())
    assert not schedule.turn()
    assert taker.tries == 0


def test_i14_one_that_fails_is_tried_again_within_the_hour_and_not_sooner() -> None:
    schedule, taker, clock = _schedule()
    taker.fails = True
    for _turn in range(100):
        schedule.turn()
        clock.move(30)
    assert taker.tries == 1
    clock.move(AGAIN.total_seconds())
    taker.fails = False
    assert schedule.turn()


def test_f46_a_clock_put_back_delays_no_backup() -> None:
    schedule, taker, _clock = _schedule()
    assert schedule.turn()
    taker.taken[-1] += 400 * DAY
    assert schedule.turn(), "the last one lies in the future: its time was wrong"
