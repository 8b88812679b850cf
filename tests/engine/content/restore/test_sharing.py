"""Restoring beside an older tree of the same place: what is shared, that the result is exact whatever the older tree really holds,
and that neither is changed by the other."""

from __future__ import annotations

import errno
import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from haulage.base.errors import TransferError
from haulage.engine.content.likeness import same_ranges
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.restore import RestoreReport, restore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.older_tree import LEAST_CLONED_BYTES, LEAST_COPIED_BYTES
from haulage.engine.trees.oscalls import OsCalls
from tests.engine.content.trees import noise, take
from tests.peers import need, program

LARGE = 2 * LEAST_COPIED_BYTES


def tree(contents: dict[bytes, bytes]) -> MemoryTree:
    """Plain files in one folder."""
    made = MemoryTree()
    made.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, mtime_ns=10**18))
    for path, content in contents.items():
        made.put(Entry(path=path, type=EntryType.FILE, mode=0o640, mtime_ns=10**18 + 1), content)
    return made


def pretend_clone(fd: int, _request: int, source: int) -> None:
    """What FICLONE does, on a file system that has none: into an empty file, all of the other."""
    assert os.fstat(fd).st_size == 0
    os.pwrite(fd, os.pread(source, os.fstat(source).st_size, 0), 0)


def refuse(number: int) -> Callable[..., object]:
    """A call that the system answers with an error."""

    def act(*_arguments: object) -> object:
        raise OSError(number, os.strerror(number))

    return act


class Place:
    """A folder with an older tree in it, and a newer one to come."""

    def __init__(self, folder: pathlib.Path, older: MemoryTree, newer: MemoryTree, calls: OsCalls | None = None) -> None:
        self.older, self.newer = folder / "older", folder / "newer"
        self.store = MemoryStore()
        self.manifests = [Manifest.open(take(one, self.store).manifest.id, self.store.read) for one in (older, newer)]
        self.calls = calls or OsCalls(ioctl=pretend_clone)
        restore(self.manifests[0], self.store, LocalWriter(str(self.older)))

    def update(self) -> RestoreReport:
        """Restore the newer beside the older."""
        old, new = self.manifests
        return restore(new, self.store, LocalWriter(str(self.newer), older=str(self.older), calls=self.calls), older=old)

    def prove(self) -> None:
        """Both are what they should be."""
        for manifest, path in zip(self.manifests, (self.older, self.newer), strict=True):
            reader = LocalReader(str(path))
            assert list(verify_tree(manifest, reader, threads=0)) == []
            reader.close()


def test_what_is_the_same_is_shared_and_only_the_rest_written(tmp_path: pathlib.Path) -> None:
    content = noise(1, LARGE)
    edited = content[:700_000] + b"!" + content[700_001:]
    place = Place(
        tmp_path,
        tree({b"edited": content, b"gone": b"x", b"same": content, b"small": b"tiny"}),
        tree({b"edited": edited, b"new": noise(2, LARGE), b"same": content, b"small": b"tiny"}),
    )
    report = place.update()
    place.prove()
    assert report.bytes_total == place.manifests[1].totals.bytes_total
    assert 2 * LARGE - 300_000 < report.bytes_shared < 2 * LARGE


@pytest.mark.parametrize(
    "newer",
    [
        pytest.param(lambda old: old[:-5000], id="shorter"),
        pytest.param(lambda old: old + b"more", id="longer"),
        pytest.param(lambda old: bytes(len(old)), id="all zeros"),
        pytest.param(lambda old: old[:800_000] + bytes(400_000) + old[1_200_000:], id="zeros where there were none"),
        pytest.param(lambda old: b"x" + old, id="everything moved"),
    ],
)
def test_a_content_that_is_partly_the_same(tmp_path: pathlib.Path, newer: Callable[[bytes], bytes]) -> None:
    content = noise(1, LARGE)
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": newer(content)}))
    place.update()
    place.prove()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_tree_over_any_older_one(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    pieces = st.lists(st.sampled_from([noise(n, 40_000) for n in range(3)] + [bytes(150_000)]), max_size=6).map(b"".join)
    trees = st.dictionaries(st.sampled_from([b"a", b"b", b"c"]), pieces, max_size=3).map(lambda found: tree({**found, b"z": b"z"}))
    place = Place(tmp_path_factory.mktemp("place"), data.draw(trees), data.draw(trees))
    report = place.update()
    place.prove()
    assert report.bytes_total == place.manifests[1].totals.bytes_total


def test_an_older_tree_that_is_not_what_it_should_be_is_found_when_everything_is_read(tmp_path: pathlib.Path) -> None:
    content = noise(1, LARGE)
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content}))
    with (place.older / "file").open("r+b") as file:
        file.seek(500_000)
        file.write(b"damage")
    assert place.update().bytes_shared == LARGE
    (difference,) = verify_tree(place.manifests[1], LocalReader(str(place.newer)), threads=0)
    assert difference.what == "content"


@pytest.mark.parametrize("older", ["missing", "link", "folder", "shorter"])
def test_what_stands_in_the_place_of_an_older_file_is_not_followed(tmp_path: pathlib.Path, older: str) -> None:
    content = noise(1, LARGE)
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content}))
    path, elsewhere = place.older / "file", tmp_path / "elsewhere"
    elsewhere.write_bytes(bytes(LARGE))
    path.unlink()
    if older == "link":
        path.symlink_to(elsewhere)
    elif older == "folder":
        path.mkdir()
    elif older == "shorter":
        path.write_bytes(content[:-1])
    assert place.update().bytes_shared == 0
    assert list(verify_tree(place.manifests[1], LocalReader(str(place.newer)), threads=0)) == []


