"""Durable writes that were killed leave a file that is known for what it is, and only that is cleared away."""

from __future__ import annotations

from pathlib import Path

import pytest

from haulage.base.files import acknowledge, clear_unfinished, is_unfinished, unlink, watching_steps, write_durable


class Killed(BaseException):
    """The process is gone."""


def test_f1_i12_what_a_killed_write_leaves_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    others = {".hidden", "file.tmp", ".file.0123456.tmp", ".file.0123456g.tmp", "file.01234567.tmp"}
    for name in others:
        (tmp_path / name).write_bytes(b"x")

    def die(name: str) -> None:
        if name in ("fsync", "unlink"):
            raise Killed

    with watching_steps(die), pytest.raises(Killed):
        write_durable(tmp_path / "file", b"half")
    (tmp_path / ".file.01234567.tmp").write_bytes(b"half")
    left = {path.name for path in tmp_path.iterdir()} - others
    assert left
    assert all(is_unfinished(name) for name in left)
    assert clear_unfinished(tmp_path) == len(left)
    assert {path.name for path in tmp_path.iterdir()} == others
    assert clear_unfinished(tmp_path / "absent") == 0


def test_every_act_is_one_named_step(tmp_path: Path) -> None:
    steps: list[str] = []
    with watching_steps(steps.append):
        write_durable(tmp_path / "file", b"data")
        assert unlink(tmp_path / "file")
        assert not unlink(tmp_path / "file")
        acknowledge()
    assert steps == ["write", "fsync", "rename", "fsync-folder", "unlink", "unlink", "acknowledge"]
