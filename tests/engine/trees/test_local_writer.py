"""Writing into a Linux folder: what stays native, what goes to the sidecar, what is refused, and what survives failure."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haulage.base.errors import ConflictError, FormatError, TransferError
from haulage.base.files import watching_steps
from haulage.engine.trees import local_durable
from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Attribute, Dos, Entry, EntryType, Omission, Owner, StreamInfo
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.sidecar_format import stored_path
from haulage.testing.folders import hostile_tree, local_owner, noise, write_folder
from tests.peers import need


def plain_tree() -> MemoryTree:
    tree = MemoryTree()
    owner = local_owner()
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=owner))
    tree.put(Entry(path=b"d", type=EntryType.FOLDER, mode=0o755, owner=owner, mtime_ns=7))
    dos = Dos(attributes=0x21, created_ns=1_700_000_000_000_000_100)
    tree.put(Entry(path=b"d/f", type=EntryType.FILE, mode=0o644, owner=owner, mtime_ns=5, dos=dos), b"bytes", {b"s": b"stream"})
    return tree


def write(tree: MemoryTree, root: Path, **options: Any) -> tuple[Omission, ...]:
    return tuple(copy_tree(MemoryReader(tree), LocalWriter(str(root), **options)))


def failing(call: Callable[..., Any], number: int, on: bytes) -> Callable[..., Any]:
    """The call, refusing whatever mentions ``on``."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if on in arguments:
            raise OSError(number, os.strerror(number))
        return call(*arguments, **options)

    return wrapped


def test_what_the_place_holds_stays_native_as_samba_writes_it(tmp_path: Path) -> None:
    assert write(plain_tree(), tmp_path / "t") == ()
    assert os.listdir(tmp_path / "t") == ["d"]
    file = tmp_path / "t" / "d" / "f"
    assert os.getxattr(file, "user.DosStream.s:$DATA") == b"stream\0"
    value = os.getxattr(file, "user.DOSATTRIB")
    assert len(value) == 24
    assert value[2:4] == b"\5\0"
    assert int.from_bytes(value[12:16], "little") == 0x21
    assert int.from_bytes(value[16:24], "little") == 1_700_000_000_000_000_100 // 100 + 116_444_736_000_000_000


def test_q316316_only_streams_that_do_not_fit_go_to_the_sidecar_and_are_named(tmp_path: Path) -> None:
    tree = plain_tree()
    tree.file(b"d/big", b"x", streams={b"huge": noise(70_000), b"tiny": b"t"})
    omissions = [omission for omission in write(tree, tmp_path / "t") if omission.what == "stream"]
    assert omissions == [Omission(path=b"d/big", what="stream", detail="huge")]
    assert os.listxattr(tmp_path / "t" / "d" / "big") == ["user.DosStream.tiny:$DATA"]


def test_a_place_that_leaves_an_empty_stream_behind_is_found_out(tmp_path: Path) -> None:
    def half(where: int, name: bytes, value: bytes) -> None:
        os.setxattr(where, name, b"" if b"DosStream" in name else value)

    tree = plain_tree()
    write(tree, tmp_path / "t", calls=replace(OsCalls(), setxattr=half))
    assert "user.DosStream.s:$DATA" not in os.listxattr(tmp_path / "t" / "d" / "f")
    assert list(compare_trees(MemoryReader(tree), LocalReader(str(tmp_path / "t")))) == []


