"""A distribution point that is a folder: plain trees people and clients can read, switched atomically.

    ROOT/.haulage-point                     which point this is; a foreign or unmounted folder is refused
    ROOT/ID/VERSION/                        the tree, byte-exact
    ROOT/ID/.haulage/current                {"version"}, replaced last
    ROOT/ID/.haulage/VERSION/               the signed documents of that version
    ROOT/ID/.haulage/VERSION/manifest/HEX   its manifest pages, by digest
    ROOT/ID/.staging.VERSION                what is being written; nobody reads it
    ROOT/ID/.partial.VERSION.N              what the N-th try left when it ended early; finished files are taken from it
    ROOT/ID/.old.VERSION                    what is being removed

Renames stay within one folder, since a folder that its owner may not write cannot be moved to another.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from haulage.base.errors import FormatError, NotAllowedError, TransferError
from haulage.base.files import clear_unfinished, make_folder, make_one, remove_tree, rename, sync_folder, write_durable
from haulage.base.ids import NO_VERSION, PackageId, Place, VersionNumber
from haulage.engine.protocol.codec import canonical, parse
from haulage.engine.trees.model import TreeReader, TreeWriter
from haulage.engine.trees.trouble import FULL

MARKER = ".haulage-point"
_PACKAGE = re.compile(r"[A-Z0-9]{3}[0-9A-F]{5}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")

OpenReader = Callable[[str], TreeReader]
_UNDER_WAY = re.compile(r"\.(staging|partial|old)\.([1-9][0-9]{0,8})(?:\.([1-9][0-9]{0,8}))?")
_MOST_PARTIALS = 8
_MOST_DOCUMENT_BYTES = 16 << 20


class OpenWriter(Protocol):
    """Write into an empty folder; all else as :class:`~haulage.engine.trees.local_writer.LocalWriter` has it."""

    def __call__(self, root: str, /, *, earlier: Sequence[str], older: str | None, keep: bool) -> TreeWriter: ...


class FolderPoint:
    """A folder as a point. Implements :class:`~haulage.domain.points.backend.PointBackend`."""

    def __init__(self, root: str, place: Place, *, open_reader: OpenReader, open_writer: OpenWriter) -> None:
        self._root = root
        self._place = place
        self._open_reader = open_reader
        self._open_writer = open_writer

    def establish(self) -> None:
        """Take the folder for this point: create it if its parent is there, and mark it. Done once, when the point is defined."""
        with self._trouble("mark"):
            if not os.path.isdir(self._root):
                make_one(self._root)
                sync_folder(os.path.dirname(self._root) or "/")
            clear_unfinished(self._root)
            marker = os.path.join(self._root, MARKER)
            if os.path.exists(marker):
                self.probe()
                return
            write_durable(marker, canonical({"format": 1, "place": self._place}))

    def probe(self) -> None:
        with self._trouble("read"):
            try:
                with open(os.path.join(self._root, MARKER), "rb") as file:
                    marker = parse(file.read(4096), what="point marker")
            except FileNotFoundError:
                raise TransferError(
                    "point-not-there",
                    f"{self._root} is not (or not any more) the folder of point {self._place}: its marker {MARKER} is missing.",
                    "Is it mounted? If the folder is new on purpose, remove the point and add it again.",
                ) from None
        if not isinstance(marker, dict) or marker.get("place") != self._place:
            raise NotAllowedError(
                "point-foreign", f"{self._root} belongs to another point, not to {self._place}.", "Give each point its own folder."
            )

    def free_bytes(self) -> int | None:
        with self._trouble("read"):
            facts = os.statvfs(self._root)
        return facts.f_bavail * facts.f_frsize

    def current(self, package: PackageId) -> VersionNumber:
        try:
            with self._trouble("read"), open(self._path(package, ".haulage", "current"), "rb") as file:
                pointer = parse(file.read(4096), what="point pointer")
        except (FileNotFoundError, NotADirectoryError, FormatError):
            # Whatever stands there is not a pointer we wrote; the version is put again.
            return NO_VERSION
        number = pointer.get("version") if isinstance(pointer, dict) else None
        return VersionNumber(number) if isinstance(number, int) and number in self.versions(package) else NO_VERSION

    def versions(self, package: PackageId) -> Sequence[VersionNumber]:
        with self._trouble("list"):
            names = self._names(self._path(package))
        return sorted(VersionNumber(int(name)) for name in names if _NUMBER.fullmatch(name))

    def stage(self, package: PackageId, version: VersionNumber, *, like: VersionNumber = NO_VERSION) -> TreeWriter:
        # Making folders would make the point anew where it is only not mounted.
        self.probe()
        path = self._staging(package, version)
        with self._trouble("write"):
            if not os.path.isdir(self._path(package)):
                # Never the root itself: where a mount is missing, the folder below it is not ours to fill.
                make_one(self._path(package))
                sync_folder(self._root)
            earlier = self._clear_way(package, version)
            make_one(path)
        older = self._path(package, str(like)) if like != NO_VERSION and like != version else None
        return self._open_writer(path, earlier=earlier, older=older, keep=True)

    def left_bytes(self, package: PackageId, version: VersionNumber) -> int:
        with self._trouble("read"):
            roots = [self._staging(package, version), *self._partials(package, version).values()]
            return sum(_space_below(root) for root in roots)

    def discard(self, package: PackageId, version: VersionNumber) -> None:
        with self._trouble("remove"):
            # In one rename out of the next try's sight: what is left of it when this is killed is not looked at again.
            self._discard(self._staging(package, version), self._aside(package, version))
            for path in self._partials(package, version).values():
                self._remove_tree(path)

    def staged(self, package: PackageId, version: VersionNumber) -> TreeReader:
        return self._open_reader(self._staging(package, version))

    def publish(self, package: PackageId, version: VersionNumber, documents: Mapping[str, bytes]) -> None:
        self.probe()
        final, staging = self._path(package, str(version)), self._staging(package, version)
        with self._trouble("switch"):
            make_folder(self._path(package, ".haulage"))
            for name, data in documents.items():
                path = self._path(package, ".haulage", str(version), name)
                make_folder(os.path.dirname(path))
                write_durable(path, data)
            for partial in self._partials(package, version).values():
                self._remove_tree(partial)
            if os.path.lexists(final):
                # A repair: the damaged tree steps aside in one rename and goes afterwards.
                self._remove_tree(self._aside(package, version))
                rename(final, self._aside(package, version), "rename-aside")
            rename(staging, final, "rename-version")
            sync_folder(self._path(package))
            write_durable(self._path(package, ".haulage", "current"), canonical({"version": version}))
            self._remove_tree(self._aside(package, version))

    def document(self, package: PackageId, version: VersionNumber, name: str) -> bytes | None:
        with self._trouble("read"):
            try:
                with open(self._path(package, ".haulage", str(version), name), "rb") as file:
                    return file.read(_MOST_DOCUMENT_BYTES)
            except FileNotFoundError:
                return None

    def reader(self, package: PackageId, version: VersionNumber) -> TreeReader:
        return self._open_reader(self._path(package, str(version)))

    def remove_version(self, package: PackageId, version: VersionNumber) -> None:
        with self._trouble("remove"):
            self._discard(self._path(package, str(version)), self._aside(package, version))
            self._remove_tree(self._path(package, ".haulage", str(version)))

    def tidy(self, package: PackageId) -> None:
        shown = {str(number) for number in self.versions(package)}
        with self._trouble("remove"):
            for name in self._names(self._path(package)):
                if _UNDER_WAY.fullmatch(name) is not None:
                    self._remove_tree(self._path(package, name))
            for name in self._names(self._path(package, ".haulage")):
                path = self._path(package, ".haulage", name)
                if _NUMBER.fullmatch(name) and name not in shown:
                    self._remove_tree(path)
            for folder, _folders, _files in os.walk(self._path(package, ".haulage")):
                clear_unfinished(folder)

    def remove_package(self, package: PackageId) -> None:
        with self._trouble("remove"):
            self._discard(self._path(package), os.path.join(self._root, f".gone.{package}"))
            sync_folder(self._root)

    def packages(self) -> Sequence[PackageId]:
        with self._trouble("list"):
            return [PackageId(name) for name in sorted(self._names(self._root)) if _PACKAGE.fullmatch(name)]

    def _path(self, package: PackageId, *more: str) -> str:
        return os.path.join(self._root, package, *more)

    def _staging(self, package: PackageId, version: VersionNumber) -> str:
        return self._path(package, f".staging.{version}")

    def _clear_way(self, package: PackageId, version: VersionNumber) -> list[str]:
        """Set aside what an earlier try of this version staged, remove all else that was under way. Returns what earlier tries
        left, the newest first: a try that was killed may have taken over only some of what the one before it had finished."""
        for name in self._names(self._path(package)):
            found = _UNDER_WAY.fullmatch(name)
            if found is not None and (found[1] == "old" or int(found[2]) != version):
                self._remove_tree(self._path(package, name))
        partials = self._partials(package, version)
        staging = self._staging(package, version)
        if _is_folder(staging):
            number = max(partials, default=0) + 1
            partials[number] = self._path(package, f".partial.{version}.{number}")
            rename(staging, partials[number], "rename-partial")
        self._remove_tree(staging)
        while len(partials) > _MOST_PARTIALS:
            self._remove_tree(partials.pop(min(partials, key=lambda number: _space_below(partials[number]))))
        return [partials[number] for number in sorted(partials, reverse=True)]

    def _partials(self, package: PackageId, version: VersionNumber) -> dict[int, str]:
        """What earlier tries of a version left, by number; the highest is the newest."""
        matches = [_UNDER_WAY.fullmatch(name) for name in self._names(self._path(package))]
        ours = [one for one in matches if one is not None and one[1] == "partial" and int(one[2]) == version and one[3]]
        paths = {int(one[3]): self._path(package, one[0]) for one in ours}
        return {number: path for number, path in paths.items() if _is_folder(path)}

    def _aside(self, package: PackageId, version: VersionNumber) -> str:
        return self._path(package, f".old.{version}")

    def _names(self, path: str) -> list[str]:
        try:
            return os.listdir(path)
        except FileNotFoundError:
            return []

    def _discard(self, path: str, aside: str) -> None:
        """Out of sight in one rename, then away: nobody sees a half-removed tree."""
        if os.path.lexists(path):
            make_folder(os.path.dirname(aside))
            self._remove_tree(aside)
            rename(path, aside, "rename-aside")
            sync_folder(os.path.dirname(path))
        self._remove_tree(aside)

    def _remove_tree(self, path: str) -> None:
        if os.path.lexists(path):
            remove_tree(path, _make_removable)

    @contextlib.contextmanager
    def _trouble(self, action: str) -> Iterator[None]:
        """A system error, named with the place, the path and what was tried (Q215117); a missing file stays what it is."""
        try:
            yield
        except FileNotFoundError:
            if os.path.isdir(self._root):
                raise
            raise TransferError(
                "point-not-there", f"The folder {self._root} of point {self._place} is not there.", "Is it mounted?"
            ) from None
        except OSError as error:
            path = error.filename if isinstance(error.filename, str) else self._root
            if error.errno in FULL:
                raise TransferError(
                    "no-space-at-point",
                    f"Point {self._place} could not {action} {path}: {error.strerror}, {_room(self._root)} bytes are free.",
                    "Free space there, or move the point; it goes on by itself.",
                ) from error
            raise TransferError(
                "point-unusable",
                f"Point {self._place} could not {action} {path}: {error.strerror or error}.",
                "Look at the rights, the space and the file system of that folder; it is tried again by itself.",
            ) from error


def _room(root: str) -> int:
    with contextlib.suppress(OSError):
        facts = os.statvfs(root)
        return facts.f_bavail * facts.f_frsize
    return 0


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _space_below(root: str) -> int:
    """Bytes that the files below a folder occupy; what cannot be looked at does not count."""
    total, folders = 0, [root]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as items:
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    folders.append(item.path)
                else:
                    total += item.stat(follow_symlinks=False).st_blocks * 512
    return total


def _make_removable(function: Callable[..., object], path: str, _error: object) -> None:
    """A folder without write permission stands in the way: open it up and try once more."""
    os.chmod(os.path.dirname(path), 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
    function(path)
