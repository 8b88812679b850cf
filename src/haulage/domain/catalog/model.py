"""Packages and versions as values. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from haulage.base.ids import GroupName, PackageId, Place, VersionNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package as this server knows it."""

    id: PackageId
    name: str
    revision: int
    version: VersionNumber
    """The newest version; 0 before the first."""
    keep: int
    """How many of the newest versions a site keeps."""
    assignments: tuple[Place, ...]
    """Every place, those of its groups among them."""
    streams: str = "keep"
    """The stream policy its owner captures with."""
    groups: tuple[GroupName, ...] = ()
    """Groups of its owner's that it is assigned to."""
    named: tuple[Place, ...] = ()
    """With groups: those of the places that were named by themselves."""

    @property
    def direct(self) -> tuple[Place, ...]:
        """The places it is assigned to whatever becomes of any group."""
        return self.named if self.groups else self.assignments


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One captured, immutable version."""

    package: PackageId
    number: VersionNumber
    manifest: bytes
    """Digest (BLAKE3) of the manifest's root page."""
    sha256: str
    files: int
    folders: int
    symlinks: int
    streams: int
    bytes: int
    new_bytes: int
    captured: dt.datetime


class CaptureState(enum.Enum):
    """Where the capture of a package's source stands."""

    IDLE = "idle"
    REQUESTED = "requested"
    RUNNING = "running"
    FAILED = "failed"


CAPTURE_MEANING: dict[CaptureState, str] = {
    CaptureState.IDLE: "The last capture asked for is done, or none was ever asked for.",
    CaptureState.REQUESTED: "A capture was asked for and starts when its turn comes.",
    CaptureState.RUNNING: "The source is being read.",
    CaptureState.FAILED: "The last capture failed; the version before stays served. The error says which file and why.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where this site captures a package from; known to the owner only."""

    package: PackageId
    spec: str
    streams: str
    """``keep``, ``refuse`` or ``drop:PATTERN[,PATTERN…]``."""
    keep_special_bits: bool
    state: CaptureState
    requested: int
    """How many captures were asked for; the last one done answers all before it."""
    done: int
    full: bool
    """Read every file again at the next capture."""
    started: dt.datetime | None
    finished: dt.datetime | None
    outcome: str
    """``published``, ``unchanged`` or empty."""
    report: dict[str, object]
    error_code: str
    error_message: str
    error_hint: str
    error_family: str

    @classmethod
    def of(cls, package: PackageId, spec: str, *, streams: str, keep_special_bits: bool) -> Source:
        """The source of a package that nobody has asked to capture yet."""
        return cls(
            package=package,
            spec=spec,
            streams=streams,
            keep_special_bits=keep_special_bits,
            state=CaptureState.IDLE,
            requested=0,
            done=0,
            full=False,
            started=None,
            finished=None,
            outcome="",
            report={},
            error_code="",
            error_message="",
            error_hint="",
            error_family="",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What was noticed while a version was captured."""

    of_version: VersionNumber
    """Another one than the version's own where that was published again (rolled back to)."""
    taken: dt.datetime
    figures: dict[str, int]
    """Bytes and files read, tries, and how many names were judged."""
    counts: dict[str, int]
    """Of each kind of line, also of those that are not listed."""
    lines: bytes
    """Packed by :mod:`~haulage.domain.catalog.captured`."""
