"""A point that holds the version before: the new one shares what is the same, and a damaged older one spoils nothing."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Sequence

import pytest

from haulage.base.ids import Place, VersionNumber
from haulage.domain.points.folder import FolderPoint
from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader
from haulage.engine.trees.model import Added, Entry, EntryType, TreeWriter
from haulage.engine.trees.oscalls import OsCalls
from tests.domain.worlds import ONE, Lab, lab
from tests.engine.content.restore.test_sharing import pretend_clone
from tests.engine.content.trees import noise

POINT = "HQ1/SHOP"
LARGE = noise(1, 300_000)
FILE = Entry(path=b"large", type=EntryType.FILE, mode=0o644, mtime_ns=1)


class Counting(LocalWriter):
    """Counts what was shared."""

    shared: list[bytes]

    def add_like(self, entry: Entry, same: Sequence[tuple[int, int]]) -> Added:
        added = super().add_like(entry, same)
        if added is Added.SAME:
            self.shared.append(entry.path)
        return added


class Site:
    """One site with one folder as its point; two versions of a package."""

    def __init__(self, here: Lab, root: pathlib.Path) -> None:
        self.here, self.root = here, root
        self.stages: list[list[bytes]] = []
        self.folder = FolderPoint(str(root), Place(POINT), open_reader=LocalReader, open_writer=self._writer)
        self.folder.establish()
        here.point(POINT)
        here.world.points[f"folder:/{POINT}"] = self.folder  # type: ignore[assignment]
        self.package = here.package(POINT)
        self.source = here.world.sources.trees["memory:demo"]
        self.source.put(FILE, LARGE)
        self.publish(1)

    def _writer(self, root: str, /, *, earlier: Sequence[str], older: str | None, keep: bool) -> TreeWriter:
        writer = Counting(root, earlier=earlier, older=older, keep=keep, calls=OsCalls(ioctl=pretend_clone))
        writer.shared = []
        self.stages.append(writer.shared)
        return writer

    def publish(self, version: int) -> None:
        self.source.put(Entry(path=b"changing", type=EntryType.FILE, mode=0o644, mtime_ns=1), b"%d" % version)
        self.here.publish(self.package)
        self.here.settle()
        row = self.here.row(self.package, POINT)
        assert (row.present, row.tries) == (version, 0), row.error_message
        reader = self.folder.reader(self.package, VersionNumber(version))
        assert list(compare_trees(MemoryReader(self.source), reader)) == []
        reader.close()


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    with lab(ONE) as here:
        yield Site(here, tmp_path / "point")


def test_the_next_version_shares_what_is_the_same(site: Site) -> None:
    site.publish(2)
    assert site.stages == [[], [b"large"]]


def test_a_damaged_older_version_is_found_out_and_not_shared(site: Site) -> None:
    path = site.root / site.package / "1" / "large"
    path.write_bytes(b"damage" + LARGE[6:])
    os.utime(path, ns=(1, 1))
    site.publish(2)
    assert site.stages == [[], [b"large"], []]
