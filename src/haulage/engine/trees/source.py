"""What a package's source is written as: a folder's absolute path, or ``ntfs:IMAGE!/PATH``. Parsing only; which reader serves which
kind is chosen by whoever wires the program together.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from haulage.base.errors import UsageError
from haulage.engine.trees.model import ReadPolicy, TreeReader


class SourceKind(enum.Enum):
    """The kinds of place a source can be."""

    FOLDER = "folder"
    NTFS_IMAGE = "ntfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """A parsed source."""

    kind: SourceKind
    path: str
    """Absolute path on this machine: the folder, or the image."""
    inside: str = ""
    """For an image: the folder in it, without leading or trailing slash; "" is its root."""

    def text(self) -> str:
        """As it is written."""
        return self.path if self.kind is SourceKind.FOLDER else f"ntfs:{self.path}!/{self.inside}"


SourceFactory = Callable[[SourceSpec, ReadPolicy], TreeReader]


def parse_source(text: str) -> SourceSpec:
    """Parse a source. Raises UsageError ``bad-source``."""
    kind, path, inside = SourceKind.FOLDER, text, ""
    if text.startswith("ntfs:"):
        kind = SourceKind.NTFS_IMAGE
        path, mark, inside = text.removeprefix("ntfs:").partition("!/")
        inside = inside.strip("/")
        if not mark or any(name in ("", ".", "..") for name in inside.split("/") if inside):
            path = ""
    if not path.startswith("/") or "\0" in text:
        raise UsageError(
            "bad-source",
            f"{text!r} is not a source.",
            "Write an absolute path such as /srv/packages/office, or ntfs:/IMAGE!/FOLDER.",
        )
    return SourceSpec(kind=kind, path=path, inside=inside)


def open_source(text: str, policy: ReadPolicy, factories: Mapping[SourceKind, SourceFactory]) -> TreeReader:
    """Open a source with the factory given for its kind. Raises UsageError ``bad-source`` and what the factory raises."""
    spec = parse_source(text)
    return factories[spec.kind](spec, policy)