def test_a_really_unprivileged_process_loses_nothing(tmp_path: Path) -> None:
    need("root")
    source, place = tmp_path / "s", tmp_path / "place"
    tree = hostile_tree(depth=5)
    owner = Owner(uid=0, gid=0, user="root", group="root")
    capability = Attribute(name=b"security.capability", value=b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
    tree.put(Entry(path=b"able", type=EntryType.FILE, mode=0o755, owner=owner, attributes=(capability,)), b"x")
    tree.put(Entry(path=b"silent", type=EntryType.FILE, mode=0o200, owner=owner), b"x", {b"s": b"kept though unreadable"})
    write_folder(tree, str(source))
    assert os.getxattr(source / "able", "security.capability") == capability.value
    place.mkdir()
    script = """
import os, sys
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
reader = LocalReader(sys.argv[1])
entries = list(reader.entries())
contents = {(e.path, s): reader.read_whole(e, s) for e in entries
            for s in ([None] if e.type.value == "file" and not e.same_as else []) + [x.name for x in e.streams]}
os.chown(sys.argv[2], 65534, 65534)
os.chmod(sys.argv[2], 0o700)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.chdir(sys.argv[2])
writer = LocalWriter(".")
for entry in entries: writer.add(entry)
for (path, stream), data in contents.items():
    if data: writer.write(path, stream, 0, data)
assert any(o.what == "owner" for o in writer.finish())
"""
    for folder in (place, *place.parents):
        if folder != Path("/") and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o001)
    subprocess.run([sys.executable, "-c", script, str(source), str(place)], check=True)
    assert (place / "zero").stat().st_uid == 65534
    assert list(compare_trees(LocalReader(str(source)), LocalReader(str(place)))) == []


def test_owner_that_cannot_be_set_costs_one_header_not_a_record_each(tmp_path: Path) -> None:
    tree = MemoryTree()
    stranger = Owner(uid=54321, gid=54321, user="stranger", group="strangers")
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=stranger))
    for number in range(100):
        tree.put(Entry(path=b"%03d" % number, type=EntryType.FILE, mode=0o644, owner=stranger))
    omissions = write(tree, tmp_path / "t")
    assert omissions == (Omission(path=b"", what="owner", detail="for the whole tree"),)
    assert (tmp_path / "t" / ".haulage-tree" / "index").stat().st_size < 200
    assert list(compare_trees(MemoryReader(tree), LocalReader(str(tmp_path / "t")))) == []


def test_b11_names_the_place_cannot_tell_apart_are_both_kept(tmp_path: Path) -> None:
    tree = plain_tree()
    for name in (b"Setup.exe", b"setup.EXE"):
        tree.put(Entry(path=name, type=EntryType.FILE), b"I am " + name)
    tree.put(Entry(path=b"setup.link", type=EntryType.FILE, same_as=b"setup.EXE"))

    calls = replace(OsCalls(), open=failing(os.open, errno.EEXIST, b"setup.EXE"))
    omissions = write(tree, tmp_path / "t", calls=calls)
    assert Omission(path=b"setup.EXE", what="name", detail="kept whole in the sidecar") in omissions
    assert not (tmp_path / "t" / "setup.EXE").exists()
    assert not (tmp_path / "t" / "setup.link").exists()
    assert list(compare_trees(MemoryReader(tree), LocalReader(str(tmp_path / "t")))) == []


def test_holes_stay_holes(tmp_path: Path) -> None:
    tree = tmp_path / "s"
    tree.mkdir()
    with (tree / "f").open("wb") as file:
        file.seek(64 << 20)
        file.write(b"end")
    copy_tree(LocalReader(str(tree)), LocalWriter(str(tmp_path / "t")))
    status = (tmp_path / "t" / "f").stat()
    assert status.st_size == (64 << 20) + 3
    if (tree / "f").stat().st_blocks < 1000:
        assert status.st_blocks < 1000


def test_hard_links_share_one_file(tmp_path: Path) -> None:
    write_folder(hostile_tree(depth=2), str(tmp_path / "t"))
    assert (tmp_path / "t" / "twin").stat().st_nlink == 3


