"""The scrub: everything is read within the period, at the rate, going on where it was; what was found is looked at first."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.content.model import ChunkId
from haulage.engine.content.scrub import FIRST_SECONDS, RESUME_SECONDS, Scrub
from haulage.engine.content.scrub_state import ScrubState, decode_scrub, encode_scrub, load_scrub
from haulage.engine.content.store import LocalStore
from haulage.testing.clock import HandClock
from tests.engine.content.store.promises import NOW, put_all, some
from tests.engine.content.store.test_damage import flip
from tests.engine.content.store.test_local_store import SMALL

PERIOD = dt.timedelta(days=30)
RATE = 1000


class Run:
    """A store of several packs, and its scrub on a clock moved by hand."""

    def __init__(self, folder: Path, clock: HandClock, *, packs: int = 4, stop_after: int | None = None) -> None:
        self.store = LocalStore(folder / "store", settings=SMALL)
        for number in range(packs):
            with self.store.session("test") as session:
                put_all(session, [some(100 * number + seed, 300) for seed in range(4)])
        self.clock = clock
        self.paused = 0.0
        self.ended: list[ScrubState] = []
        self.scrub = self.again()

    def again(self) -> Scrub:
        """As a new process makes it."""

        def pause(seconds: float) -> bool:
            self.paused += seconds
            self.clock.move(seconds)
            return False

        return Scrub(
            self.store,
            self.store.scrub_path,
            self.clock,
            period=PERIOD,
            rate_bytes=RATE,
            pause=pause,
            on_end=self.ended.append,
        )

    def until(self, done: Callable[[], bool], scrub: Scrub | None = None) -> None:
        for _turn in range(20_000):
            if done():
                return
            self.clock.move((scrub or self.scrub).turn())
        raise AssertionError("it never ended")


def test_everything_is_read_at_the_rate(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW))
    with contextlib.closing(run.store):
        assert run.scrub.turn() == FIRST_SECONDS, "a server that only just started has other things to do"
        run.until(lambda: bool(run.ended))
        (state,) = run.ended
        packed = sum(path.stat().st_size for path in (tmp_path / "store" / "packs").glob("*.pack"))
        assert packed * 0.5 < state.bytes <= packed
        assert run.paused >= state.bytes / RATE
        assert state.damages == 0
        assert state.finished is not None
        begun = run.clock.now()
        run.until(lambda: len(run.ended) == 2)
        assert PERIOD * 0.7 < run.clock.now() - begun < PERIOD


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW))
    with contextlib.closing(run.store):
        names = sorted(path.stem for path in (tmp_path / "store" / "packs").glob("*.pack"))
        run.clock.move(FIRST_SECONDS)
        run.until(lambda: run.scrub.state.next == names[2])
        run.clock.move(60)
        run.scrub.turn()  # saved, since it is some time ago
        kept = load_scrub(run.store.scrub_path)
        assert kept is not None
        assert kept.next >= names[2]
        before = run.scrub.state.bytes
        second = run.again()
        assert second.turn() == RESUME_SECONDS
        run.until(lambda: bool(run.ended), second)
        assert run.ended[0].bytes >= before
        once = sum(path.stat().st_size for path in (tmp_path / "store" / "packs").glob("*.pack"))
        assert run.ended[0].bytes <= once, "nothing is read twice"


def test_i15_what_rots_unread_is_found_within_the_period(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW))
    with contextlib.closing(run.store):
        run.until(lambda: len(run.ended) == 1)
        rotten = sorted((tmp_path / "store" / "packs").glob("*.pack"))[1]
        flip(rotten, rotten.stat().st_size - 100)
        since = run.clock.now()
        run.until(lambda: bool(run.store.unsound()))
        assert run.clock.now() - since < PERIOD
        run.until(lambda: len(run.ended) == 2)
        assert run.ended[1].damages == 1
        assert run.ended[1].unsound == (rotten.stem,)


def test_after_a_restart_known_damage_is_found_again_first(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW))
    rotten = sorted((tmp_path / "store" / "packs").glob("*.pack"))[3]
    flip(rotten, rotten.stat().st_size - 100)
    run.until(lambda: len(run.ended) == 1)
    run.store.close()
    run.store = LocalStore(tmp_path / "store", settings=SMALL)
    with contextlib.closing(run.store):
        assert run.store.damaged() == list[ChunkId](), "a new process has not looked yet"
        scrub = run.again()
        run.until(lambda: bool(run.store.damaged()), scrub)
        assert scrub.state.next == "", "before anything else of the pass"


def late_days(run: Run) -> int:
    late = run.scrub.late
    return late.days if late else 0


def test_late_is_said_when_it_does_not_come_round(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW))
    with contextlib.closing(run.store):
        assert late_days(run) == 0
        run.clock.move(PERIOD.total_seconds() + 86_400)
        assert late_days(run) == 31
        run.until(lambda: bool(run.ended))
        assert late_days(run) == 0


def test_i18_a_clock_put_back_does_not_keep_the_store_unread(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW + dt.timedelta(days=3650)))
    with contextlib.closing(run.store):
        run.until(lambda: len(run.ended) == 1)
        run.clock.set_wall(NOW)
        since = run.clock.now()
        run.until(lambda: len(run.ended) == 2)
        assert run.clock.now() - since < PERIOD


def test_f5_each_byte_of_its_file_is_found_and_costs_only_a_new_beginning(tmp_path: Path) -> None:
    run = Run(tmp_path, HandClock(NOW), packs=1)
    with contextlib.closing(run.store):
        run.until(lambda: len(run.ended) == 1)
        path = Path(run.store.scrub_path)
        data = path.read_bytes()
        for offset in range(len(data)):
            flip(path, offset)
            assert [damage.where for damage in run.store.check().damages] == [str(path)]
            assert load_scrub(str(path)) is None
            flip(path, offset)
        assert not run.store.check().damages
        path.write_bytes(b"")
        assert run.again().state.finished is None


moments = st.datetimes(min_value=dt.datetime(2000, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001  (the strategy adds it)
names = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(
    st.builds(
        ScrubState,
        since=moments,
        began=st.none() | moments,
        next=st.just("") | names,
        bytes=st.integers(0, 10**17),
        damages=st.integers(0, 10**9),
        finished=st.none() | moments,
        unsound=st.lists(names, max_size=4).map(tuple),
    )
)
def test_what_is_written_is_read_back(state: ScrubState) -> None:
    assert decode_scrub(encode_scrub(state)) == state
