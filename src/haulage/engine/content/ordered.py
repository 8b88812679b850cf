"""Work done by a few threads, its results taken in the order of the tasks, a bounded number under way. Knows no work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Task], Result], tasks: Iterable[Task], *, threads: int, light: Callable[[Task], bool] = lambda _: False
) -> Generator[tuple[Task, Result], None, None]:
    """Each task with its result. Tasks are drawn in the caller's thread, at most ``threads + 1`` ahead of the results taken; with
    no threads everything happens in the caller's (the simulation), and so do ``light`` tasks, those of many short calls into the
    system: threads that make such calls mostly wait for one another. The first error ends it, after what is running has ended."""
    if not threads:
        for task in tasks:
            yield task, work(task)
        return
    waiting: deque[tuple[Task, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="content")
    try:
        for task in tasks:
            waiting.append((task, _done(work, task) if light(task) else pool.submit(work, task)))
            if len(waiting) > threads:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _done(work: Callable[[Task], Result], task: Task) -> Future[Result]:
    done: Future[Result] = Future()
    try:
        done.set_result(work(task))
    except Exception as error:
        done.set_exception(error)
    return done
