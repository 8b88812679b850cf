"""Which folders of this machine a source may be chosen from: the names in one folder at a time, never a file, never outside of what
the settings allow."""

from __future__ import annotations

import heapq
import itertools
import os
from collections.abc import Sequence

from haulage.domain.catalog.looking import Folders

MOST = 200
"""Folders that are listed."""
LOOKED_AT = 20_000
"""Names of one folder that are looked at."""


def folders_in(allowed: Sequence[str], path: str) -> Folders:
    """The folders in ``path``; with no path, the tops themselves. What cannot be looked into says why. Links are no folders here:
    what they lead to can be named itself."""
    if not path.startswith("/") or "\0" in path:
        return Folders(path="", above="", tops=tuple(allowed), names=(), more=False)
    real = os.path.realpath(path)
    if not _is_allowed(allowed, real):
        cause = "It lies outside of the folders that sources may come from."
        return Folders(path=real, above="", tops=tuple(allowed), names=(), more=False, cause=cause)
    parent = os.path.dirname(real)
    above = parent if parent != real and _is_allowed(allowed, parent) else ""
    try:
        with os.scandir(real) as entries:
            looked = list(itertools.islice(entries, LOOKED_AT + 1))
            names = [entry.name for entry in looked if entry.is_dir(follow_symlinks=False) and _is_text(entry.name)]
    except OSError as error:
        return Folders(path=real, above=above, tops=tuple(allowed), names=(), more=False, cause=error.strerror or str(error))
    listed = heapq.nsmallest(MOST, names, key=lambda name: (name.startswith("."), name.casefold(), name))
    return Folders(path=real, above=above, tops=tuple(allowed), names=listed, more=len(names) > MOST or len(looked) > LOOKED_AT)


def _is_allowed(allowed: Sequence[str], real: str) -> bool:
    tops = [os.path.realpath(top) for top in allowed]
    return not tops or any(os.path.commonpath([top, real]) == top for top in tops)


def _is_text(name: str) -> bool:
    """Whether a name can stand in a form and come back the same."""
    return name.isprintable() and all(not 0xD800 <= ord(letter) < 0xE000 for letter in name)
