"""A hostile Linux folder as source: what is never opened, followed or crossed, and what each failure is called."""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haulage.base.errors import FormatError, NotFoundError, TransferError
from haulage.engine.trees.change_token import changed_ns
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.model import Attribute, Dos, Entry, EntryType, Hole, StreamInfo
from haulage.engine.trees.mounts import parse_mounts
from haulage.engine.trees.oscalls import OsCalls
from haulage.testing.folders import describe
from tests.peers import need


def entry_of(reader: LocalReader, path: bytes) -> Entry:
    return next(entry for entry in reader.entries() if entry.path == path)


def listed(folder: Path, **options: Any) -> dict[bytes, Entry]:
    return {entry.path: entry for entry in LocalReader(str(folder), **options).entries()}


def test_b1_a_link_out_of_the_tree_is_kept_and_not_followed(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    (source / "out").symlink_to("../secret")
    (source / "loop").symlink_to("loop")
    found = listed(source)
    assert sorted(found) == [b"", b"loop", b"out"]
    assert found[b"out"].type is EntryType.SYMLINK
    assert found[b"out"].target == b"../secret"
    assert found[b"out"].mode is None


def test_b3_a_file_swapped_for_a_link_is_source_changed(tmp_path: Path) -> None:
    source = tmp_path / "s"
    (source / "d").mkdir(parents=True)
    (source / "d" / "f").write_text("mine")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "f").write_text("mine")
    reader = LocalReader(str(source))
    entry = entry_of(reader, b"d/f")
    (source / "d" / "f").unlink()
    (source / "d" / "f").symlink_to(tmp_path / "secret" / "f")
    for read in (reader.open, reader.read_whole):
        with pytest.raises(TransferError, match="'d/f'") as caught:
            read(entry)
        assert caught.value.code == "source-changed"
    assert not reader.still(entry)


def test_b3_a_folder_swapped_for_a_link_is_source_changed(tmp_path: Path) -> None:
    source = tmp_path / "s"
    (source / "d").mkdir(parents=True)
    (source / "d" / "f").write_text("mine")
    entry = entry_of(LocalReader(str(source)), b"d/f")
    (source / "d").rename(tmp_path / "elsewhere")
    (source / "d").symlink_to(tmp_path / "elsewhere")
    reader = LocalReader(str(source))  # nothing of it is open yet
    with pytest.raises(TransferError) as caught:
        reader.open(entry)
    assert caught.value.code == "source-changed"


def test_b3_a_folder_swapped_for_a_link_in_mid_walk_is_source_changed(tmp_path: Path) -> None:
    (tmp_path / "s" / "d").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "leak").write_text("x")
    walk = LocalReader(str(tmp_path / "s")).entries()
    assert [next(walk).path, next(walk).path] == [b"", b"d"]
    (tmp_path / "s" / "d").rmdir()
    (tmp_path / "s" / "d").symlink_to(tmp_path / "other")
    with pytest.raises(TransferError) as caught:
        list(walk)
    assert caught.value.code == "source-changed"


def test_b3_another_folder_in_mid_walk_is_source_changed(tmp_path: Path) -> None:
    (tmp_path / "s" / "d").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    walk = LocalReader(str(tmp_path / "s")).entries()
    next(walk)
    next(walk)
    (tmp_path / "s" / "d").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "s" / "d")
    with pytest.raises(TransferError, match="another folder"):
        list(walk)


def test_b3_a_file_that_became_a_folder_after_listing_is_source_changed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").write_text("x")
    walk = LocalReader(str(tmp_path)).entries()
    next(walk)
    next(walk)
    (tmp_path / "b").unlink()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "unseen").write_text("x")
    with pytest.raises(TransferError) as caught:
        list(walk)
    assert caught.value.code == "source-changed"


