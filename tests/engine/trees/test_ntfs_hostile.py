"""NTFS volumes made by hand: sound ones read as what they say, hostile ones refused, never endless, never outside of the tree."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

import pytest

from haulage.base.errors import FormatError, HaulageError, UsageError
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.trees.model import EntryType, Hole
from haulage.engine.trees.ntfs_reader import NtfsReader
from haulage.testing import ntfs_image as ntfs
from haulage.testing.clock import HandClock
from haulage.testing.folders import describe

ROOT = ntfs.ROOT | 1 << 48


def at(number: int, sequence: int = 1) -> int:
    """The reference of a record; the first behind the system's own is 16."""
    return number | sequence << 48


def table(*records: bytes) -> list[bytes]:
    """A table whose first sixteen records are the system's, the root among them."""
    made = [ntfs.record(ntfs.standard(), ntfs.data(b"")) for _ in range(16)]
    made[ntfs.ROOT] = ntfs.record(ntfs.standard(), flags=3)
    return [*made, *records]


def printed(records: bytes, image: str, number: int, most_bytes: int, name: bytes | None = None) -> IO[bytes]:
    """Stands for ntfscat."""
    del image, number, most_bytes, name
    spool = tempfile.TemporaryFile()  # noqa: SIM115  (it is what is returned)
    spool.write(records)
    spool.flush()
    return spool


@pytest.fixture
def image() -> Iterator[str]:
    fd = os.memfd_create("image")
    os.write(fd, ntfs.boot() + b"".join(bytes([number]) * 512 for number in range(1, 100)))
    yield f"/proc/self/fd/{fd}"
    os.close(fd)


def reading(image: str, records: Sequence[bytes]) -> NtfsReader:
    return NtfsReader(image, fetch=functools.partial(printed, b"".join(records)))


def refusal(image: str, *records: bytes) -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        describe(reading(image, table(*records)))
    return caught.value


def test_a_volume_made_by_hand_reads_as_what_it_says(image: str) -> None:
    found = describe(reading(image, ntfs.records()))
    assert sorted(found) == [b"", b"clusters", b"extended", b"folder", b"folder/a.txt", b"folder/two", b"link", b"one"]
    assert found[b"folder/a.txt"][1:] == (b"hello", {b"Zone.Identifier": b"zone"})
    assert found[b"clusters"][1] == b"\x04" * 512 + b"\x05" * 512 + bytes(3 * 512) + b"\x09" * 505
    assert found[b"link"][0].target == b"folder/a.txt"
    assert found[b"one"][0].same_as == b"folder/two"
    assert found[b"extended"][1] == b"in the extension"


def test_a_folder_inside_itself_is_refused(image: str) -> None:
    loop = ntfs.record(ntfs.standard(), ntfs.named("a", ROOT), ntfs.named("self", at(16)), flags=3)
    error = refusal(image, loop)
    assert error.code == "ntfs-damaged"
    assert "several names" in error.message


def test_two_folders_inside_one_another_are_refused_or_not_reached(image: str) -> None:
    one = ntfs.record(ntfs.standard(), ntfs.named("one", ROOT), ntfs.named("again", at(17)), flags=3)
    two = ntfs.folder("two", at(16))
    assert refusal(image, one, two).code == "ntfs-damaged"
    lost = describe(reading(image, table(ntfs.folder("x", at(17)), ntfs.folder("y", at(16)))))
    assert set(lost) == {b""}


def test_the_root_is_nobodys_child(image: str) -> None:
    records = table(ntfs.folder("a", ROOT))
    records[ntfs.ROOT] = ntfs.record(ntfs.standard(), ntfs.named("root", at(16)), flags=3)
    assert set(describe(reading(image, records))) == {b"", b"a"}


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a\0b", "/"])
def test_b31_names_that_would_leave_the_tree_are_refused(image: str, name: str) -> None:
    assert refusal(image, ntfs.file(name, b"x")).code == "ntfs-damaged"


@pytest.mark.parametrize("stream", ["a:b", "a/b", "nul\0", ":$DATA"])
def test_b12_streams_of_impossible_names_are_refused(image: str, stream: str) -> None:
    spoiled = ntfs.record(ntfs.standard(), ntfs.named("f", ROOT), ntfs.data(b"x"), ntfs.data(b"y", stream))
    assert refusal(image, spoiled).code == "bad-stream-name"


@pytest.mark.parametrize("stream", ['"quoted"', "back\\slash", "star*", "CON", "trailing.", "lone \ud800", "\u202egpj"])
def test_b12_streams_of_names_that_only_look_wrong_are_exact(image: str, stream: str) -> None:
    named = ntfs.record(ntfs.standard(), ntfs.named("f", ROOT), ntfs.data(b"x"), ntfs.data(b"y", stream))
    assert describe(reading(image, table(named)))[b"f"][2] == {stream.encode("utf-8", "surrogatepass"): b"y"}


def test_a_name_twice_in_a_folder_is_refused(image: str) -> None:
    error = refusal(image, ntfs.file("same", b"1", ROOT), ntfs.file("same", b"2", ROOT))
    assert "twice" in error.message


@pytest.mark.parametrize("base", [at(16), at(400), at(17, 9), at(5)])
def test_an_extension_of_nothing_or_of_itself_is_refused_or_left_out(image: str, base: int) -> None:
    extension = ntfs.record(ntfs.data(b"x"), base=base)
    found: set[bytes] = set()
    with contextlib.suppress(FormatError):
        found = set(describe(reading(image, table(extension, ntfs.file("f", b"y", ROOT)))))
    assert found in (set(), {b"", b"f"})


def test_b15_a_hole_of_exabytes_costs_nothing_to_list_and_is_over_the_limit(image: str) -> None:
    size = (1 << 51) * 512
    hole = ntfs.non_resident(b"\x07" + (1 << 51).to_bytes(7, "little") + b"\0", 1 << 51, size)
    reader = reading(image, table(ntfs.record(ntfs.standard(), ntfs.named("huge", ROOT), hole)))
    entry = next(entry for entry in reader.entries() if entry.path == b"huge")
    assert (entry.type, entry.size) == (EntryType.FILE, size)
    content = reader.open(entry)
    assert content.read_at(size - 5, 5) == bytes(5)
    assert content.holes() == [Hole(offset=0, size=size)]
    with pytest.raises(UsageError) as caught:
        capture(reader, MemoryStore(), HandClock(), options=CaptureOptions(threads=0, max_bytes=1 << 40))
    assert caught.value.code == "source-too-large"


@pytest.mark.parametrize(
    ("runs", "clusters", "size"),
    [
        (b"\x11\x01\xff\0", 1, 512),  # before the volume
        (b"\x21\x01\xff\x7f\0", 1, 512),  # behind its end
        (b"\x11\x7f\x01\0", 127, 127 * 512),  # runs over its end
        (b"\x11\x01\x01\0", 1, 513),  # fewer clusters than bytes
    ],
)
def test_b34_b49_clusters_outside_of_the_volume_are_refused(image: str, runs: bytes, clusters: int, size: int) -> None:
    assert refusal(image, ntfs.record(ntfs.standard(), ntfs.named("f", ROOT), ntfs.non_resident(runs, clusters, size))).code in (
        "ntfs-damaged",
    )
