"""After an fsync that failed nothing is believed: the kernel counts the pages as clean, and a second fsync succeeds whatever is on
the disk. What was promised before stays, what was not is written anew."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from haulage.base.errors import TransferError
from haulage.base.files import watching_steps
from haulage.engine.content.store import LocalStore
from haulage.testing.faulty_disk import BROKEN, FaultyDisk
from tests.engine.content.store.promises import put_all, some
from tests.engine.content.store.test_local_store import SMALL

PIECES = [some(seed, 400) for seed in range(8)]


def failing(names: tuple[str, ...], number: int = errno.EIO) -> Callable[[str], None]:
    def step(name: str) -> None:
        if name in names:
            raise OSError(number, os.strerror(number))

    return step


def test_what_was_never_durable_is_not_visible_after_a_failed_fsync(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("first") as session:
            kept = put_all(session, PIECES[:4])
            session.checkpoint()
            lost = put_all(session, PIECES[4:])
            with pytest.raises(TransferError, match="Input/output error"), watching_steps(failing(("pack-fsync",))):
                session.checkpoint()
            session.abort()
        assert not store.missing(kept)
        assert store.missing(lost) == set(lost), "an fsync that succeeds later proves nothing about them"
        assert not store.check().damages
        with store.session("again") as session:
            put_all(session, PIECES[4:])
        assert not store.missing(kept + lost)
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        assert not store.missing(kept + lost)
        assert not store.check().damages


def test_what_was_durable_before_is_read_from_the_disk_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk lost a page it had taken before: found at once, not when somebody needs it."""
    asked: list[tuple[int, int, int]] = []
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("first") as session:
            kept = put_all(session, PIECES[:4])
            session.checkpoint()
            (pack,) = (tmp_path / "store" / "packs").glob("*.pack")
            with open(pack, "r+b") as file:
                file.seek(pack.stat().st_size - 10)
                file.write(b"\0" * 10)
            put_all(session, PIECES[4:])
            monkeypatch.setattr(os, "posix_fadvise", lambda fd, _start, _size, advice: asked.append((fd, 0, advice)))
            with pytest.raises(TransferError), watching_steps(failing(("pack-fsync",))):
                session.checkpoint()
            session.abort()
        assert os.POSIX_FADV_DONTNEED in {advice for _fd, _zero, advice in asked}
        damaged = store.damaged()
        assert damaged
        assert set(damaged) <= set(kept)
        assert store.unsound() == [pack.stem]


def test_recovering_a_pack_reads_the_disk_and_not_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "store", settings=SMALL)
    session = store.session("killed").__enter__()
    put_all(session, PIECES)
    session.checkpoint()
    store.close()
    dropped: list[int] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _fd, _start, _size, advice: dropped.append(advice))
    LocalStore(tmp_path / "store", settings=SMALL).close()
    assert dropped == [os.POSIX_FADV_DONTNEED]


def test_a_step_that_fails_is_counted_once() -> None:
    disk = FaultyDisk(BROKEN, 1)
    with disk.failing():
        disk.step("write")
        with pytest.raises(OSError, match="Input/output"):
            disk.step("fsync")
        disk.step("rename")
    assert disk.seen == ["write", "fsync", "rename"]
