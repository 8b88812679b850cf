"""A distribution point in memory, as atomic as the one in a folder; it can be broken and healed. For tests and the simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from haulage.base.errors import TransferError
from haulage.base.files import step
from haulage.base.ids import NO_VERSION, PackageId, Place, VersionNumber
from haulage.engine.trees.memory import MemoryReader, MemoryTree, MemoryWriter
from haulage.engine.trees.model import TreeReader, TreeWriter

Key = tuple[PackageId, VersionNumber]


class MemoryPoint:
    """Implements :class:`~haulage.domain.points.backend.PointBackend`. ``trees`` is open to tests that want to damage it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.trees: dict[Key, MemoryTree] = {}
        self.pointers: dict[PackageId, VersionNumber] = {}
        self.documents: dict[Key, dict[str, bytes]] = {}
        self.broken = False
        self.changed = False
        """Something became visible or went since somebody last set this back."""
        self._staging: dict[Key, MemoryWriter] = {}

    def probe(self) -> None:
        self._require_whole("look at")

    def free_bytes(self) -> int | None:
        return None

    def current(self, package: PackageId) -> VersionNumber:
        self._require_whole("read")
        version = self.pointers.get(package, NO_VERSION)
        return version if (package, version) in self.trees else NO_VERSION

    def versions(self, package: PackageId) -> Sequence[VersionNumber]:
        self._require_whole("list")
        return sorted(version for known, version in self.trees if known == package)

    def stage(self, package: PackageId, version: VersionNumber, *, like: VersionNumber = NO_VERSION) -> TreeWriter:  # noqa: ARG002  (memory shares nothing)
        self._require_whole("write")
        for key in self._keys(package):
            self._staging.pop(key, None)
        writer = self._staging[package, version] = MemoryWriter()
        return writer

    def left_bytes(self, package: PackageId, version: VersionNumber) -> int:
        self._require_whole("look at")
        writer = self._staging.get((package, version))
        return 0 if writer is None else sum(len(content) for content in writer.tree.contents.values())

    def discard(self, package: PackageId, version: VersionNumber) -> None:
        self._require_whole("remove")
        self._staging.pop((package, version), None)

    def staged(self, package: PackageId, version: VersionNumber) -> TreeReader:
        self._require_whole("read")
        return MemoryReader(self._staging[package, version].tree)

    def publish(self, package: PackageId, version: VersionNumber, documents: Mapping[str, bytes]) -> None:
        self._require_whole("switch")
        step("point-tree")
        self.trees[package, version] = self._staging.pop((package, version)).tree
        self.documents[package, version] = dict(documents)
        self.changed = True
        step("point-pointer")
        self.pointers[package] = version

    def document(self, package: PackageId, version: VersionNumber, name: str) -> bytes | None:
        self._require_whole("read")
        return self.documents.get((package, version), {}).get(name)

    def reader(self, package: PackageId, version: VersionNumber) -> TreeReader:
        self._require_whole("read")
        return MemoryReader(self.trees[package, version])

    def remove_version(self, package: PackageId, version: VersionNumber) -> None:
        self._require_whole("remove")
        step("point-remove")
        self.trees.pop((package, version), None)
        self.documents.pop((package, version), None)

    def tidy(self, package: PackageId) -> None:  # noqa: ARG002  (nothing here is ever done in part)
        self._require_whole("remove")

    def remove_package(self, package: PackageId) -> None:
        self._require_whole("remove")
        step("point-remove")
        for key in self._keys(package):
            self.trees.pop(key, None)
            self.documents.pop(key, None)
            self._staging.pop(key, None)
        self.pointers.pop(package, None)
        self.changed = True

    def packages(self) -> Sequence[PackageId]:
        self._require_whole("list")
        return sorted({package for package, _version in (*self.trees, *self._staging)})

    def _keys(self, package: PackageId) -> Iterator[Key]:
        yield from [key for key in (*self.trees, *self._staging) if key[0] == package]

    def _require_whole(self, action: str) -> None:
        if self.broken:
            raise TransferError(
                "point-unusable", f"Point {self.place} could not {action} its folder: Input/output error.", "Look at the disk."
            )