def test_b5_fifo_socket_and_device_are_refused_by_name_and_never_opened(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    os.mkfifo(source / "a pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(source / "z socket"))
    (source / "plain").write_text("x")
    opened: list[bytes] = []

    def watch(name: bytes, *rest: Any, **options: Any) -> int:
        opened.append(name)
        return os.open(name, *rest, **options)

    with pytest.raises(FormatError) as caught:
        list(LocalReader(str(source), calls=replace(OsCalls(), open=watch)).entries())
    assert caught.value.code == "source-unsupported"
    assert "'a pipe' (FIFO)" in caught.value.message
    assert "'z socket' (socket)" in caught.value.message
    assert b"a pipe" not in opened


def test_b5_a_long_list_of_them_is_bounded(tmp_path: Path) -> None:
    for number in range(50):
        os.mkfifo(tmp_path / f"p{number:02}")
    with pytest.raises(FormatError, match=r"'p00'.*'p19'.* and more") as caught:
        list(LocalReader(str(tmp_path)).entries())
    assert "p20" not in caught.value.message


@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite", "remove", "replace"])
def test_b6_b7_a_file_that_moves_under_the_reader_is_source_changed(tmp_path: Path, change: str) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x" * 1000)
    os.utime(file, ns=(1, 1))
    reader = LocalReader(str(tmp_path))
    entry = entry_of(reader, b"f")
    if change == "grow":
        file.write_bytes(b"x" * 1001)
    elif change == "shrink":
        file.write_bytes(b"x" * 999)
    elif change == "rewrite":
        file.write_bytes(b"y" * 1000)
        os.utime(file, ns=(1, 1))
    elif change == "remove":
        file.unlink()
    else:
        (tmp_path / "g").write_bytes(b"x" * 1000)
        (tmp_path / "g").rename(file)
    assert not reader.still(entry)
    for read in (reader.open, reader.read_whole):
        with pytest.raises(TransferError) as caught:
            read(entry)
        assert caught.value.code == "source-changed"


def test_b6_a_file_that_shrinks_while_open_is_source_changed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 1000)
    reader = LocalReader(str(tmp_path))
    content = reader.open(entry_of(reader, b"f"))
    os.truncate(tmp_path / "f", 10)
    with pytest.raises(TransferError, match="shorter") as caught:
        content.read_at(0, 1000)
    assert caught.value.code == "source-changed"


def test_b6_a_file_that_grows_while_read_whole_is_source_changed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)

    def growing(fd: int, size: int, offset: int) -> bytes:
        with (tmp_path / "f").open("ab") as more:
            more.write(b"y")
        return os.pread(fd, size, offset)

    reader = LocalReader(str(tmp_path), calls=replace(OsCalls(), pread=growing))
    with pytest.raises(TransferError, match="written to"):
        reader.read_whole(entry_of(reader, b"f"))


def test_b6_a_stream_that_changes_after_listing_is_source_changed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    os.setxattr(tmp_path / "f", "user.DosStream.s:$DATA", b"abc\0")
    reader = LocalReader(str(tmp_path))
    entry = entry_of(reader, b"f")
    os.setxattr(tmp_path / "f", "user.DosStream.s:$DATA", b"xyz\0")
    with pytest.raises(TransferError, match="f:s") as caught:
        reader.read_whole(entry, b"s")
    assert caught.value.code == "source-changed"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_b8_q316316_an_unreadable_file_is_named_with_its_cause(tmp_path: Path, number: int) -> None:
    (tmp_path / "f\n1").write_text("x")

    def fail(name: bytes, *rest: Any, **options: Any) -> int:
        if name == b"f\n1":
            raise OSError(number, os.strerror(number))
        return os.open(name, *rest, **options)

    reader = LocalReader(str(tmp_path), calls=replace(OsCalls(), open=fail))
    with pytest.raises(TransferError) as caught:
        reader.open(entry_of(reader, b"f\n1"))
    assert caught.value.code == "source-unreadable"
    assert caught.value.message == f"Cannot read 'f\\n1': {os.strerror(number)}."


def test_b8_q316316_an_unreadable_stream_is_named_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    os.setxattr(tmp_path / "f", "user.DosStream.bad:$DATA", b"abc\0")
    healthy = LocalReader(str(tmp_path))
    entry = entry_of(healthy, b"f")

    def fail(*_: Any, **__: Any) -> bytes:
        raise OSError(errno.EIO, "x")

    reader = LocalReader(str(tmp_path), calls=replace(OsCalls(), getxattr=fail))
    with pytest.raises(TransferError, match=r"Cannot read 'f:bad': Input/output error\.") as caught:
        reader.open(entry, b"bad")
    assert caught.value.code == "source-unreadable"
    with pytest.raises(TransferError, match="Input/output error"):
        list(reader.entries())