def test_a_symlink_in_the_way_is_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    writer = LocalWriter(str(tmp_path / "t"))
    writer.add(Entry(path=b"", type=EntryType.FOLDER))
    writer.add(Entry(path=b"d", type=EntryType.FOLDER))
    (tmp_path / "t" / "d").rmdir()
    (tmp_path / "t" / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(TransferError) as caught:
        writer.add(Entry(path=b"d/f", type=EntryType.FILE))
    assert caught.value.code == "place-unwritable"
    assert os.listdir(tmp_path / "outside") == []


def test_a_hard_link_to_a_symlink_is_refused(tmp_path: Path) -> None:
    writer = LocalWriter(str(tmp_path / "t"))
    writer.add(Entry(path=b"", type=EntryType.FOLDER))
    writer.add(Entry(path=b"a", type=EntryType.SYMLINK, target=b"/etc/passwd"))
    with pytest.raises(FormatError, match="is not a file"):
        writer.add(Entry(path=b"b", type=EntryType.FILE, same_as=b"a"))


def test_only_an_empty_folder_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "mine").write_text("x")
    with pytest.raises(ConflictError) as caught:
        LocalWriter(str(tmp_path / "t"))
    assert caught.value.code == "staging-not-empty"
    assert (tmp_path / "t" / "mine").read_text() == "x"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_f47_i13_a_full_or_broken_disk_names_the_file_and_the_cause(tmp_path: Path, number: int) -> None:
    def fail(fd: int, data: bytes, offset: int) -> int:
        raise OSError(number, os.strerror(number))

    with pytest.raises(TransferError) as caught:
        write(plain_tree(), tmp_path / "t", calls=replace(OsCalls(), pwrite=fail))
    assert caught.value.code == ("place-unwritable" if number == errno.EIO else "disk-full")
    assert caught.value.message == f"Cannot write 'd/f': {os.strerror(number)}."
    assert not (tmp_path / "t").exists()


def test_a_failing_disk_is_not_taken_for_a_poor_place(tmp_path: Path) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "x")

    with pytest.raises(TransferError, match="Input/output error"):
        write(plain_tree(), tmp_path / "t", calls=replace(OsCalls(), setxattr=fail))


def test_abandoning_removes_everything_however_deep_and_closed(tmp_path: Path) -> None:
    root = tmp_path / "t"
    write_folder(hostile_tree(depth=350), str(root))
    os.chmod(root / "order", 0o000)
    fd = os.open(root, os.O_RDONLY)
    local_durable.remove_below(fd)
    os.close(fd)
    assert os.listdir(root) == []


def test_abandoning_a_begun_tree_removes_its_folder(tmp_path: Path) -> None:
    writer = LocalWriter(str(tmp_path / "t"))
    writer.add(Entry(path=b"", type=EntryType.FOLDER))
    writer.add(Entry(path=b"f", type=EntryType.FILE, size=3, streams=(StreamInfo(name=b"s", size=100_000),)))
    writer.write(b"f", b"s", 5, b"x")
    writer.abandon()
    writer.abandon()
    assert not (tmp_path / "t").exists()


def test_durable_by_one_syncfs_and_by_fsync_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    with watching_steps(steps.append):
        write_folder(plain_tree(), str(tmp_path / "t"))
    assert steps == ["syncfs"]
    synced: list[int] = []
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    monkeypatch.setattr("os.fsync", lambda fd: synced.append(os.fstat(fd).st_mode))
    write_folder(plain_tree(), str(tmp_path / "t2"))
    assert sum(stat.S_ISREG(mode) for mode in synced) == 1
    assert sum(stat.S_ISDIR(mode) for mode in synced) == 2 or sum(stat.S_ISDIR(mode) for mode in synced) == 3


def test_f62_open_files_stay_bounded_with_many_unfinished_files(tmp_path: Path) -> None:
    writer = LocalWriter(str(tmp_path / "t"))
    writer.add(Entry(path=b"", type=EntryType.FOLDER))
    before = len(os.listdir("/proc/self/fd"))
    for number in range(600):
        writer.add(Entry(path=b"%04d" % number, type=EntryType.FILE, size=2))
    assert len(os.listdir("/proc/self/fd")) - before <= 130
    for number in range(600):
        writer.write(b"%04d" % number, None, 0, b"ab")
    writer.finish()
    assert len(os.listdir("/proc/self/fd")) < before
    assert (tmp_path / "t" / "0599").read_bytes() == b"ab"


