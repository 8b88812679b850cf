"""NTFS images made by ntfs-3g's own tools, read without a mount."""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import pytest

from haulage.base.errors import FormatError, HaulageError, NotFoundError, TransferError
from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryWriter
from haulage.engine.trees.model import EntryType, ReadPolicy, StreamAction
from haulage.engine.trees.ntfs_content import SpooledContent
from haulage.engine.trees.ntfs_reader import NtfsReader
from haulage.testing.folders import (
    STREAM_SIZES,
    describe,
    fuse_works,
    hostile_windows_files,
    mounted_ntfs,
    noise,
    stream_name,
    write_ntfs_image,
)
from tests.peers import need


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with hostile files in its root folder; tests that change it take a copy."""
    need("ntfs-3g")
    path = str(tmp_path_factory.mktemp("ntfs") / "n.img")
    write_ntfs_image(hostile_windows_files(), path)
    return path


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with folders, links, holes and compression, which only a mount can make."""
    need("ntfs-3g")
    if not fuse_works():
        need("root")
        need("fuse")
    base = tmp_path_factory.mktemp("rich")
    path = str(base / "n.img")
    write_ntfs_image({}, path)
    with mounted_ntfs(path, str(base / "mount")) as folder:
        fill(Path(folder))
    return path


def fill(top: Path) -> None:
    (top / "dir" / "sub").mkdir(parents=True)
    (top / "dir" / "sub" / "f.txt").write_bytes(b"x" * 10)
    for number in range(60):  # more names than one record can hold
        os.link(top / "dir" / "sub" / "f.txt", top / "dir" / (f"hard{number:02}" + "y" * 100))
    (top / "dir" / "sym").symlink_to("sub/f.txt")
    Path(f"{top}/dir:folder stream").write_bytes(b"of the folder")
    (top / "dir" / "new\nline 'q' \"d\"").write_bytes(b"1")
    with (top / "dir" / "sparse").open("wb") as file:
        file.seek(3_000_000)
        file.write(b"end")
    os.setxattr(top / "dir" / "sub", "system.ntfs_attrib_be", (0x800).to_bytes(4, "big"))
    (top / "dir" / "sub" / "compressed").write_bytes(b"abc" * 100_000)
    os.utime(top / "dir" / "sub" / "compressed", ns=(1, 1_234_567_890_123_456_700))
    path = top / "deep"
    for _ in range(40):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "bottom").write_bytes(b"deep down")


def test_q316316_names_contents_and_streams_are_exact(image: str) -> None:
    found = describe(NtfsReader(image))
    assert {path: facts[1:] for path, facts in found.items() if path} == hostile_windows_files()
    assert found[b""][0].type is EntryType.FOLDER
    assert list(found) == sorted(found)


@pytest.mark.parametrize("sidecar_only", [False, True])
def test_q316316_an_image_goes_to_a_linux_folder_and_comes_back_identical(image: str, tmp_path: Path, sidecar_only: bool) -> None:
    copy_tree(NtfsReader(image), LocalWriter(str(tmp_path / "t"), sidecar_only=sidecar_only))
    assert list(compare_trees(NtfsReader(image), LocalReader(str(tmp_path / "t")))) == []
    again = MemoryWriter()
    copy_tree(LocalReader(str(tmp_path / "t")), again)
    assert list(compare_trees(NtfsReader(image), MemoryReader(again.tree))) == []


def test_folders_links_holes_and_compression(rich: str) -> None:
    reader = NtfsReader(rich, "dir")
    found = describe(reader)
    assert found[b""][2] == {b"folder stream": b"of the folder"}
    links = [path for path in found if path.startswith(b"hard")]
    assert len(links) == 60
    assert found[links[0]][1] == b"x" * 10
    assert all(found[path][0].same_as == links[0] for path in [*links[1:], b"sub/f.txt"])
    assert found[b"sym"][0].type is EntryType.SYMLINK
    assert found[b"sym"][0].target == b"sub/f.txt"
    assert found[b"new\nline 'q' \"d\""][1] == b"1"
    assert found[b"sparse"][1] == bytes(3_000_000) + b"end"
    content = reader.open(found[b"sparse"][0])
    assert sum(hole.size for hole in content.holes()) > 2_900_000
    compressed = found[b"sub/compressed"]
    assert compressed[1] == b"abc" * 100_000
    assert compressed[0].mtime_ns == 1_234_567_890_123_456_700
    assert isinstance(reader.open(compressed[0]), SpooledContent)


