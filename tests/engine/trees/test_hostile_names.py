"""Names that some places cannot hold or tell apart: nothing is lost or overwritten, each is named. Extreme facts of files."""

from __future__ import annotations

import contextlib
import errno
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haulage.base.errors import FormatError, TransferError
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.restore import restore
from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Entry, EntryType, Omission
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import shown
from haulage.testing.clock import HandClock
from haulage.testing.folders import describe, local_owner, posix_acl

WINDOWS_RESERVED = [
    b"CON", b"nul.txt", "COM¹".encode(), b"CONIN$", b"trailing dot.", b"trailing space ", b"a:b", b"a:b:$DATA", b"x<y", b"x>y",
    b'"q"', b"p|q", b"what?", b"st*r", b"bell\x07", b"tab\t", b"back\\slash", b"PRN.tar.gz", b"LPT9", b"aux ",
]  # fmt: skip
TWINS = [
    ("\xe9.txt", "e\u0301.txt"),
    ("Setup.exe", "setup.EXE"),
    ("stra\xdfe", "strasse"),
    ("\u212bngstr\xf6m", "\xc5ngstr\xf6m"),
    ("I\u0307x", "\u0130x"),
    ("\ufb01le", "file"),
]


def windows_forbids(name: bytes) -> bool:
    """What the naming rules of Windows refuse."""
    stem = name.partition(b".")[0].rstrip(b" ").upper().decode("utf-8", "replace")
    devices = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", *[f"{port}{n}" for port in ("COM", "LPT") for n in "123456789¹²³"]}
    bad = any(c < 32 or c in b'<>:"/\\|?*' for c in name) or name.endswith((b".", b" "))
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return bad or stem in devices


