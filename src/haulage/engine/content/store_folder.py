"""The folder of a store: its marker, its lock, and what belongs where. Knows nothing of chunks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re

from haulage.base import files
from haulage.base.errors import ConflictError, FormatError, NotFoundError
from haulage.engine.content.pins import is_temporary
from haulage.engine.content.store_errors import naming

FORMAT_LINE = "haulage-store 1"
KNOWN_CRITICAL: frozenset[str] = frozenset()
_MAX_MARKER_BYTES = 4096
_OWN_NAMES = {"packs", "pins", "lock", "format", "quarantine", "scrub"}
_PACK_NAME = re.compile(r"([0-9a-f]{32})\.(pack|index)")
_FEATURE = re.compile(r"(critical|optional) ([a-z0-9-]{1,64})")


class StoreFolder:
    """An owned store folder; ``close`` gives it up."""

    def __init__(self, path: str, *, read_only: bool) -> None:
        """Create or open, and lock. Raises ConflictError ``store-in-use`` or ``not-a-store``, NotFoundError ``store-missing``,
        FormatError ``store-version-unknown``, ``store-feature-unknown`` or ``store-marker-damaged``, TransferError."""
        self.path = os.path.abspath(path)
        self.packs = os.path.join(self.path, "packs")
        self.pins = os.path.join(self.path, "pins")
        self.quarantine = os.path.join(self.path, "quarantine")
        self.scrub = os.path.join(self.path, "scrub")
        self._marker_seen = b""
        self._marker = os.path.join(self.path, "format")
        with naming(self.path, "open"):
            if not read_only:
                self._require_ours()
                files.make_folder(self.path)
            elif not os.path.exists(self._marker):
                raise NotFoundError("store-missing", f"There is no store in {self.path}.", "Check the path.")
            self._lock = self._take_lock(read_only)
            try:
                if not read_only:
                    self._complete()
                self.verify_marker()
            except BaseException:
                self.close()
                raise

    def _require_ours(self) -> None:
        """A folder with anything else in it is never adopted."""
        with contextlib.suppress(FileNotFoundError):
            names = {name for name in os.listdir(self.path) if not is_temporary(name)}
            foreign = names - _OWN_NAMES
            if "format" not in names and not foreign:
                foreign = {f"{sub}/{name}" for sub in ("packs", "pins") if sub in names for name in self._listed(sub)}
            if "format" not in names and foreign:
                raise ConflictError(
                    "not-a-store",
                    f"{self.path} is not a store and not empty (it holds {min(foreign)!r}).",
                    "Choose an empty folder.",
                )

    def _listed(self, sub: str) -> list[str]:
        return os.listdir(os.path.join(self.path, sub))

    def _take_lock(self, read_only: bool) -> int:
        path = os.path.join(self.path, "lock")
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if read_only else os.O_CREAT), 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_NB | (fcntl.LOCK_SH if read_only else fcntl.LOCK_EX))
        except BlockingIOError as error:
            os.close(fd)
            raise ConflictError(
                "store-in-use", f"Another process is using the store {self.path}.", "Stop it first, or ask it to do the work."
            ) from error
        return fd

    def _complete(self) -> None:
        """Finish a creation that may have been cut short, and clear away unfinished writes. The marker comes last."""
        files.make_folder(self.packs)
        files.make_folder(self.pins)
        for folder in (self.path, self.packs, self.pins):
            for name in filter(is_temporary, os.listdir(folder)):
                files.remove_durable(os.path.join(folder, name))
        if not os.path.exists(self._marker):
            files.write_durable(self._marker, f"{FORMAT_LINE}\n".encode())

    def verify_marker(self) -> None:
        """Refuse a store this program does not understand. Raises FormatError."""
        with open(self._marker, "rb") as file:
            data = file.read(_MAX_MARKER_BYTES)
        lines = data.decode("ascii", "replace").split("\n")
        if lines[0] != FORMAT_LINE:
            raise FormatError(
                "store-version-unknown",
                f"The store {self.path} says {lines[0]!r}; this program knows {FORMAT_LINE!r}.",
                "Use the version of the program that wrote it.",
            )
        if len(lines) < 2 or lines[-1] or any(not _FEATURE.fullmatch(line) for line in lines[1:-1]):
            raise FormatError("store-marker-damaged", f"{self._marker} is damaged.", "Restore it; it lists the store's features.")
        for line in lines[1:-1]:
            kind, feature = line.split(" ")
            if kind == "critical" and feature not in KNOWN_CRITICAL:
                raise FormatError(
                    "store-feature-unknown",
                    f"The store {self.path} needs the feature {feature!r}, which this program does not know.",
                    "Use a newer program.",
                )
        if self._marker_seen not in (b"", data):
            raise FormatError(
                "store-marker-damaged", f"{self._marker} is not as it was when it was opened.", "It is written again."
            )
        self._marker_seen = data

    def mend_marker(self) -> bool:
        """Write the marker again as it was when the store was opened, if it is not so any more. Raises TransferError."""
        try:
            self.verify_marker()
        except (OSError, FormatError):
            with naming(self._marker, "write"):
                files.write_durable(self._marker, self._marker_seen)
            return True
        return False

    def set_aside(self, name: str) -> None:
        """Move a pack that is not needed any more, and not what it should be, out of the way; index first. Raises TransferError."""
        with naming(self.quarantine, "move into"):
            files.make_folder(self.quarantine)
            for kind in ("index", "pack"):
                with contextlib.suppress(FileNotFoundError):
                    files.rename(os.path.join(self.packs, f"{name}.{kind}"), os.path.join(self.quarantine, f"{name}.{kind}"))
                files.sync_folder(self.quarantine)
                files.sync_folder(self.packs)

    def aside(self) -> list[str]:
        """Files that were set aside, by name."""
        with naming(self.quarantine, "list"), contextlib.suppress(FileNotFoundError):
            return sorted(os.listdir(self.quarantine))
        return []

    def clear_aside(self) -> None:
        """Remove what was set aside: everything needed was read and right since. Raises TransferError."""
        with naming(self.quarantine, "clear"):
            for name in self.aside():
                files.remove_durable(os.path.join(self.quarantine, name))

    def pack_names(self) -> tuple[set[str], set[str]]:
        """Names that have a pack file, and names that have an index file."""
        with naming(self.packs, "list"):
            found = [match.groups() for name in os.listdir(self.packs) if (match := _PACK_NAME.fullmatch(name))]
        return {name for name, kind in found if kind == "pack"}, {name for name, kind in found if kind == "index"}

    def pack_path(self, name: str) -> str:
        """Where a pack stands."""
        return os.path.join(self.packs, f"{name}.pack")

    def close(self) -> None:
        """Give up the lock; safe to repeat."""
        if self._lock >= 0:
            fd, self._lock = self._lock, -1
            os.close(fd)