def test_what_is_private_stays_private_in_the_sidecar(tmp_path: Path) -> None:
    tree = plain_tree()
    for name, mode in ((b"private", 0o600), (b"public", 0o755), (b"unset", None)):
        tree.put(Entry(path=name, type=EntryType.FILE, mode=mode), b"x", {b"s": noise(70_000)})
    write(tree, tmp_path / "t")
    found = {}
    for name in (b"private", b"public", b"unset"):
        found[name] = stat.S_IMODE(os.stat(os.fsencode(tmp_path / "t") + b"/" + stored_path(name, b"s")).st_mode)
    assert found == {b"private": 0o600, b"public": 0o644, b"unset": 0o644}


def test_q319427_times_do_not_shift_across_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = plain_tree()
    write_folder(tree, str(tmp_path / "t"))
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        assert list(compare_trees(MemoryReader(tree), LocalReader(str(tmp_path / "t")))) == []


def test_a_plain_file_is_opened_once_and_told_nothing_it_knows(tmp_path: Path) -> None:
    """Its mode comes with its name, its owner is already right: open, write, time, look, close."""
    said: list[str] = []

    def listening(name: str) -> Callable[..., Any]:
        whole = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            said.append(name)
            return whole(*arguments, **named)

        return call

    names = ("open", "pwrite", "ftruncate", "chmod", "chown", "utime", "fstat", "close")
    writer = LocalWriter(str(tmp_path / "t"), calls=replace(OsCalls(), **{name: listening(name) for name in names}))
    owner = local_owner()
    writer.add(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=owner))
    writer.add(Entry(path=b"f", type=EntryType.FILE, mode=0o444, owner=owner, size=3, mtime_ns=7))
    said.clear()
    writer.write(b"f", None, 0, b"abc")
    assert said == ["open", "pwrite", "utime", "fstat", "close"]
    assert writer.finish() == ()
    status = (tmp_path / "t" / "f").stat()
    assert (status.st_mode & 0o7777, status.st_mtime_ns) == (0o444, 7)


@pytest.mark.parametrize("written", ["before", "after", "in two parts", "never"])
def test_a_plain_file_is_there_for_its_further_names_whenever_its_bytes_come(tmp_path: Path, written: str) -> None:
    owner = local_owner()
    writer = LocalWriter(str(tmp_path / "t"))
    writer.add(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=owner))
    writer.add(Entry(path=b"f", type=EntryType.FILE, mode=0o640, owner=owner, size=3, mtime_ns=7))
    if written == "before":
        writer.write(b"f", None, 0, b"abc")
    writer.add(Entry(path=b"g", type=EntryType.FILE, same_as=b"f"))
    if written == "after":
        writer.write(b"f", None, 0, b"abc")
    elif written == "in two parts":
        writer.write(b"f", None, 1, b"bc")
        writer.write(b"f", None, 0, b"a")
    assert writer.finish() == ()
    first, second = tmp_path / "t" / "f", tmp_path / "t" / "g"
    assert first.read_bytes() == (bytes(3) if written == "never" else b"abc")
    assert first.stat() == second.stat()
    assert (first.stat().st_mode & 0o7777, first.stat().st_mtime_ns, first.stat().st_nlink) == (0o640, 7, 2)


def test_b11_a_plain_file_whose_name_is_taken_by_a_twin_is_kept_whole(tmp_path: Path) -> None:
    owner = local_owner()

    def one_case(path: bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        return os.open(b"Setup" if path == b"setup" and flags & os.O_CREAT else path, flags, mode, dir_fd=dir_fd)

    writer = LocalWriter(str(tmp_path / "t"), calls=replace(OsCalls(), open=one_case))
    writer.add(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=owner))
    for name in (b"Setup", b"setup"):
        writer.add(Entry(path=name, type=EntryType.FILE, mode=0o640, owner=owner, size=5, mtime_ns=7))
    writer.write(b"Setup", None, 0, b"upper")
    writer.write(b"setup", None, 0, b"lower")
    assert [(omission.path, omission.what) for omission in writer.finish()] == [(b"setup", "name")]
    reader = LocalReader(str(tmp_path / "t"))
    found = {entry.path: reader.read_whole(entry) for entry in reader.entries() if entry.path}
    reader.close()
    assert found == {b"Setup": b"upper", b"setup": b"lower"}
