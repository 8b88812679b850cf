"""A look over a whole Linux folder at the cost of listing it: every name with its change token, in path order, nothing opened but
folders and no attribute read. Knows nothing of what is compared with it.
"""

from __future__ import annotations

import os
import stat
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

from haulage.engine.trees.change_token import token_of
from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.local_facts import OwnerNames
from haulage.engine.trees.local_walk import reading_error
from haulage.engine.trees.model import Entry, Owner, PathRange, Run
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import SIDECAR

Rest = Callable[[Sequence[PathRange], Mapping[int, bytes]], Iterator[Entry]]
"""Walks outside of the ranges, given the first path of each hard-linked file by inode."""


class LocalSurvey:
    """A :class:`haulage.engine.trees.model.Survey` of a folder without sidecar and with nothing mounted in it."""

    def __init__(self, handles: FolderHandles, calls: OsCalls, key: bytes, rest: Rest) -> None:
        self.key = key
        self._handles = handles
        self._calls = calls
        self._rest = rest
        self._owners = OwnerNames()
        self._links: dict[int, bytes] = {}
        self._device = 0

    def knows(self, owners: Sequence[Owner]) -> bool:
        """See :class:`haulage.engine.trees.model.Survey`."""
        return all(self._owners.owner(owner.uid, owner.gid) == owner for owner in owners)

    def runs(self) -> Iterator[Run]:
        """See :class:`haulage.engine.trees.model.Survey`."""
        self._links.clear()
        try:
            status = self._calls.fstat(self._handles.root_fd)
        except OSError as error:
            raise reading_error(b"", error) from error
        self._device = status.st_dev
        yield Run(b"", [b""], [token_of(status)])
        stack = [iter(self._parts(b""))]
        while stack:
            for part in stack[-1]:
                if isinstance(part, Run):
                    yield part
                else:
                    stack.append(iter(self._parts(part)))
                    break
            else:
                stack.pop()

    def rest(self, known: Sequence[PathRange]) -> Iterator[Entry]:
        """See :class:`haulage.engine.trees.model.Survey`."""
        return self._rest(known, self._links)

    def _parts(self, prefix: bytes) -> list[Run | bytes]:
        """Runs of one folder, and between them the prefixes of the folders in it where their contents stand."""
        names, tokens, folders = self._listed(prefix)
        if not folders:
            return [Run(prefix, names, tokens)] if names else []
        parts: list[Run | bytes] = []
        at = 0
        for folder in sorted(folders):
            cut = bisect_left(names, folder, at)
            if cut > at:
                parts.append(Run(prefix, names[at:cut], tokens[at:cut]))
            parts.append(prefix + folder)
            at = cut
        if at < len(names):
            parts.append(Run(prefix, names[at:], tokens[at:]))
        return parts

    def _listed(self, prefix: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """Sorted names, their tokens, and the names of folders, a slash behind each."""
        rows = self._statuses(prefix)
        tokens: list[bytes] = []
        folders: list[bytes] = []
        for name, status in rows:
            # A folder has more than one link, or on some file systems one: only a file of one link needs no second look.
            if status.st_nlink == 1 and not stat.S_ISDIR(status.st_mode):
                tokens.append(token_of(status))
            elif stat.S_ISDIR(status.st_mode):
                folders.append(name + b"/")
                tokens.append(token_of(status) if status.st_dev == self._device else b"")
            elif stat.S_ISREG(status.st_mode):
                path = prefix + name
                first = self._links.setdefault(status.st_ino, path)
                tokens.append(token_of(status) + (b"" if first == path else first))
            else:
                tokens.append(token_of(status))
        return [name for name, _ in rows], tokens, folders

    def _statuses(self, prefix: bytes) -> list[tuple[bytes, os.stat_result]]:
        folder = prefix[:-1]
        try:
            fd = self._handles.acquire(folder)
            try:
                with self._calls.scandir(fd) as listing:
                    items = list(listing)
                statuses = [item.stat(follow_symlinks=False) for item in items]
            finally:
                self._handles.release(folder)
        except OSError as error:
            raise reading_error(folder, error) from error
        if not items:
            return []
        # All names in one go: the same bytes as os.fsencode of each.
        text = "\0".join([item.name for item in items])
        names = text.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()).split(b"\0")
        rows = list(zip(names, statuses, strict=True))
        rows.sort()
        return rows if prefix else [row for row in rows if row[0] != SIDECAR]