def test_b8_an_unreadable_folder_fails_the_whole_walk(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()

    def fail(name: bytes, *rest: Any, **options: Any) -> int:
        if name == b"d":
            raise PermissionError(errno.EACCES, "x")
        return os.open(name, *rest, **options)

    with pytest.raises(TransferError, match="'d': Permission denied"):
        list(LocalReader(str(tmp_path), calls=replace(OsCalls(), open=fail)).entries())


def test_b8_a_missing_source_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("nothing", "file", "file/below"):
        with pytest.raises(NotFoundError, match=name):
            LocalReader(str(tmp_path / name))


def test_b21_another_file_system_below_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "d" / "other").mkdir(parents=True)
    (tmp_path / "d" / "other" / "x").mkdir()

    def elsewhere(name: bytes, **options: Any) -> os.stat_result:
        status = os.stat(name, **options)
        if name == b"other":
            return os.stat_result((*status[:2], 12345, *status[3:]))
        return status

    with pytest.raises(FormatError, match="'d/other' \\(another file system") as caught:
        list(LocalReader(str(tmp_path), calls=replace(OsCalls(), stat=elsewhere)).entries())
    assert caught.value.code == "source-unsupported"


def test_b21_a_real_mount_below_is_not_crossed(tmp_path: Path) -> None:
    need("root")
    (tmp_path / "s" / "bind").mkdir(parents=True)
    (tmp_path / "s" / "real").mkdir()
    (tmp_path / "s" / "real" / "x").write_text("x")
    if os.system(f"mount --bind {tmp_path}/s/real {tmp_path}/s/bind 2>/dev/null"):
        pytest.skip("no mounts are allowed here")
    try:
        with pytest.raises(FormatError, match="'bind' \\(another file system"):
            list(LocalReader(str(tmp_path / "s")).entries())
    finally:
        os.system(f"umount {tmp_path}/s/bind")


def test_b21_mount_points_are_unescaped() -> None:
    table = rb"""36 35 98:0 /part /mnt/with\040space\134 rw,noatime master:1 - ext3 /dev/root rw
junk
"""
    (mount,) = parse_mounts(table)
    assert (mount.device, mount.part, mount.point) == (b"98:0", b"/part", b"/mnt/with space\\")


def test_hard_links_name_the_first_path_in_byte_order(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "z").write_text("x")
    os.link(tmp_path / "d" / "z", tmp_path / "d-first")
    os.link(tmp_path / "d" / "z", tmp_path / "e")
    found = listed(tmp_path)
    assert found[b"d-first"].same_as is None
    assert found[b"d/z"] == Entry(path=b"d/z", type=EntryType.FILE, same_as=b"d-first")
    assert found[b"e"] == Entry(path=b"e", type=EntryType.FILE, same_as=b"d-first")


