"""What version of Haulage the parent has, kept where a stopped site can read it: a child is never serviced to a higher one. A mere
neighbour's word: it opens nothing."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable

from haulage.base.files import write_durable
from haulage.base.ids import SiteCode

_MOST_BYTES = 4096


class ParentVersion:
    """Kept in the folder ``run`` of the home whenever it changes."""

    def __init__(self, folder: str, parent: SiteCode, said: Callable[[], str]) -> None:
        self._path = _path(folder)
        self._parent = parent
        self._said = said
        self._kept = (read_parent_version(folder) or ("", ""))[1]

    def keep(self) -> None:
        """After an answer of the parent. A disk that is full does not disturb the link."""
        said = self._said()
        if said and said != self._kept:
            with contextlib.suppress(OSError):
                write_durable(self._path, json.dumps({"parent": self._parent, "version": said}).encode() + b"\n")
                self._kept = said


def read_parent_version(folder: str) -> tuple[str, str] | None:
    """Parent and version; None if it never said one."""
    try:
        with open(_path(folder), "rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
        return str(found["parent"]), str(found["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(folder: str) -> str:
    return os.path.join(folder, "parent-version.json")