def test_a_folder_in_the_image_is_found_without_case_too(rich: str) -> None:
    paths = [entry.path for entry in NtfsReader(rich, "/DIR/Sub/").entries()]
    assert paths == [b"", b"compressed", b"f.txt"]
    for missing in ("dir/none", "dir/sym", "dir/sparse"):
        with pytest.raises(NotFoundError):
            NtfsReader(rich, missing)


def test_q316316_the_rich_image_comes_back_from_a_linux_folder(rich: str, tmp_path: Path) -> None:
    copy_tree(NtfsReader(rich), LocalWriter(str(tmp_path / "t")))
    assert list(compare_trees(NtfsReader(rich), LocalReader(str(tmp_path / "t")))) == []
    assert b"/".join([b"deep", *[b"d"] * 40, b"bottom"]) in describe(NtfsReader(rich))


def test_i9_the_image_is_not_changed_by_reading(image: str) -> None:
    before = Path(image).read_bytes()
    describe(NtfsReader(image))
    assert Path(image).read_bytes() == before


def test_streams_are_dropped_or_refused_by_policy(image: str) -> None:
    reader = NtfsReader(image, policy=ReadPolicy(streams=StreamAction.DROP, drop_patterns=("*",)))
    assert all(not entry.streams for entry in reader.entries())
    assert len(reader.dropped()) == len(STREAM_SIZES)
    with pytest.raises(FormatError, match=r"setup\.exe:s0"):
        list(NtfsReader(image, policy=ReadPolicy(streams=StreamAction.REFUSE)).entries())


def test_an_image_that_changes_is_source_changed(image: str, tmp_path: Path) -> None:
    copy = tmp_path / "n.img"
    copy.write_bytes(Path(image).read_bytes())
    reader = NtfsReader(str(copy))
    entry = next(entry for entry in reader.entries() if entry.path == b"setup.exe")
    assert reader.read_whole(entry, stream_name(4095)) == noise(4095, 1)
    assert reader.still(entry)
    with copy.open("r+b") as file:
        file.write(b"\0")
    assert not reader.still(entry)
    with pytest.raises(TransferError) as caught:
        reader.read_whole(entry)
    assert caught.value.code == "source-changed"
    later = NtfsReader(image)
    with pytest.raises(TransferError, match="another state"):
        later.open(entry)


def test_a_missing_tool_names_its_package(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotFoundError) as caught:
        NtfsReader(image)
    assert caught.value.code == "tool-missing"
    assert "ntfs-3g" in caught.value.hint


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "boot").write_bytes(b"\xeb\x52\x90NTFS    " + bytes(8000))
    os.mkfifo(tmp_path / "pipe")
    for name in ("text", "boot", "pipe"):
        with pytest.raises(FormatError) as caught:
            NtfsReader(str(tmp_path / name))
        assert caught.value.code == "ntfs-damaged"
    with pytest.raises(NotFoundError):
        NtfsReader(str(tmp_path / "none"))


def test_b45_a_cut_image_is_an_error_and_never_a_smaller_tree(image: str, tmp_path: Path) -> None:
    whole = Path(image).read_bytes()
    expected = {path: facts[1:] for path, facts in describe(NtfsReader(image)).items()}
    for share in range(1, 12):
        cut = tmp_path / "cut.img"
        cut.write_bytes(whole[: len(whole) * share // 12])
        try:
            found = {path: facts[1:] for path, facts in describe(NtfsReader(str(cut))).items()}
        except (FormatError, TransferError):
            continue
        assert found == expected


def test_i24_a_spoiled_file_table_is_read_or_refused(image: str, tmp_path: Path) -> None:
    whole = Path(image).read_bytes()
    records = [at for at in range(0, len(whole), 1024) if whole[at : at + 4] == b"FILE"]
    dice = random.Random(316316)
    spoiled = tmp_path / "spoiled.img"
    read = 0
    for _ in range(40):
        bytes_ = bytearray(whole)
        for _ in range(dice.randrange(1, 30)):
            bytes_[dice.choice(records) + dice.randrange(420)] = dice.choice([0, 255, dice.randrange(256)])
        spoiled.write_bytes(bytes_)
        with contextlib.suppress(HaulageError):
            reader = NtfsReader(str(spoiled))
            for entry in reader.entries():
                if entry.type is EntryType.FILE:
                    content = reader.open(entry)
                    content.read_at(0, min(content.size, 1 << 20))
            read += 1
    assert 0 < read < 40, "the damage was always or never seen"
