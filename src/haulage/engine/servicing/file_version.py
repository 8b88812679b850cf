"""The version a file carries in itself, from its headers or its package's metadata; unknown is an answer of its own (Q267258).

Every file is hostile: each reader looks at bounded pieces and never follows an offset it has not checked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Union

from haulage.engine.servicing import elf, level, package_metadata, pe
from haulage.engine.servicing.level import Version


@dataclass(frozen=True)
class Known:
    """A version that can be ordered, and where it was read."""

    version: Version
    how: str


@dataclass(frozen=True)
class Unknown:
    """No version that can be ordered: never taken for older or newer. ``identity`` names the content where the file does
    (a build id, which has no order)."""

    reason: str
    identity: str | None = None


FileVersion = Union[Known, Unknown]


def of_path(path: str, *, listed: Mapping[str, str] | None = None, relative: str = "", sha256: str | None = None) -> FileVersion:
    """The version of the file at ``path``.

    ``listed`` is the product's own list of versions by content (SHA-256), asked where the file itself says nothing. Unreadable
    files are unknown.
    """
    try:
        with open(path, "rb") as file:
            found = of_file(file, relative or path)
    except OSError as error:
        return Unknown(f"the file cannot be read: {error.strerror}")
    if isinstance(found, Unknown) and listed and sha256 and sha256 in listed:
        version = level.parsed_or_none(listed[sha256])
        if version is not None:
            return Known(version, "the product's list of files")
    return found


def of_file(file: BinaryIO, path: str) -> FileVersion:
    """The version of an open file; ``path`` tells kinds apart whose bytes do not."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(4)
    if start[:2] == b"MZ":
        return _answer("PE version resource", pe.read(file, size))
    if start == b"\x7fELF":
        return _answer("ELF package note", elf.read(file, size))
    if package_metadata.is_known(path):
        return _answer("package metadata", package_metadata.read(file, size, path))
    return Unknown("files of this kind carry no version")


def _answer(how: str, found: tuple[str | None, str, str | None]) -> FileVersion:
    text, reason, identity = found
    if text is None:
        return Unknown(reason, identity)
    version = level.parsed_or_none(text)
    return Unknown(f"{text[:60]!r} is not a version", identity) if version is None else Known(version, how)
