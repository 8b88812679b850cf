"""Walking a Linux folder in byte order of whole paths. Follows no link, crosses no mount, opens nothing but folders, and knows
nothing of the sidecar's meaning: it only leaves that folder out.
"""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from haulage.engine.trees.attribute_look import look, perhaps
from haulage.engine.trees.change_token import inode_of, token_of
from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.local_facts import Facts, OwnerNames, at, make_entry, read_facts
from haulage.engine.trees.model import Entry, EntryType, PathRange
from haulage.engine.trees.mounts import mounts_below
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import SIDECAR, shown
from haulage.engine.trees.trouble import changed, unreadable, unsupported

_SPECIAL = {stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device"}
_MOST_NAMED = 20
_INT64 = 1 << 63
_NOT_ENTERED = -1
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)

_HAS_ATTRIBUTES = look()

Omit = Callable[[bytes, str, str], None]


def reading_error(path: bytes, error: OSError, stream: bytes | None = None) -> Exception:
    """``source-changed`` when what was listed is gone or became a link, else ``source-unreadable``."""
    if error.errno in _GONE:
        return changed(path, "it was removed, or replaced by something else", stream)
    return unreadable(path, error, stream)


class _Known:
    """Ranges of paths that need not be looked at."""

    def __init__(self, ranges: Sequence[PathRange]) -> None:
        self._ranges = ranges
        self._starts = [start for start, _ in ranges]

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def holds(self, path: bytes) -> bool:
        return self._holds(path, path + b"\0")

    def holds_below(self, prefix: bytes) -> bool:
        """Whether every path that can stand below a folder is known; ``prefix`` ends in a slash, after which comes 0."""
        return self._holds(prefix, prefix[:-1] + b"0")

    def _holds(self, start: bytes, end: bytes) -> bool:
        at = bisect_right(self._starts, start) - 1
        if at < 0:
            return False
        stop = self._ranges[at][1]
        return stop is None or end <= stop


