"""What a capture tells afterwards, and what it noticed on the way: names that mislead, files that look like secrets, links that
lead out. *Pure*; looks at names only, never at content.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from haulage.engine.content.capture_rules import WarningKind, refused_by_rule
from haulage.engine.content.manifest_model import ManifestRef
from haulage.engine.trees.model import Entry, EntryType, Omission

MAX_WARNINGS = 1000
"""More of one kind are counted, not listed (I14)."""

_SECRETS = (
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.pfx", "*.p12", "*.ppk", "*.kdbx", "*.jks", "*.keystore", "*.key", "*-key.pem",
    "privkey*.pem", ".env", ".netrc", ".pgpass", ".git-credentials", "credentials", "unattend.xml", "autounattend.xml",
    "sysprep.inf", "*.token", "token.txt", "haulage.toml",
)  # fmt: skip
_WORDS = re.compile(r"[^\W\d_]+")
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH")
_SECRET = re.compile("|".join(fnmatch.translate(pattern) for pattern in _SECRETS))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureWarning:
    """One name that deserves a look."""

    kind: WarningKind
    path: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureReport:
    """What was captured. Sizes in bytes."""

    manifest: ManifestRef
    bytes_total: int
    """Contents, streams and large attributes of the tree."""
    bytes_new: int
    """Of these, what the store did not hold."""
    bytes_read: int
    files_read: int
    files_skipped: int
    """Unchanged since the capture that left the hints; not read again."""
    streams: int
    tries: int
    dropped: tuple[Omission, ...]
    warnings: tuple[CaptureWarning, ...]
    warnings_more: int = 0
    """Warnings that are not listed because there were too many of their kind."""


class Watcher:
    """Gathers warnings while entries pass."""

    def __init__(self, refuse: frozenset[WarningKind] = frozenset()) -> None:
        self.more = 0
        self._refuse = refuse
        self._found: dict[WarningKind, list[CaptureWarning]] = {kind: [] for kind in WarningKind}

    def look(self, entry: Entry) -> Sequence[WarningKind]:
        """Judge one entry by its names; what it found."""
        name = entry.path.rpartition(b"/")[2]
        found: list[WarningKind] = []
        if misleads(name):
            found.append(WarningKind.MISLEADING_NAME)
        if entry.type is EntryType.SYMLINK and leaves_tree(entry.path, entry.target):
            found.append(WarningKind.LINK_LEAVES_TREE)
        elif entry.type is EntryType.FILE and looks_secret(name):
            found.append(WarningKind.POSSIBLE_SECRET)
        for kind in found:
            self.note(CaptureWarning(kind=kind, path=entry.path))
        return found

    def warnings(self) -> tuple[CaptureWarning, ...]:
        """Everything found, by kind and path."""
        return tuple(warning for kind in WarningKind for warning in self._found[kind])

    def note(self, warning: CaptureWarning) -> None:
        """List a warning; they come in path order. Raises FormatError ``source-refused`` for a kind that is an error here."""
        if warning.kind in self._refuse:
            raise refused_by_rule(warning.kind, warning.path)
        if len(self._found[warning.kind]) < MAX_WARNINGS:
            self._found[warning.kind].append(warning)
        else:
            self.more += 1


def misleads(name: bytes) -> bool:
    """Whether a name holds control characters, invisible ones, ones that turn the reading direction, or words in letters of several
    scripts that look alike. A word wholly in one other script is not seen: it may well be the word it seems to be."""
    if name.isascii():
        return not name.decode("ascii").isprintable()
    text = name.decode("utf-8", "replace")
    return any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in text) or any(
        len({_script(c) for c in word} - {""}) > 1 for word in _WORDS.findall(text)
    )


def _script(letter: str) -> str:
    """Of the scripts whose letters look alike, the one a letter belongs to; empty for any other."""
    if letter.isascii():
        return "LATIN"
    first = unicodedata.name(letter, "").partition(" ")[0]
    return first if first in _ALIKE else ""


def looks_secret(name: bytes) -> bool:
    """Whether a file of this name usually holds a secret."""
    return _SECRET.fullmatch(name.decode("utf-8", "replace").lower()) is not None


def leaves_tree(path: bytes, target: bytes) -> bool:
    """Whether a symlink's target, taken by its letters, lies outside the tree."""
    if target.startswith((b"/", b"\\")) or target[1:2] == b":":
        return True
    landed = posixpath.normpath(posixpath.join(posixpath.dirname(path), target.replace(b"\\", b"/")))
    return landed == b".." or landed.startswith(b"../")
