"""Work done by a few threads, its results taken in order, the weight of what is under way bounded. Knows no work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def in_lanes(tasks: Iterable[tuple[int, Callable[[], Result]]], *, threads: int, most_weight: int) -> Generator[Result, None, None]:
    """The result of each task. Tasks come with their weight and are drawn in the caller's thread, a few ahead of the results
    taken, as many as weigh no more than ``most_weight`` together, or one. A task heavier than that, and with fewer than two threads
    every task, runs in the caller's thread when its turn comes. The first error ends it, after what is running has ended."""
    waiting: deque[tuple[int, Callable[[], Result]]] = deque()
    weight = 0
    pool = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="archives")
    try:
        for size, task in tasks:
            while waiting and (weight + size > most_weight or len(waiting) > 2 * threads):
                weight -= waiting[0][0]
                yield waiting.popleft()[1]()
            alone = threads < 2 or size > most_weight
            waiting.append((size, task if alone else pool.submit(task).result))
            weight += size
        while waiting:
            yield waiting.popleft()[1]()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
