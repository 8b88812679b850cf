"""Which names of a tree Windows or macOS, or clients of a Samba share, could not use as they are. Pure; judges names alone.

A place that serves them to such clients still holds them exactly: what is told here is what those clients would see otherwise.
"""

from __future__ import annotations

import enum
import re
from unicodedata import normalize

_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"\\|?*]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
NAME_UNITS = 255
"""UTF-16 units of one name, at most."""
PATH_UNITS = 32_000
"""UTF-16 units below the root of a tree: 32,767 with what stands before it."""


class NameTrouble(enum.Enum):
    """Why a name cannot be used there."""

    NOT_TEXT = "not-text"
    FORBIDDEN = "forbidden-character"
    ENDS = "ends-with-dot-or-space"
    DEVICE = "device-name"
    TOO_LONG = "too-long"
    SAME = "same-but-for-case"


NAME_TROUBLE_MEANING: dict[NameTrouble, str] = {
    NameTrouble.NOT_TEXT: "is no text in UTF-8",
    NameTrouble.FORBIDDEN: 'holds a character Windows keeps for itself (< > : " \\ | ? * or a control character)',
    NameTrouble.ENDS: "ends with a dot or a space, which Windows takes away",
    NameTrouble.DEVICE: "is the name of a device on Windows",
    NameTrouble.TOO_LONG: "is longer than Windows can name",
    NameTrouble.SAME: "differs from another one only by capital letters or by how its accents are written: only one can be opened",
}


class NameJudge:
    """One tree, its names in any order in which folders come before what they hold. Remembers every name: for bounded trees."""

    def __init__(self) -> None:
        self._folded: set[str] = set()
        self._doubled: set[bytes] = set()

    def judge(self, path: bytes) -> NameTrouble | None:
        """What is wrong with the last part of a path that was not judged before; None if nothing is, or only with what holds it."""
        if not path:
            return None
        try:
            text = path.decode("utf-8")
        except UnicodeDecodeError:
            return NameTrouble.NOT_TEXT if _is_text(path.rpartition(b"/")[0]) else None
        return alone(text) or self._same(path, text)

    def _same(self, path: bytes, text: str) -> NameTrouble | None:
        # As case-folding file systems do, and those that compose accents: rather one too many is told.
        folded = text.lower() if text.isascii() else normalize("NFC", normalize("NFC", text).casefold())
        parent = path.rpartition(b"/")[0]
        if folded not in self._folded:
            self._folded.add(folded)
            return None
        self._doubled.add(path)
        # What lies in a folder of two spellings is told with the folder, once.
        return None if parent in self._doubled else NameTrouble.SAME


def alone(path: str) -> NameTrouble | None:
    """What is wrong with the last part of a path by itself."""
    name = path.rpartition("/")[2]
    if _FORBIDDEN.search(name):
        return NameTrouble.FORBIDDEN
    if name[-1:] in (".", " "):
        return NameTrouble.ENDS
    if _DEVICES.fullmatch(name):
        return NameTrouble.DEVICE
    return NameTrouble.TOO_LONG if _units(name) > NAME_UNITS or _units(path) > PATH_UNITS else None


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _is_text(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
