"""Every kind of point runs the same promises; a folder keeps some more."""

from __future__ import annotations

import os
import pathlib

import pytest

from haulage.base.errors import NotAllowedError, TransferError
from haulage.base.ids import NO_VERSION, PackageId, Place
from haulage.domain.points.backend import PointBackend
from haulage.domain.points.folder import MARKER, FolderPoint
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.testing.memory_point import MemoryPoint
from tests.domain.points.suite import PACKAGE, V1, V2, PointPromises

PLACE = Place("HQ1/p")


class TestMemoryPoint(PointPromises):
    @pytest.fixture(autouse=True)
    def _place(self) -> None:
        self.point = MemoryPoint(PLACE)

    def open(self) -> PointBackend:
        return self.point

    def break_it(self) -> None:
        self.point.broken = True


class TestFolderPoint(PointPromises):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: pathlib.Path) -> None:
        self.root = tmp_path / "point"
        self.folder().establish()

    def folder(self, place: Place = PLACE) -> FolderPoint:
        return FolderPoint(str(self.root), place, open_reader=LocalReader, open_writer=LocalWriter)

    def open(self) -> PointBackend:
        return self.folder()

    def break_it(self) -> None:
        os.rename(self.root, self.root.with_name("elsewhere"))

    def test_clients_find_plain_files(self) -> None:
        self.put(PACKAGE, V1, b"one")
        assert (self.root / PACKAGE / "1" / "d" / "file").read_bytes() == b"one"
        assert (self.root / PACKAGE / ".haulage" / "1" / "version.json").exists()

    def test_b106_an_unmounted_or_foreign_folder_is_not_written(self) -> None:
        (self.root / MARKER).unlink()
        with pytest.raises(TransferError) as missing:
            self.folder().probe()
        assert missing.value.code == "point-not-there"
        self.folder().establish()
        with pytest.raises(NotAllowedError):
            self.folder(Place("HQ1/q")).establish()

    def test_a_pointer_to_what_is_not_there_shows_nothing(self) -> None:
        self.put(PACKAGE, V1, b"one")
        os.rename(self.root / PACKAGE / "1", self.root / PACKAGE / "2")
        assert self.folder().current(PACKAGE) == NO_VERSION
        (self.root / PACKAGE / ".haulage" / "current").write_bytes(b"not a pointer")
        assert self.folder().current(PACKAGE) == NO_VERSION

    def test_q215117_unlike_causes_have_unlike_sentences(self) -> None:
        self.put(PACKAGE, V1, b"one")
        (self.root / "HQ100009").write_bytes(b"a file in the way")
        sentences = set()
        with pytest.raises(TransferError) as in_the_way:
            self.folder().stage(PackageId("HQ100009"), V1)
        sentences.add(in_the_way.value.message)
        self.break_it()
        with pytest.raises(TransferError) as gone:
            self.folder().stage(PACKAGE, V2)
        sentences.add(gone.value.message)
        assert len(sentences) == 2
        assert all(str(self.root) in sentence for sentence in sentences)
        assert "Not a directory" in in_the_way.value.message or "File exists" in in_the_way.value.message

    def test_folders_without_write_permission_are_removed_all_the_same(self) -> None:
        self.put(PACKAGE, V1, b"one")
        os.chmod(self.root / PACKAGE / "1" / "d", 0o500)
        self.folder().remove_package(PACKAGE)
        assert list(self.folder().packages()) == []
