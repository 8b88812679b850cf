"""The disk refuses one durable step, whichever: the fix is undone, or its end is made up for by the next start (I12, I13)."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from haulage.engine.servicing import durable
from haulage.engine.servicing.errors import ServicingError
from haulage.testing.crash_points.press import RUNNING
from haulage.testing.crash_points.trial import memory_folder
from tests.engine.servicing.around import Press

LONG = os.environ.get("HAULAGE_LONG") == "1"
STRIDE = 1 if LONG else 9


@contextlib.contextmanager
def _fresh(prepare: Callable[[Press], object]) -> Iterator[Press]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        press = Press(Path(folder))
        prepare(press)
        yield press


def _steps(prepare: Callable[[Press], object], act: Callable[[Press], object]) -> int:
    names: list[str] = []
    with _fresh(prepare) as press, durable.watching_steps(names.append):
        act(press)
    return len(names)


def _contents(press: Press) -> dict[str, tuple[bytes, int]]:
    """Without times, of which a new file has its own, and so has the record of it."""
    return {path: facts[:2] for path, facts in press.everything().items() if path != ".servicing/record.json"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("what", ["install", "uninstall"])
def test_i13_any_step_that_the_disk_refuses_ends_as_before_or_as_after(what: str, code: int) -> None:
    def prepare(press: Press) -> object:
        return press.install() if what == "uninstall" else None

    def act(press: Press) -> object:
        return press.install() if what == "install" else press.uninstall()

    with _fresh(prepare) as press:
        before = _contents(press)
        act(press)
        after = _contents(press)
    ends = []
    for point in range(1, _steps(prepare, act) + 1, STRIDE):
        left = [point]

        def refuse(_name: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(code, os.strerror(code), "the disk")

        with _fresh(prepare) as press:
            with durable.watching_steps(refuse), contextlib.suppress(ServicingError, OSError):
                act(press)
            assert left[0] <= 0
            press.check()
            ends.append(_contents(press))
            assert ends[-1] in (before, after), f"at step {point}"
            assert press.around.running() == set(RUNNING), f"at step {point}"
    assert before in ends
    if LONG:
        assert after in ends


def test_i13_the_error_names_the_disk() -> None:
    def refuse(name: str) -> None:
        if name == "stop-service":
            raise OSError(errno.ENOSPC, "No space left on device", "the disk")

    with _fresh(lambda _press: None) as press, durable.watching_steps(refuse), pytest.raises(ServicingError) as failed:
        press.install()
    assert failed.value.code == "disk-failed"
    assert failed.value.message == "the disk: No space left on device."
