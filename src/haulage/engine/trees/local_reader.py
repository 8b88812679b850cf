"""A Linux folder as a tree to read, sidecar included. Reads only: opens with no access time left behind where that is allowed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from haulage.base.errors import UsageError
from haulage.engine.trees import samba
from haulage.engine.trees.change_token import TOKEN_BYTES, token_of
from haulage.engine.trees.folder_handles import FolderHandles, open_quietly
from haulage.engine.trees.local_content import BytesContent, FileContent
from haulage.engine.trees.local_facts import at, get_value
from haulage.engine.trees.local_survey import LocalSurvey
from haulage.engine.trees.local_walk import LocalWalk, reading_error
from haulage.engine.trees.model import Content, Entry, EntryType, Omission, PathRange, ReadPolicy
from haulage.engine.trees.mounts import mounts_below
from haulage.engine.trees.oscalls import SYSTEM_CALLS, OsCalls
from haulage.engine.trees.paths import name_of, parent_of, shown
from haulage.engine.trees.policy import PolicyFilter
from haulage.engine.trees.sidecar_format import Record, stored_path
from haulage.engine.trees.sidecar_index import find_sidecar
from haulage.engine.trees.sidecar_merge import merge
from haulage.engine.trees.trouble import changed, foreign_sidecar, source_missing, unreadable

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_NOT_NATIVE = bytes(TOKEN_BYTES)
"""Stands where a native token would for an entry that only the sidecar holds."""


class LocalReader:
    """A :class:`haulage.engine.trees.model.TreeReader` (and ``WholeReader``) over a folder. ``open``, ``read_whole``, ``still`` and
    reading contents may be called from any thread; one ``entries`` at a time.

    A change token is 32 bytes for the file (size, mtime, ctime, inode) and 32 more for each content the sidecar stores for it.
    """

    def __init__(self, root: str | bytes, policy: ReadPolicy | None = None, calls: OsCalls = SYSTEM_CALLS) -> None:
        self._root = os.fsencode(root)
        self._calls = calls
        self._policy = policy or ReadPolicy()
        self._filter = PolicyFilter(self._policy)
        if not os.path.isdir("/proc/self/fd"):
            raise UsageError("proc-missing", "Trees cannot be read exactly without /proc.", "Mount /proc.")
        try:
            self._handles = FolderHandles(self._root, calls)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise source_missing(shown(self._root)) from error
        except OSError as error:
            raise unreadable(self._root, error) from error
        try:
            self._sidecar = find_sidecar(self._handles, calls)
        except BaseException:
            self._handles.close()
            raise

    def entries(self) -> Iterator[Entry]:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        self._filter = PolicyFilter(self._policy)
        entries = LocalWalk(self._root, self._handles, self._calls, self._filter.omit).entries()
        if self._sidecar is not None:
            entries = merge(entries, self._sidecar.records(), self._sidecar.header, self._seen)
        return map(self._filter.apply, entries)

    def survey(self) -> LocalSurvey | None:
        """See :class:`haulage.engine.trees.model.SurveyingReader`. None with a sidecar, whose records no token of a file tells, and
        with anything mounted below the root."""
        if self._sidecar is not None or mounts_below(self._root):
            return None
        # Without root's rights some attributes and owners cannot be read: who reads belongs to what was seen.
        key = repr((self._policy, os.geteuid())).encode()
        return LocalSurvey(self._handles, self._calls, key, self._rest)

    def _rest(self, known: Sequence[PathRange], firsts: Mapping[int, bytes]) -> Iterator[Entry]:
        self._filter = PolicyFilter(self._policy)
        walk = LocalWalk(self._root, self._handles, self._calls, self._filter.omit, known=known, firsts=firsts)
        return map(self._filter.apply, walk.entries())

    def open(self, entry: Entry, stream: bytes | None = None) -> Content:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        if stream is not None:
            return self._open_stream(entry, stream)
        if entry.type is not EntryType.FILE:
            raise ValueError(f"{shown(entry.path)} has no content")
        path = stored_path(entry.path, None) if entry.seen.startswith(_NOT_NATIVE) else entry.path
        fd, status = self._open_file(entry.path, path, None)
        content = FileContent(fd, status, entry.path, None, self._calls)
        if path == entry.path:
            as_listed = token_of(status) == entry.seen[:TOKEN_BYTES] if entry.seen else status.st_size == entry.size
        else:
            as_listed = token_of(status) == entry.seen[TOKEN_BYTES : 2 * TOKEN_BYTES]
        if not as_listed:
            content.close()
            raise changed(entry.path, "it is not what was listed any more")
        return content

    def read_whole(self, entry: Entry, stream: bytes | None = None) -> bytes:
        """See :class:`haulage.engine.trees.model.WholeReader`. For a plain file: open, fstat, pread, fstat, close."""
        if stream is not None or not entry.seen or entry.seen.startswith(_NOT_NATIVE):
            content = self.open(entry, stream)
            try:
                data = content.read_at(0, content.size)
            finally:
                content.close()
            if entry.seen and not self.still(entry):
                raise changed(entry.path, "it was written to", stream)
            return data
        calls = self._calls
        fd, before = self._open_file(entry.path, entry.path, None)
        try:
            seen = entry.seen[:TOKEN_BYTES]
            if token_of(before) != seen:
                raise changed(entry.path, "it is not what was listed any more")
            # One byte more than expected, so that growth shows in the same call.
            data = calls.pread(fd, before.st_size + 1, 0)
            if len(data) != before.st_size or token_of(calls.fstat(fd)) != seen:
                raise changed(entry.path, "it was written to")
            return data
        except OSError as error:
            raise reading_error(entry.path, error) from error
        finally:
            calls.close(fd)

    def change_token(self, entry: Entry) -> bytes:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return entry.seen

    def still(self, entry: Entry) -> bool:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        try:
            if not entry.seen:
                now = self._status(entry.path)
                return now.st_mtime_ns == entry.mtime_ns and (entry.type is not EntryType.FILE or now.st_size == entry.size)
            native = not entry.seen.startswith(_NOT_NATIVE)
            if native and token_of(self._status(entry.path)) != entry.seen[:TOKEN_BYTES]:
                return False
            if len(entry.seen) == TOKEN_BYTES:
                return True
            # Streams dropped by policy are in what was seen, but not asked for.
            listed = {entry.seen[i : i + TOKEN_BYTES] for i in range(TOKEN_BYTES, len(entry.seen), TOKEN_BYTES)}
            return listed.issuperset(self._stored_tokens(entry))
        except OSError:
            return False

    def dropped(self) -> Sequence[Omission]:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return tuple(self._filter.dropped)

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        if self._sidecar is not None:
            self._sidecar.close()
        self._handles.close()

    def _open_file(self, shown_as: bytes, path: bytes, stream: bytes | None) -> tuple[int, os.stat_result]:
        folder, _, name = path.rpartition(b"/")
        try:
            parent = self._handles.acquire(folder)
            try:
                fd = open_quietly(self._calls, name, _FILE, parent)
            finally:
                self._handles.release(folder)
            status = self._calls.fstat(fd)
        except OSError as error:
            raise reading_error(shown_as, error, stream) from error
        if not stat.S_ISREG(status.st_mode):
            self._calls.close(fd)
            raise changed(shown_as, "it is no regular file any more", stream)
        return fd, status

    def _open_stream(self, entry: Entry, stream: bytes) -> Content:
        listed = next((info for info in entry.streams if info.name == stream), None)
        if listed is None:
            raise ValueError(f"{shown(entry.path, stream)} was not listed")
        if self._sidecar is not None and self._has_stored(entry.path, stream):
            fd, status = self._open_file(entry.path, stored_path(entry.path, stream), stream)
            content: Content = FileContent(fd, status, entry.path, stream, self._calls)
        else:
            content = BytesContent(self._native_stream(entry.path, stream), entry.path, stream)
        if content.size != listed.size:
            content.close()
            raise changed(entry.path, "the stream has another size", stream)
        return content

    def _native_stream(self, path: bytes, stream: bytes) -> bytes:
        folder = parent_of(path)
        try:
            parent = self._handles.acquire(folder)
            try:
                where = at(parent, name_of(path)) if path else parent
                return samba.stream_bytes(get_value(self._calls, where, samba.stream_attribute(stream)))
            finally:
                self._handles.release(folder)
        except OSError as error:
            raise reading_error(path, error, stream) from error

    def _status(self, path: bytes) -> os.stat_result:
        if not path:
            return self._calls.fstat(self._handles.root_fd)
        folder, _, name = path.rpartition(b"/")
        parent = self._handles.acquire(folder)
        try:
            return self._calls.stat(name, dir_fd=parent, follow_symlinks=False)
        finally:
            self._handles.release(folder)

    def _has_stored(self, path: bytes, stream: bytes | None) -> bool:
        try:
            self._status(stored_path(path, stream))
        except OSError:
            return False
        return True

    def _seen(self, entry: Entry, record: Record) -> bytes:
        """The token of an entry with a record, after checking that every content said to be stored is there, and whole."""
        native = _NOT_NATIVE if record.whole is not None else entry.seen
        if entry.same_as is not None:
            self._check_link(entry)
            return native
        wanted: list[tuple[bytes | None, int]] = [(s.name, s.size) for s in record.streams or () if s.stored]
        if record.whole == "file":
            wanted.insert(0, (None, entry.size))
        tokens = [native]
        for stream, size in wanted:
            tokens.append(self._stored_token(entry.path, stream, size))
        return b"".join(tokens)

    def _stored_token(self, path: bytes, stream: bytes | None, size: int) -> bytes:
        try:
            status = self._status(stored_path(path, stream))
        except OSError as error:
            raise foreign_sidecar(f"the content of {shown(path, stream)} is not in it") from error
        if not stat.S_ISREG(status.st_mode) or status.st_size != size:
            raise foreign_sidecar(f"the content of {shown(path, stream)} in it has the wrong size")
        return token_of(status)

    def _stored_tokens(self, entry: Entry) -> list[bytes]:
        stored = [stream.name for stream in entry.streams if self._has_stored(entry.path, stream.name)]
        tokens = [token_of(self._status(stored_path(entry.path, name))) for name in stored]
        if entry.seen.startswith(_NOT_NATIVE) and entry.type is EntryType.FILE and entry.same_as is None:
            tokens.append(token_of(self._status(stored_path(entry.path, None))))
        return tokens

    def _check_link(self, entry: Entry) -> None:
        assert entry.same_as is not None
        if self._has_stored(entry.same_as, None):
            return
        try:
            if stat.S_ISREG(self._status(entry.same_as).st_mode):
                return
        except OSError:
            pass
        raise foreign_sidecar(f"{shown(entry.path)} is a link to {shown(entry.same_as)}, which is no file of the tree")