class LocalWalk:
    """One pass over a folder. The lists of a folder's names are the only thing that grows, one per level.

    ``known``: ranges of paths to leave out, found unchanged by a survey; ``firsts`` are then the first paths of hard-linked files,
    by inode, as that survey met them.
    """

    def __init__(
        self,
        root: bytes,
        handles: FolderHandles,
        calls: OsCalls,
        omit: Omit,
        *,
        known: Sequence[PathRange] = (),
        firsts: Mapping[int, bytes] | None = None,
    ) -> None:
        self._handles = handles
        self._calls = calls
        self._omit = omit
        self._known = _Known(known)
        self._firsts = firsts or {}
        self._given: set[bytes] = set()
        self._owners = OwnerNames()
        self._mounts = mounts_below(root)
        self._device = calls.fstat(handles.root_fd).st_dev
        # Whoever replaced the listing has the last word.
        self._has_attributes = _HAS_ATTRIBUTES if calls.listxattr is os.listxattr else perhaps
        self._links: dict[int, tuple[bytes, int]] = {}
        self._expected: dict[bytes, int] = {}
        self._unsupported: list[tuple[bytes, str]] = []

    def entries(self) -> Iterator[Entry]:
        """Every entry; at the first thing that cannot be in a package the rest is only searched for more of them, then refused."""
        if not self._known.holds(b""):
            yield self._root()
        # Each frame: prefix of its paths, and its names still to come. A folder comes twice: as "name", and as "name/", where its
        # contents stand in byte order of whole paths.
        stack: list[tuple[bytes, Iterator[bytes]]] = [(b"", iter(self._names(b"", None)))]
        while stack:
            prefix, names = stack[-1]
            folder = prefix[:-1]
            fd = self._take(folder)
            try:
                for name in names:
                    if name.endswith(b"/"):
                        deeper = prefix + name
                        if self._known and self._known.holds_below(deeper):
                            self._expected.pop(deeper, None)
                            continue
                        inode = self._expected.pop(deeper, None)
                        if inode != _NOT_ENTERED:
                            stack.append((deeper, iter(self._names(deeper[:-1], inode))))
                            break
                        continue
                    if self._known and self._known.holds(prefix + name):
                        continue
                    entry = self._entry(prefix + name, name, fd)
                    if entry is not None and not self._unsupported:
                        yield entry
                else:
                    stack.pop()
            finally:
                self._handles.release(folder)
            if len(self._unsupported) >= _MOST_NAMED:
                break
        if self._unsupported:
            raise unsupported(self._unsupported[:_MOST_NAMED], more=len(self._unsupported) >= _MOST_NAMED)
        for folder in self._expected:  # it was no folder yet when its name was listed, so nobody looked into it
            raise changed(folder[:-1], "a folder took the place of something else")

    def _root(self) -> Entry:
        fd = self._handles.root_fd
        try:
            status = self._calls.fstat(fd)
            facts = read_facts(self._calls, fd, status.st_mode)
        except OSError as error:
            raise reading_error(b"", error) from error
        return self._made(b"", status, facts)

    def _take(self, folder: bytes) -> int:
        try:
            return self._handles.acquire(folder)
        except OSError as error:
            raise reading_error(folder, error) from error

    def _names(self, folder: bytes, inode: int | None) -> list[bytes]:
        """The keys of one folder, sorted."""
        fd = self._take(folder)
        try:
            if inode is not None and self._calls.fstat(fd).st_ino != inode:
                raise changed(folder, "another folder stands in its place")
            keys = []
            with self._calls.scandir(fd) as listing:
                for item in listing:
                    name = os.fsencode(item.name)
                    keys.append(name)
                    if item.is_dir(follow_symlinks=False):
                        keys.append(name + b"/")
            if not folder:
                keys = [key for key in keys if key not in (SIDECAR, SIDECAR + b"/")]
            keys.sort()
            return keys
        except OSError as error:
            raise reading_error(folder, error) from error
        finally:
            self._handles.release(folder)

    def _entry(self, path: bytes, name: bytes, fd: int) -> Entry | None:
        try:
            status = self._calls.stat(name, dir_fd=fd, follow_symlinks=False)
            kind = stat.S_IFMT(status.st_mode)
            if status.st_dev != self._device or (self._mounts and path in self._mounts):
                self._refuse(path, "another file system is mounted here", is_folder=kind == stat.S_IFDIR)
                return None
            if kind == stat.S_IFREG:
                if status.st_nlink > 1:
                    first = self._first_name(path, status)
                    if first is not None:
                        return Entry(path=path, type=EntryType.FILE, same_as=first, seen=token_of(status))
            elif kind == stat.S_IFLNK:
                return self._symlink(path, name, fd, status)
            elif kind != stat.S_IFDIR:
                self._refuse(path, _SPECIAL.get(kind, "special file"), is_folder=False)
                return None
            facts = read_facts(self._calls, at(fd, name), status.st_mode) if self._has_attributes(fd, name) else None
        except OSError as error:
            raise reading_error(path, error) from error
        entry = self._made(path, status, facts)
        if entry.type is EntryType.FOLDER:
            self._expected[path + b"/"] = inode_of(entry.seen)
        return entry

    def _made(self, path: bytes, status: os.stat_result, facts: Facts | None) -> Entry:
        if facts is not None:
            for name in facts.others:
                self._omit(path, "attribute", os.fsdecode(name))
        return self._timed(make_entry(path, status, self._owners.owner(status.st_uid, status.st_gid), facts))

    def _timed(self, entry: Entry) -> Entry:
        """A time beyond 1677 to 2262, which some file systems can hold, is cut to what a tree can say, and named."""
        if -_INT64 <= entry.mtime_ns < _INT64:
            return entry
        self._omit(entry.path, "times", f"{entry.mtime_ns} ns is beyond what a tree can say")
        return replace(entry, mtime_ns=max(-_INT64, min(_INT64 - 1, entry.mtime_ns)))

    def _symlink(self, path: bytes, name: bytes, fd: int, status: os.stat_result) -> Entry:
        entry = Entry(
            path=path,
            type=EntryType.SYMLINK,
            target=self._calls.readlink(name, dir_fd=fd),
            owner=self._owners.owner(status.st_uid, status.st_gid),
            mtime_ns=status.st_mtime_ns,
            seen=token_of(status),
        )
        return self._timed(entry)

    def _first_name(self, path: bytes, status: os.stat_result) -> bytes | None:
        """The name met before for this file; forgotten once all of its names were met."""
        if self._firsts:
            return self._surveyed_first(path, status)
        first, left = self._links.get(status.st_ino, (None, status.st_nlink))
        if left > 1:
            self._links[status.st_ino] = (first or path, left - 1)
        else:
            self._links.pop(status.st_ino, None)
        return first

    def _surveyed_first(self, path: bytes, status: os.stat_result) -> bytes | None:
        """The first of all names, some of which this walk leaves out."""
        first = self._firsts.get(status.st_ino, path)
        if first == path:
            self._given.add(path)
            return None
        if first not in self._given and not self._known.holds(first):
            raise changed(path, f"{shown(first)}, another name of it, is not there any more")
        return first

    def _refuse(self, path: bytes, what: str, *, is_folder: bool) -> None:
        if is_folder:
            self._expected[path + b"/"] = _NOT_ENTERED
        self._unsupported.append((path, what))