def folding(call: Callable[..., Any], seen: set[tuple[int, str]]) -> Callable[..., Any]:
    """``open`` at a place that compares names without case and normalisation, as macOS and Windows do."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        name = arguments[0]
        if isinstance(name, bytes) and b"/" not in name and arguments[1] & os.O_CREAT:
            folder = os.fstat(options["dir_fd"]).st_ino if options.get("dir_fd") is not None else 0
            folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFC", name.decode("utf-8", "replace")).casefold())
            if (folder, folded) in seen:
                raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
            seen.add((folder, folded))
        return call(*arguments, **options)

    return wrapped


def tree_of(*names: bytes) -> MemoryTree:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=local_owner()))
    for name in names:
        tree.put(Entry(path=name, type=EntryType.FILE, mode=0o644, owner=local_owner(), mtime_ns=9), b"I am " + name)
    return tree


def check_exact(tree: MemoryTree, root: Path, named: set[bytes], **options: Any) -> None:
    omissions = copy_tree(MemoryReader(tree), LocalWriter(str(root), **options))
    assert {omission.path for omission in omissions if omission.what == "name"} == named
    assert list(compare_trees(MemoryReader(tree), LocalReader(str(root)))) == []
    for name in named:
        assert not os.path.lexists(os.path.join(os.fsencode(root), name))


@pytest.mark.parametrize("name", [b"not \xff\xfe utf-8", b"\xed\xa0\x80lone surrogate", b"cut \xe2\x82"])
def test_b9_a_name_that_is_not_utf8_is_kept_byte_exact_and_shown_escaped(name: bytes, tmp_path: Path) -> None:
    check_exact(tree_of(name), tmp_path / "posix", set())
    assert name in os.listdir(os.fsencode(tmp_path / "posix"))
    assert shown(name).isprintable()
    check_exact(tree_of(name, b"plain"), tmp_path / "windows", {name}, forbidden_names=windows_forbids)


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_b10_b11_b32_twins_are_both_kept_and_one_is_named_where_the_place_sees_one(one: str, other: str, tmp_path: Path) -> None:
    first, second = sorted((one.encode(), other.encode()))
    tree = tree_of(first, second)
    check_exact(tree, tmp_path / "posix", set())
    assert len(os.listdir(tmp_path / "posix")) == 2
    seen: set[tuple[int, str]] = set()
    calls = OsCalls()
    calls = replace(calls, open=folding(calls.open, seen))
    check_exact(tree, tmp_path / "folding", {second}, calls=calls)


@pytest.mark.parametrize(("one", "other"), TWINS[:3])
def test_b10_b32_twins_are_two_entries_of_a_manifest(one: str, other: str) -> None:
    store = MemoryStore()
    made = capture(MemoryReader(tree_of(one.encode(), other.encode())), store, HandClock(), options=CaptureOptions(threads=0))
    assert made.manifest.totals.files == 2


def test_b12_names_that_windows_refuses_are_kept_where_they_can_be_and_named_where_not(tmp_path: Path) -> None:
    tree = tree_of(*WINDOWS_RESERVED, b"plain.txt")
    check_exact(tree, tmp_path / "posix", set())
    check_exact(tree, tmp_path / "windows", set(WINDOWS_RESERVED), forbidden_names=windows_forbids)
    assert sorted(os.listdir(tmp_path / "windows")) == [".haulage-tree", "plain.txt"]


def test_b12_an_alternate_stream_of_a_reserved_folder_is_no_way_into_the_sidecar(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / ".haulage-tree::$INDEX_ALLOCATION").write_bytes(b"git's CVE-2019-1352")
    assert set(describe(LocalReader(str(tmp_path / "s")))) == {b"", b".haulage-tree::$INDEX_ALLOCATION"}


def test_names_and_paths_of_the_greatest_length_go_there_and_back(tmp_path: Path) -> None:
    root, depth = tmp_path / "s", 0
    root.mkdir()
    fd = os.open(root, os.O_RDONLY)
    try:
        while depth < 40:  # 40 times 256 bytes: beyond the 4,096 that a path may have in one call
            os.mkdir(b"d" * 255, dir_fd=fd)
            deeper = os.open(b"d" * 255, os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd, depth = deeper, depth + 1
        os.close(os.open(b"f" * 255, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd))
    finally:
        os.close(fd)
    assert captured_and_restored(root, tmp_path / "t") == depth + 2


def captured_and_restored(source: Path, target: Path) -> int:
    """Entries of a source that came back from its capture just as they were."""
    store = MemoryStore()
    with contextlib.closing(LocalReader(str(source))) as reader:
        made = capture(reader, store, HandClock(), options=CaptureOptions(threads=0))
    restore(Manifest.open(made.manifest.id, store.read), store, LocalWriter(str(target)))
    assert list(compare_trees(LocalReader(str(source)), LocalReader(str(target)))) == []
    return made.manifest.totals.entries


def test_ten_thousand_names_of_one_file_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "00000").write_bytes(b"one content")
    for number in range(1, 10_000):
        os.link(tmp_path / "s" / "00000", tmp_path / "s" / f"{number:05}")
    assert captured_and_restored(tmp_path / "s", tmp_path / "t") == 10_001
    assert os.stat(tmp_path / "t" / "09999").st_nlink == 10_000


@pytest.mark.parametrize("seconds", [-(2**31), -1, 2**31, 2**32, 9_223_372_036], ids=["1901", "1969", "2038", "2106", "2262"])
def test_b84_times_before_1970_and_after_2038_are_exact(seconds: int, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "f").write_bytes(b"x")
    os.utime(tmp_path / "s" / "f", ns=(seconds * 10**9 + 7, seconds * 10**9 + 7))
    assert captured_and_restored(tmp_path / "s", tmp_path / "t") == 2  # as this file system holds it


def test_a_time_that_no_tree_can_say_is_cut_and_named(tmp_path: Path) -> None:
    """Beyond the year 2262: 64 bits of nanoseconds end there."""
    (tmp_path / "f").write_bytes(b"x")
    far = 10**19

    def stat_of(*arguments: Any, **options: Any) -> Any:
        return Far(os.stat(*arguments, **options), far)

    reader = LocalReader(str(tmp_path), calls=replace(OsCalls(), stat=stat_of))
    entry = next(entry for entry in reader.entries() if entry.path == b"f")
    assert entry.mtime_ns == 2**63 - 1
    assert [omission.what for omission in reader.dropped()] == ["times"]
    assert Omission(path=b"f", what="times", detail=f"{far} ns is beyond what a tree can say") in reader.dropped()


class Far:
    """A status with another time of modification."""

    def __init__(self, status: os.stat_result, mtime_ns: int) -> None:
        self._status = status
        self.st_mtime_ns = mtime_ns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._status, name)


@pytest.mark.parametrize("value", [b"", b"\x02\0\0\0", b"\x02\0\0\0" + bytes(7), b"\xff" * 300, posix_acl((65534, 9)).value])
def test_acls_that_make_no_sense_are_carried_or_put_aside_never_believed(value: bytes, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    calls = OsCalls(
        listxattr=lambda _where, **_options: ["system.posix_acl_access"], getxattr=lambda _where, _name, **_options: value
    )
    entry = next(entry for entry in LocalReader(str(tmp_path), calls=calls).entries() if entry.path == b"f")
    assert [acl.value for acl in entry.acls] == [value]
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=local_owner()))
    tree.put(Entry(path=b"f", type=EntryType.FILE, mode=0o640, owner=local_owner(), acls=entry.acls), b"x")
    copy_tree(MemoryReader(tree), LocalWriter(str(tmp_path / "t")))
    assert list(compare_trees(MemoryReader(tree), LocalReader(str(tmp_path / "t")))) == []


def test_attributes_of_64_kib_are_kept_as_content(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "f").write_bytes(b"x")
    value = bytes(range(256)) * 256
    calls = OsCalls(listxattr=lambda _where, **_options: ["user.big"], getxattr=lambda _where, _name, **_options: value)
    store = MemoryStore()
    made = capture(LocalReader(str(tmp_path / "s"), calls=calls), store, HandClock(), options=CaptureOptions(threads=0))
    assert made.manifest.totals.bytes_values == 2 * len(value)
    restore(Manifest.open(made.manifest.id, store.read), store, LocalWriter(str(tmp_path / "t")))
    entry = next(entry for entry in LocalReader(str(tmp_path / "t")).entries() if entry.path == b"f")
    assert [attribute.value for attribute in entry.attributes] == [value]


def test_more_attributes_than_an_entry_may_have_fail_by_name(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    calls = OsCalls(
        listxattr=lambda _where, **_options: [f"user.{number:05}" for number in range(2000)],
        getxattr=lambda _where, _name, **_options: bytes(1000),
    )
    with pytest.raises(FormatError) as caught:
        capture(LocalReader(str(tmp_path), calls=calls), MemoryStore(), HandClock(), options=CaptureOptions(threads=0))
    assert caught.value.code == "bad-entry"


def test_b3_a_file_replaced_by_a_folder_between_listing_and_reading_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    reader = LocalReader(str(tmp_path))
    entry = next(entry for entry in reader.entries() if entry.path == b"f")
    (tmp_path / "f").unlink()
    (tmp_path / "f").mkdir()
    for read in (reader.open, reader.read_whole):
        with pytest.raises(TransferError, match="'f'") as caught:
            read(entry)
        assert caught.value.code == "source-changed"
