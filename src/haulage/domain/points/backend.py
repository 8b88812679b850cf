"""What every kind of distribution point can do. Each implementation proves itself by running the shared suite of this interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from haulage.base.ids import NO_VERSION, PackageId, VersionNumber
from haulage.engine.trees.model import TreeReader, TreeWriter


class PointBackend(Protocol):
    """One distribution point. Every call raises TransferError naming path, operation and the system's cause when the place does not
    work this time, NotAllowedError when the place is not the one it should be (unmounted, foreign)."""

    def probe(self) -> None:
        """Look whether the place is there, is the right one, and can be written."""
        ...

    def free_bytes(self) -> int | None:
        """Free space; None where the place cannot tell."""
        ...

    def current(self, package: PackageId) -> VersionNumber:
        """The version clients see; 0 for none."""
        ...

    def versions(self, package: PackageId) -> Sequence[VersionNumber]:
        """The versions that lie there whole, oldest first, current or not."""
        ...

    def stage(self, package: PackageId, version: VersionNumber, *, like: VersionNumber = NO_VERSION) -> TreeWriter:
        """A writer into a private place beside. Of an earlier try of the same version nothing is there, but the writer may take
        over the files it finished, judged by their size and time; and it may offer to share bytes with the version ``like`` that
        lies there whole (:class:`~haulage.engine.trees.model.SharingWriter`), never so that a change of one changes the other. So
        what is staged must be read before it is published. What was staged of other versions is gone."""
        ...

    def left_bytes(self, package: PackageId, version: VersionNumber) -> int:
        """The space that earlier tries of this version hold, which the next one uses or gives back."""
        ...

    def discard(self, package: PackageId, version: VersionNumber) -> None:
        """What was staged is not right: the next try starts from nothing."""
        ...

    def staged(self, package: PackageId, version: VersionNumber) -> TreeReader:
        """Read what was staged and finished, before anybody else sees it."""
        ...

    def publish(self, package: PackageId, version: VersionNumber, documents: Mapping[str, bytes]) -> None:
        """Make the staged tree the version clients see, atomically: tree first, documents next, the pointer last. A tree of that
        version that was there before is replaced."""
        ...

    def document(self, package: PackageId, version: VersionNumber, name: str) -> bytes | None:
        """One of the documents that were published with a version; None if it is not there. It may be damaged."""
        ...

    def reader(self, package: PackageId, version: VersionNumber) -> TreeReader:
        """Read a version that lies there."""
        ...

    def remove_version(self, package: PackageId, version: VersionNumber) -> None:
        """Remove one version that is not current."""
        ...

    def tidy(self, package: PackageId) -> None:
        """Remove what removals and replacements that were killed left of a package that is whole; none of it is shown again."""
        ...

    def remove_package(self, package: PackageId) -> None:
        """Remove everything of a package, and look that it is gone."""
        ...

    def packages(self) -> Sequence[PackageId]:
        """The packages of which anything lies there."""
        ...
