"""Asking whether there are attributes: never "no" where there are some, whatever the kernel can."""

from __future__ import annotations

import os
import pathlib

import pytest

from haulage.engine.trees.attribute_look import look, perhaps
from haulage.engine.trees.local_reader import LocalReader

_SURE = look() is not perhaps


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("bare", "rich"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.txt").write_bytes(b"x")
    for rich in ("rich", "rich.txt"):
        os.setxattr(tmp_path / rich, "user.word", b"1")
    (tmp_path / "link").symlink_to("rich.txt")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "has"),
    [(b"bare", False), (b"bare.txt", False), (b"link", False), (b"rich", True), (b"rich.txt", True), (b"gone", True)],
)
def test_no_is_said_only_where_there_are_none(folder: pathlib.Path, name: bytes, has: bool) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        assert look()(fd, name) is (has or not _SURE)
    finally:
        os.close(fd)


def test_a_machine_without_the_call_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    known = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*known[:4], "z80")))
    assert look() is perhaps


def test_a_reader_finds_every_attribute(folder: pathlib.Path) -> None:
    reader = LocalReader(str(folder))
    found = {entry.path: [item.name for item in entry.attributes] for entry in reader.entries()}
    reader.close()
    rich = {path for path, names in found.items() if names == [b"user.word"]}
    assert rich == {b"rich", b"rich.txt"}
    assert len(found) == 6
