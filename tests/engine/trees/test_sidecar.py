"""Sidecars that are malformed, foreign, too new or contradict the place: refused, never guessed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.sidecar_format import Header, Record, decode_header, decode_record, encode, marker, read_marker
from haulage.testing.folders import describe, hostile_tree, write_sidecar_folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_sidecar_folder(hostile_tree(depth=2), str(tmp_path / "t"))
    return tmp_path / "t"


def set_index(root: Path, records: list[Record], header: Header | None = None) -> None:
    """Give a tree a sidecar of exactly these records."""
    folder = root / ".haulage-tree"
    folder.mkdir(parents=True, exist_ok=True)
    index = encode(header or Header()) + b"".join(encode(record) for record in records)
    (folder / "index").write_bytes(index)
    (folder / "marker").write_bytes(marker(len(records), hashlib.sha256(index).hexdigest()))


def refused(root: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        describe(LocalReader(str(root)))
    return caught.value


def foreign_file(sidecar: Path) -> None:
    shutil.rmtree(sidecar)
    sidecar.write_text("mine")


def foreign_link(sidecar: Path) -> None:
    sidecar.rename(sidecar.parent.parent / "moved")
    sidecar.symlink_to(sidecar.parent.parent / "moved")


def linked_index(sidecar: Path) -> None:
    (sidecar / "index").rename(sidecar.parent / "elsewhere")
    (sidecar / "index").symlink_to("../elsewhere")


def fifo_marker(sidecar: Path) -> None:
    (sidecar / "marker").unlink()
    os.mkfifo(sidecar / "marker")


def flipped(sidecar: Path) -> None:
    index = bytearray((sidecar / "index").read_bytes())
    index[len(index) // 2] ^= 1
    (sidecar / "index").write_bytes(index)


@pytest.mark.parametrize(
    "spoil",
    [
        foreign_file,
        foreign_link,
        linked_index,
        fifo_marker,
        flipped,
        lambda sidecar: (sidecar / "marker").unlink(),
        lambda sidecar: (sidecar / "index").unlink(),
        lambda sidecar: (sidecar / "index").write_bytes(b""),
        lambda sidecar: (sidecar / "index").write_bytes((sidecar / "index").read_bytes()[:-1]),
        lambda sidecar: (sidecar / "marker").write_bytes(b"\xef\xbb\xbf" + (sidecar / "marker").read_bytes()),
        lambda sidecar: (sidecar / "marker").write_bytes((sidecar / "marker").read_bytes() + b"\n"),
        lambda sidecar: (sidecar / "desktop.ini").write_bytes(b""),
        lambda sidecar: shutil.rmtree(sidecar / "data"),
    ],
)
def test_a_spoiled_sidecar_is_refused(place: Path, spoil: Callable[[Path], object]) -> None:
    spoil(place / ".haulage-tree")
    assert refused(place).code == "sidecar-malformed"


def test_b37_a_newer_sidecar_needs_a_newer_haulage(place: Path) -> None:
    (place / ".haulage-tree" / "marker").write_bytes(b"haulage-tree 2\nwhatever: comes\n")
    assert refused(place).code == "sidecar-newer"


def test_a_missing_or_shortened_stored_content_is_refused(place: Path) -> None:
    stored = [Path(folder, name) for folder, _, names in os.walk(place / ".haulage-tree" / "data") for name in names]
    largest = max(stored, key=lambda path: path.stat().st_size)
    os.truncate(largest, 10)
    assert "wrong size" in refused(place).message
    largest.unlink()
    assert "is not in it" in refused(place).message


WHOLE = Record(path=b"w", whole="symlink", target=b"x")


@pytest.mark.parametrize(
    "records",
    [
        [Record(path=b"nothing there", mode=0o600)],
        [Record(path=b"f", whole="folder")],
        [Record(path=b"no/folder", whole="symlink", target=b"x")],
        [Record(path=b"f/below a file", whole="symlink", target=b"x")],
        [WHOLE, WHOLE],
        [WHOLE, Record(path=b"a", whole="symlink", target=b"x")],
        [Record(path=b"w", whole="file", same_as=b"missing")],
        [Record(path=b"w", whole="file", same_as=b"d")],
        [Record(path=b"w", whole="file", size=3)],
    ],
)
def test_records_that_contradict_the_place_are_refused(tmp_path: Path, records: list[Record]) -> None:
    (tmp_path / "t" / "d").mkdir(parents=True)
    (tmp_path / "t" / "f").write_text("x")
    set_index(tmp_path / "t", records)
    assert refused(tmp_path / "t").code == "sidecar-malformed"


@pytest.mark.parametrize(
    "document",
    [
        {"path": b"a", "surprise": 1},
        {"path": b"../a", "mode": 1},
        {"path": b"/a", "mode": 1},
        {"path": b".haulage-tree/marker", "mode": 1},
        {"path": "text", "mode": 1},
        {"mode": 1},
        {"path": b"a", "mode": 0o10000},
        {"path": b"a", "mode": -1},
        {"path": b"a", "mode": 1.0},
        {"path": b"a", "mode": None},
        {"path": b"a", "mtime_ns": 1 << 63},
        {"path": b"a", "owner": [1, -1, "", ""]},
        {"path": b"a", "owner": [1, 1, ""]},
        {"path": b"a", "whole": "device"},
        {"path": b"a", "whole": "file"},
        {"path": b"a", "whole": "file", "size": -1},
        {"path": b"a", "whole": "symlink", "size": 1, "target": b"x"},
        {"path": b"", "whole": "folder"},
        {"path": b"a", "size": 1},
        {"path": b"b", "whole": "file", "same_as": b"c"},
        {"path": b"b", "whole": "file", "same_as": b"a", "mode": 1},
        {"path": b"b", "whole": "file", "same_as": b"../a"},
        {"path": b"a", "unset": ["owner", "mode"]},
        {"path": b"a", "unset": ["size"]},
        {"path": b"a", "streams": [[b"b", 1, True], [b"a", 1, True]]},
        {"path": b"a", "streams": [[b"a", 1, True], [b"a", 1, True]]},
        {"path": b"a", "streams": [[b"a:b", 1, True]]},
        {"path": b"a", "streams": [[b"a", -1, True]]},
        {"path": b"a", "attributes": [[b"z", b""], [b"a", b""]]},
    ],
)
def test_b34_records_that_break_the_rules_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        decode_record(msgspec.msgpack.encode(document))


def test_b27_a_field_given_twice_or_padded_is_refused() -> None:
    good = encode(Record(path=b"a", mode=1))[4:]
    assert decode_record(good) == Record(path=b"a", mode=1)
    twice = b"\x83" + good[1:] + msgspec.msgpack.encode("mode") + b"\x01"
    wide = good[:-1] + b"\xcc\x01"
    for bad in (twice, wide, good + b"\0", good[:-1], b""):
        with pytest.raises(FormatError):
            decode_record(bad)


@given(st.binary(max_size=200))
def test_i24_any_bytes_are_a_record_or_refused(body: bytes) -> None:
    for decode in (decode_record, decode_header):
        try:
            assert encode(decode(body))[4:] == body
        except FormatError:
            pass
    try:
        read_marker(body)
    except FormatError:
        pass


def test_b29_deep_nesting_is_refused() -> None:
    with pytest.raises(FormatError):
        decode_record(b"\x81\xa4path" + b"\x91" * 200_000)


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    tree.put(Entry(path=b"f", type=EntryType.FILE), b"x", {b"s": b"stream"})
    write_sidecar_folder(tree, str(tmp_path / "t"))
    sidecar = tmp_path / "t" / ".haulage-tree"
    name = hashlib.sha256(b"stream\0f\0s").hexdigest()
    assert (sidecar / "data" / name[:2] / name).read_bytes() == b"stream"
    index = (sidecar / "index").read_bytes()
    assert (sidecar / "marker").read_text() == f"haulage-tree 1\nrecords 2\nindex-sha256 {hashlib.sha256(index).hexdigest()}\n"
    documents = []
    while index:
        size = int.from_bytes(index[:4], "little")
        documents.append(msgspec.msgpack.decode(index[4 : 4 + size]))
        index = index[4 + size :]
    assert documents == [
        {"no_mode": True, "no_owner": True},
        {"path": b"", "mtime_ns": 0},
        {"path": b"f", "mtime_ns": 0, "streams": [[b"s", 6, True]]},
    ]
