"""Work within a bound of memory: in order, all of it, never more than allowed at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.parcels.side_by_side import side_by_side


@given(sizes=st.lists(st.integers(0, 12), max_size=20), threads=st.integers(0, 3), limit=st.integers(0, 15))
def test_all_in_order_and_within_the_bound(sizes: list[int], threads: int, limit: int) -> None:
    lock, now, most = threading.Lock(), dict[int, int](), list[tuple[int, int]]()

    def work(job: tuple[int, int]) -> int:
        with lock:
            now[job[0]] = job[1]
            most.append((sum(now.values()), len(now)))
        with lock:
            del now[job[0]]
        return job[0] * 10

    jobs = list(enumerate(sizes))
    found = list(side_by_side(work, jobs, lambda job: job[1], threads=threads, limit_bytes=limit))
    assert found == [(job, job[0] * 10) for job in jobs]
    assert all(total <= limit or count == 1 for total, count in most)
    assert all(count <= max(1, threads) for _total, count in most)


def test_what_is_under_way_is_what_counts() -> None:
    drawn, done = 0, 0

    def jobs() -> Iterator[int]:
        nonlocal drawn
        for job in range(20):
            drawn += 1
            assert drawn - done <= 3
            yield job

    for _job, _result in side_by_side(lambda job: job, jobs(), lambda _: 10, threads=2, limit_bytes=25):
        done += 1
    assert done == 20


def test_the_first_error_ends_it() -> None:
    def work(job: int) -> int:
        return 1 // (3 - job)

    with pytest.raises(ZeroDivisionError):
        list(side_by_side(work, range(100), lambda _: 1, threads=2, limit_bytes=10))