def test_samba_streams_and_windows_facts(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x")
    os.setxattr(file, "user.DosStream.Zone.Identifier:$DATA", b"[ZoneTransfer]\0")
    os.setxattr(file, "user.DosStream.empty:$DATA", b"\0")
    os.setxattr(file, "user.DosStream.bare:$DATA", b"no NUL")
    os.setxattr(file, "user.DosStream.hollow:$DATA", b"")
    os.setxattr(file, "user.DosStream.unsuffixed", b"an attribute")
    created = 133_000_000_000_000_000
    value = b"\0\0\5\0\5\0\0\0" + (0x11).to_bytes(4, "little") + (0x22).to_bytes(4, "little") + created.to_bytes(8, "little")
    os.setxattr(file, "user.DOSATTRIB", value)
    entry, _, streams = describe(LocalReader(str(tmp_path)))[b"f"]
    assert streams == {b"Zone.Identifier": b"[ZoneTransfer]", b"bare": b"no NUL", b"empty": b"", b"hollow": b""}
    assert entry.dos == Dos(attributes=0x22, created_ns=(created - 116_444_736_000_000_000) * 100)
    assert entry.attributes == (Attribute(name=b"user.DosStream.unsuffixed", value=b"an attribute"),)


def test_a_dosattrib_of_unknown_layout_stays_an_attribute(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    os.setxattr(tmp_path / "f", "user.DOSATTRIB", b"0x20\0")
    entry = listed(tmp_path)[b"f"]
    assert entry.dos is None
    assert entry.attributes == (Attribute(name=b"user.DOSATTRIB", value=b"0x20\0"),)


def test_attributes_a_tree_does_not_carry_are_named(tmp_path: Path) -> None:
    need("root")
    (tmp_path / "f").write_text("x")
    os.setxattr(tmp_path / "f", "trusted.thing", b"x")
    reader = LocalReader(str(tmp_path))
    assert list(reader.entries())[1].attributes == ()
    assert [(o.path, o.what, o.detail) for o in reader.dropped()] == [(b"f", "attribute", "trusted.thing")]


def test_holes_are_told_and_read_as_zeros(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"middle")
        file.truncate(3 << 20)
    reader = LocalReader(str(tmp_path))
    content = reader.open(entry_of(reader, b"f"))
    holes = content.holes()
    if not holes:
        pytest.skip("this file system tells no holes")
    assert holes[0] == Hole(offset=0, size=1 << 20)
    assert holes[-1].offset + holes[-1].size == 3 << 20
    assert content.read_at((1 << 20) - 2, 10) == b"\0\0middle\0\0"


def test_i9_the_source_is_opened_without_writing_and_keeps_its_access_times(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("x")
    os.utime(tmp_path / "d" / "f", ns=(1, 5_000_000_000))
    os.utime(tmp_path / "d", ns=(1, 5_000_000_000))
    flags: list[int] = []

    def watch(name: bytes, flag: int, *rest: Any, **options: Any) -> int:
        flags.append(flag)
        return os.open(name, flag, *rest, **options)

    describe(LocalReader(str(tmp_path), calls=replace(OsCalls(), open=watch)))
    assert (tmp_path / "d" / "f").stat().st_atime_ns == 1
    assert (tmp_path / "d").stat().st_atime_ns == 1
    assert all(flag & os.O_ACCMODE == os.O_RDONLY and flag & os.O_CLOEXEC for flag in flags)


def test_a_token_moves_with_bytes_streams_and_replacement(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"1234")

    def token() -> bytes:
        reader = LocalReader(str(tmp_path))
        return reader.change_token(entry_of(reader, b"f"))

    seen = {token()}
    for change in (
        lambda: os.setxattr(file, "user.DosStream.s:$DATA", b"a\0"),
        lambda: os.setxattr(file, "user.DosStream.s:$DATA", b"b\0"),
        lambda: file.write_bytes(b"4321"),
    ):
        changed_before = file.stat().st_ctime_ns
        while file.stat().st_ctime_ns == changed_before:  # the kernel's clock ticks every few ms
            change()
        assert token() not in seen
        seen.add(token())
    assert changed_ns(token()) == file.stat().st_ctime_ns


def test_the_number_of_open_files_is_bounded_in_a_deep_tree(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(150):
        path = path / "d"
    path.mkdir(parents=True)
    most = 0
    reader = LocalReader(str(tmp_path))
    for _ in reader.entries():
        most = max(most, len(os.listdir("/proc/self/fd")))
    before = len(os.listdir("/proc/self/fd"))
    reader.close()
    assert before - len(os.listdir("/proc/self/fd")) <= 66
    assert most - before <= 10


def test_stream_entries_and_modes_are_sorted_and_plain(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    for name in ("b", "a", "c"):
        os.setxattr(tmp_path / "f", f"user.DosStream.{name}:$DATA", b"\0")
    (tmp_path / "f").chmod(0o640)
    entry = listed(tmp_path)[b"f"]
    assert list(entry.streams) == [StreamInfo(name=name, size=0) for name in (b"a", b"b", b"c")]
    assert entry.mode == stat.S_IMODE(0o640)