def test_without_an_older_manifest_or_tree_everything_is_written(tmp_path: pathlib.Path) -> None:
    content = noise(1, LARGE)
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content}))
    old, new = place.manifests
    for number, (writer, manifest) in enumerate(
        (
            (LocalWriter(str(tmp_path / "0"), older=str(place.older), calls=place.calls), None),
            (LocalWriter(str(tmp_path / "1")), old),
            (LocalWriter(str(tmp_path / "2"), older=str(tmp_path / "nowhere")), old),
            (LocalWriter(str(tmp_path / "3"), older=str(place.older), calls=place.calls, sidecar_only=True), old),
        )
    ):
        assert restore(new, place.store, writer, older=manifest).bytes_shared == 0
        assert list(verify_tree(new, LocalReader(str(tmp_path / str(number))), threads=0)) == []


def test_an_older_manifest_that_cannot_be_read_shares_nothing(tmp_path: pathlib.Path) -> None:
    content = noise(1, LARGE)
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content, b"more": b"more"}))
    del place.store.chunks[place.manifests[0].pages()[0].id]
    assert place.update().bytes_shared == 0


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EXDEV, errno.EIO])
def test_where_nothing_can_be_cloned_large_files_are_copied_whole(tmp_path: pathlib.Path, number: int) -> None:
    same, edited = noise(1, LARGE), noise(2, LARGE)
    place = Place(
        tmp_path,
        tree({b"edited": edited, b"medium": noise(3, LEAST_CLONED_BYTES), b"same": same}),
        tree({b"edited": edited[:-1] + b"!", b"medium": noise(3, LEAST_CLONED_BYTES), b"same": same}),
        OsCalls(ioctl=refuse(number)),
    )
    assert place.update().bytes_shared == LARGE
    place.prove()


def test_where_nothing_can_be_shared_everything_is_written(tmp_path: pathlib.Path) -> None:
    content = noise(1, LARGE)
    calls = changed_calls({"ioctl": refuse(errno.ENOTTY), "copy_file_range": refuse(errno.EIO)})
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content}), calls)
    assert place.update().bytes_shared == 0
    place.prove()


def test_holes_are_not_filled_by_copying(tmp_path: pathlib.Path) -> None:
    content = noise(1, LARGE) + bytes(LARGE)
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content}), OsCalls(ioctl=refuse(errno.ENOTTY)))
    assert place.update().bytes_shared == 0
    assert (place.newer / "file").stat().st_blocks * 512 < 2 * LARGE
    place.prove()


@pytest.mark.parametrize("call", ["ioctl", "copy_file_range"])
def test_a_full_disk_is_said_as_ever(tmp_path: pathlib.Path, call: str) -> None:
    content = noise(1, LARGE)
    calls = changed_calls({"ioctl": refuse(errno.ENOTTY), call: refuse(errno.ENOSPC)})
    place = Place(tmp_path, tree({b"file": content}), tree({b"file": content}), calls)
    with pytest.raises(TransferError) as caught:
        place.update()
    assert caught.value.code == "disk-full"


def changed_calls(acts: dict[str, Callable[..., object]]) -> OsCalls:
    """The system's calls, some of them replaced."""
    return OsCalls(**acts)  # type: ignore[arg-type]


def test_a_file_with_more_than_bytes_keeps_all_of_it(tmp_path: pathlib.Path) -> None:
    older, newer = tree({b"file": noise(1, LARGE)}), tree({})
    entry = changed(older.entries[b"file"], mtime_ns=7, mode=0o600)
    newer.put(entry, noise(1, LARGE), {b"stream": b"of its own", b"large": noise(2, 200_000)})
    place = Place(tmp_path, older, newer)
    assert place.update().bytes_shared == LARGE
    place.prove()


def test_ranges_of_lists_of_chunks() -> None:
    store = MemoryStore()
    content = noise(1, 20 << 20)
    one, two = (
        Manifest.open(take(tree({b"f": data}), store).manifest.id, store.read).lookup(b"f")
        for data in (content, content[: 3 << 20] + b"!" + content[(3 << 20) + 1 :])
    )
    assert one is not None
    assert two is not None
    (_, first), (start, second) = same_ranges(two.content, one.content, store.read)
    assert 0 < start - first < 300_000
    assert first + second + (start - first) == len(content)
    assert same_ranges(one.content, one.content, store.read) == [(0, len(content))]


@pytest.fixture(params=["xfs", "btrfs"])
def cloning(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file system that clones, in a file."""
    need(request.param)
    image, place = tmp_path / "image", tmp_path / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(320 << 20)
    subprocess.run([str(program(f"mkfs.{request.param}")), "-q", image], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_real_file_system_clones_and_keeps_the_two_apart(cloning: pathlib.Path) -> None:
    content = noise(1, 8 << 20)
    edited = bytearray(content)
    edited[5_000_000:5_000_010] = b"0123456789"
    older, newer = tree({b"same": content, b"edited": content}), tree({b"same": content, b"edited": bytes(edited)})
    place = Place(cloning, older, newer, OsCalls())
    free = os.statvfs(cloning).f_bavail
    report = place.update()
    assert report.bytes_shared > 15 << 20
    assert (free - os.statvfs(cloning).f_bavail) * os.statvfs(cloning).f_frsize < 4 << 20
    place.prove()
    (place.newer / "same").write_bytes(b"somebody writes here")
    reader = LocalReader(str(place.older))
    assert list(verify_tree(place.manifests[0], reader, threads=0)) == []
    reader.close()
