"""What is taken over from an earlier try, and all that is not."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.oscalls import OsCalls
from haulage.testing.folders import hostile_tree, noise, write_folder
from tests.peers import need


def small_tree() -> MemoryTree:
    tree = MemoryTree()
    tree.file(b"d/f", b"bytes", mtime_ns=5, streams={b"s": b"stream"})
    tree.file(b"e", b"other", mtime_ns=6)
    return tree


def closed_tree() -> MemoryTree:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o555))
    tree.put(Entry(path=b"d", type=EntryType.FOLDER, mode=0o111))
    tree.put(Entry(path=b"d/f", type=EntryType.FILE, mode=0o444, mtime_ns=5), b"bytes", {b"s": b"stream"})
    tree.put(Entry(path=b"d/shut", type=EntryType.FILE, mode=0, mtime_ns=5), noise(5000))
    return tree


def adopted(tree: MemoryTree, root: Path, earlier: Sequence[Path], **options: Any) -> set[bytes]:
    """Write a tree after earlier tries, see that it is the same, and say what was taken over."""
    writer = LocalWriter(str(root), earlier=[str(path) for path in earlier], **options)
    taken = {path for path, entry in sorted(tree.entries.items()) if writer.add(entry)}
    for (path, stream), data in tree.contents.items():
        if data and path not in taken:
            writer.write(path, stream, 0, data)
    writer.finish()
    assert list(compare_trees(MemoryReader(tree), LocalReader(str(root)))) == []
    return taken


def test_finished_files_are_moved_over_with_their_inode_and_streams(tmp_path: Path) -> None:
    write_folder(small_tree(), str(tmp_path / "p"))
    inode = (tmp_path / "p" / "d" / "f").stat().st_ino
    assert adopted(small_tree(), tmp_path / "t", [tmp_path / "p"]) == {b"d/f", b"e"}
    assert (tmp_path / "t" / "d" / "f").stat().st_ino == inode
    assert not (tmp_path / "p" / "d" / "f").exists()


def test_a_hostile_tree_is_the_same_from_what_was_left_of_it(tmp_path: Path) -> None:
    write_folder(hostile_tree(), str(tmp_path / "p"))
    taken = adopted(hostile_tree(), tmp_path / "t", [tmp_path / "p"])
    assert {b"old", b"attributes", b"windows", b"listed", b"sparse"} <= taken
    assert not {b"setup.exe", b"nul"} & taken, "their large streams lie in the sidecar of the tree that was left"
    assert not {b"twin", b"twin 2"} & taken, "a hard link's other names would keep the file in the folder that was left"


def _longer(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"!")
    os.utime(file, ns=(5, 5))


def _other(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        file.unlink()
        make(file)
        os.utime(file, ns=(5, 5), follow_symlinks=False)

    return change


CHANGES: dict[str, Callable[[Path], object]] = {
    "another time": lambda file: os.utime(file, ns=(5, 4)),
    "longer": _longer,
    "a second link": lambda file: os.link(file, file.with_name("more")),
    "gone": Path.unlink,
    "a symlink": _other(lambda file: file.symlink_to("bytes")),
    "a folder": _other(Path.mkdir),
    "a pipe": _other(os.mkfifo),
    "a stream less": lambda file: os.removexattr(file, "user.DosStream.s:$DATA"),
    "a shorter stream": lambda file: os.setxattr(file, "user.DosStream.s:$DATA", b"strea\0"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_not_plainly_finished_is_written_again(tmp_path: Path, change: Callable[[Path], object]) -> None:
    write_folder(small_tree(), str(tmp_path / "p"))
    change(tmp_path / "p" / "d" / "f")
    assert adopted(small_tree(), tmp_path / "t", [tmp_path / "p"]) == {b"e"}


def test_b3_a_folder_swapped_for_a_link_gives_nothing_away(tmp_path: Path) -> None:
    write_folder(small_tree(), str(tmp_path / "p"))
    (tmp_path / "p" / "d").rename(tmp_path / "outside")
    (tmp_path / "p" / "d").symlink_to(tmp_path / "outside")
    assert adopted(small_tree(), tmp_path / "t", [tmp_path / "p"]) == {b"e"}
    assert (tmp_path / "outside" / "f").exists()


@pytest.mark.parametrize("call", ["rename", "open", "chmod"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EXDEV, errno.EPERM])
def test_what_cannot_be_taken_is_no_error(tmp_path: Path, call: str, number: int) -> None:
    write_folder(small_tree(), str(tmp_path / "p"))
    foreign = {path.stat().st_ino for path in (tmp_path / "p").rglob("*") if path.is_file()}
    plain = getattr(os, call)

    def refuse(*arguments: Any, **options: Any) -> Any:
        on_left_file = call == "chmod" and isinstance(arguments[0], int) and os.fstat(arguments[0]).st_ino in foreign
        if call == "rename" or on_left_file or (call == "open" and not arguments[1] & os.O_WRONLY and arguments[0] in (b"f", b"e")):
            raise OSError(number, os.strerror(number))
        return plain(*arguments, **options)

    calls = replace(OsCalls(), **{call: refuse})
    assert adopted(small_tree(), tmp_path / "t", [tmp_path / "p"], calls=calls) == set()


def test_of_several_tries_the_newest_counts_and_a_missing_one_does_not(tmp_path: Path) -> None:
    for name in ("old", "new"):
        write_folder(small_tree(), str(tmp_path / name))
    (tmp_path / "new" / "e").unlink()
    earlier = [tmp_path / "nowhere", tmp_path / "new", tmp_path / "old"]
    assert adopted(small_tree(), tmp_path / "t", earlier) == {b"d/f", b"e"}
    assert (tmp_path / "old" / "d" / "f").exists()
    assert not (tmp_path / "old" / "e").exists()


def test_b11_a_twin_that_the_place_cannot_tell_apart_is_not_overwritten(tmp_path: Path) -> None:
    tree = MemoryTree()
    tree.file(b"Setup", b"upper", mtime_ns=5)
    tree.file(b"setup", b"lower", mtime_ns=5)
    write_folder(tree, str(tmp_path / "p"))
    (tmp_path / "p" / "Setup").unlink()

    def one_case(call: Callable[..., Any], path: bytes, *rest: Any, **options: Any) -> Any:
        folder = os.readlink(f"/proc/self/fd/{options['dir_fd']}") if options.get("dir_fd") is not None else ""
        return call(b"Setup" if path == b"setup" and folder.endswith("/t") else path, *rest, **options)

    calls = replace(
        OsCalls(),
        stat=lambda path, **options: one_case(os.stat, path, **options),
        open=lambda path, *rest, **options: one_case(os.open, path, *rest, **options),
    )
    assert adopted(tree, tmp_path / "t", [tmp_path / "p"], calls=calls) == set()
    assert (tmp_path / "t" / "Setup").read_bytes() == b"upper"


def test_nothing_is_taken_into_places_that_get_bare_names_only(tmp_path: Path) -> None:
    write_folder(small_tree(), str(tmp_path / "p"))
    assert adopted(small_tree(), tmp_path / "t", [tmp_path / "p"], sidecar_only=True) == set()
    assert adopted(small_tree(), tmp_path / "u", [tmp_path / "p"], forbidden_names=lambda name: name == b"e") == {b"d/f"}


def test_a_copy_of_what_is_there_already_reads_nothing(tmp_path: Path) -> None:
    write_folder(small_tree(), str(tmp_path / "p"))

    class Closed(MemoryReader):
        def open(self, entry: Entry, stream: bytes | None = None) -> Any:
            raise AssertionError(entry.path)

    copy_tree(Closed(small_tree()), LocalWriter(str(tmp_path / "t"), earlier=[str(tmp_path / "p")]))
    assert list(compare_trees(MemoryReader(small_tree()), LocalReader(str(tmp_path / "t")))) == []


def test_giving_up_may_leave_what_was_written(tmp_path: Path) -> None:
    writer = LocalWriter(str(tmp_path / "p"), keep=True)
    tree = small_tree()
    for _, entry in sorted(tree.entries.items()):
        writer.add(entry)
    writer.write(b"d/f", None, 0, b"bytes")
    writer.write(b"d/f", b"s", 0, b"stream")
    writer.write(b"e", None, 0, b"oth")
    writer.abandon()
    writer.abandon()
    assert adopted(tree, tmp_path / "t", [tmp_path / "p"]) == {b"d/f"}


def test_without_roots_rights_files_are_taken_out_of_closed_folders(tmp_path: Path) -> None:
    need("root")
    script = """
import os, sys
from tests.engine.trees.test_left_behind import *
os.chown(sys.argv[1], 65534, 65534)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.chdir(sys.argv[1])
write_folder(closed_tree(), "p")
assert adopted(closed_tree(), Path("t"), [Path("p")]) == {b"d/f", b"d/shut"}
"""
    place = tmp_path / "place"
    place.mkdir()
    for folder in (place, *place.parents):
        if folder != Path("/") and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o001)
    subprocess.run([sys.executable, "-c", script, str(place)], check=True)
