"""Work done by a few threads within a bound of memory, results in the order of the jobs. Knows no work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Job], Result], jobs: Iterable[Job], need: Callable[[Job], int], *, threads: int, limit_bytes: int
) -> Generator[tuple[Job, Result], None, None]:
    """Each job with its result. Jobs are drawn in the caller's thread, and begun while all that is under way needs no more than
    ``limit_bytes``; what needs more by itself runs alone, and one more is drawn meanwhile. Without threads everything happens in
    the caller's. The first error ends it, after what is running has ended."""
    if not threads:
        for job in jobs:
            yield job, work(job)
        return
    running: deque[tuple[Job, int, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="parcel")
    try:
        for job in jobs:
            size = need(job)
            while running and (len(running) >= threads or sum([one[1] for one in running]) + size > limit_bytes):
                first, _size, future = running.popleft()
                yield first, future.result()
            running.append((job, size, pool.submit(work, job)))
            del job
        while running:
            first, _size, future = running.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
