"""Writing a tree into an empty, private Linux folder, whatever that place can hold: the sidecar takes the rest.

Knows nothing of packages. Files are finished as soon as their last byte is written, so that memory holds only what is open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence

from haulage.base.errors import ConflictError, FormatError
from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.left_behind import LeftBehind
from haulage.engine.trees.local_durable import remove_below, sync_tree
from haulage.engine.trees.local_setting import Setter, Shortfall
from haulage.engine.trees.model import Added, Entry, EntryType, Omission
from haulage.engine.trees.mounts import is_far
from haulage.engine.trees.older_tree import OlderTree
from haulage.engine.trees.oscalls import SYSTEM_CALLS, OsCalls
from haulage.engine.trees.paths import name_of, parent_of, shown
from haulage.engine.trees.sidecar_format import Header, Record, StreamRecord, attribute_records, dos_record, record_of_whole
from haulage.engine.trees.sidecar_writer import SidecarWriter, mode_for_sidecar
from haulage.engine.trees.staged_item import StagedItem
from haulage.engine.trees.trouble import unwritable
from haulage.engine.trees.write_handles import WriteHandles
from haulage.engine.trees.writing_order import WritingOrder

_CANNOT_HOLD = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.EPROTO)
"""Why a place may not hold a name: too long, characters it refuses, or (in an empty folder) a twin it cannot tell apart."""
_NO_LINKS = (*_CANNOT_HOLD, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS, errno.ENOENT)

ForbiddenNames = Callable[[bytes], bool]


class LocalWriter:
    """A :class:`haulage.engine.trees.model.TreeWriter` into ``root``, which is created if it is not there and must be empty.

    ``sidecar_only``: everything but plain names and bytes goes to the sidecar, on purpose. ``forbidden_names``: names (one
    component) the place must not get; they go to the sidecar whole. ``earlier``: what earlier tries to write the same tree left in
    folders of the same file system, the newest first; files that were finished there are moved over, and the caller must read all
    of the tree afterwards. ``older``: another tree of the same file system whose bytes may be shared, see
    :class:`haulage.engine.trees.model.SharingWriter`. ``keep``: giving up leaves what was written, for another try.
    """

    def __init__(
        self,
        root: str | bytes,
        *,
        sidecar_only: bool = False,
        forbidden_names: ForbiddenNames | None = None,
        earlier: Sequence[str | bytes] = (),
        older: str | bytes | None = None,
        keep: bool = False,
        calls: OsCalls = SYSTEM_CALLS,
    ) -> None:
        self._root = os.fsencode(root)
        self._calls = calls
        self._sidecar_only = sidecar_only
        self._forbidden = forbidden_names
        self._keep = keep
        try:
            self._made_root = not os.path.isdir(self._root)
            if self._made_root:
                calls.mkdir(self._root, 0o700)
            elif os.listdir(self._root):
                raise ConflictError(
                    "staging-not-empty", f"The folder {shown(self._root)} is not empty.", "Give an empty folder to write into."
                )
            self._folders = FolderHandles(self._root, calls)
        except OSError as error:
            raise unwritable(self._root, error) from error
        self.gains_from_threads = is_far(self._root)
        """On a near disk several threads only wait for one another: each call into the system lets go of the interpreter."""
        self._files = WriteHandles(self._folders, calls)
        self._sidecar = SidecarWriter(self._folders, calls)
        self._earlier = list(self._open_earlier(earlier))
        self._older = self._open_older(older)
        self._setter = Setter(calls, sidecar_only=sidecar_only)
        self._order = WritingOrder()
        self._lock = threading.Lock()
        self._made = threading.Condition(self._lock)
        self._making: set[bytes] = set()
        self._plain: dict[bytes, Entry] = {}
        """Files that have nothing but bytes, mode, owner and time: made when their first bytes come, finished in one go."""
        self._items: dict[bytes, StagedItem] = {}
        self._native_folders: set[bytes] = set()
        self._whole: set[bytes] = set()
        self._root_entry: Entry | None = None
        self._omissions: list[Omission] = []

    def _open_earlier(self, roots: Sequence[str | bytes]) -> Iterator[LeftBehind]:
        for root in roots:
            with contextlib.suppress(OSError):
                yield LeftBehind(os.fsencode(root), self._calls)

    def _open_older(self, root: str | bytes | None) -> OlderTree | None:
        with contextlib.suppress(OSError):
            return OlderTree(os.fsencode(root), self._calls) if root is not None else None
        return None

    def shares_from(self) -> int | None:
        """See :class:`haulage.engine.trees.model.SharingWriter`."""
        return self._older.least_bytes if self._older is not None else None

    def add_like(self, entry: Entry, same: Sequence[tuple[int, int]]) -> Added:
        """See :class:`haulage.engine.trees.model.SharingWriter`. Raises as ``add`` does."""
        if self._older is None or self._sidecar_only or entry.type is not EntryType.FILE or not self._holds_parent(entry.path):
            return Added.ALL if self.add(entry) else Added.NOTHING
        self._order.admit(entry)
        try:
            if self._earlier and self._adopt(entry):
                return Added.ALL
            self._add_item(entry)
            return Added.SAME if self._share(self._older, entry, same) else Added.NOTHING
        except OSError as error:
            raise unwritable(entry.path, error) from error

    def _share(self, older: OlderTree, entry: Entry, same: Sequence[tuple[int, int]]) -> bool:
        item = self._items.get(entry.path)
        if item is None or item.whole:
            return False
        fd = self._files.acquire(item.place)
        try:
            if not older.fill(fd, entry.path, entry.size, same):
                return False
        finally:
            self._files.release(item.place)
        for offset, length in same:
            if item.written(None, offset, length):
                self._finish_item(item)
        return True

    def add(self, entry: Entry) -> bool:
        """See :class:`haulage.engine.trees.model.TreeWriter`. Raises FormatError as :class:`WritingOrder` does."""
        self._order.admit(entry)
        try:
            if not entry.path:
                self._add_root(entry)
            elif entry.same_as is not None:
                self._add_link(entry, entry.same_as)
            elif entry.type is EntryType.SYMLINK:
                self._add_symlink(entry)
            elif self._earlier and self._adopt(entry):
                return True
            elif entry.size and not self._earlier and self._setter.is_plain(entry) and self._holds_parent(entry.path):
                self._plain[entry.path] = entry
            else:
                self._add_item(entry)
        except OSError as error:
            raise unwritable(entry.path, error) from error
        return False

    def write(self, path: bytes, stream: bytes | None, offset: int, data: memoryview | bytes) -> None:
        """See :class:`haulage.engine.trees.model.TreeWriter`. Raises ValueError for a content that is complete or was not added."""
        try:
            if self._plain and stream is None and self._write_plain(path, offset, data):
                return
            item = self._items.get(path)
            if item is None:
                raise ValueError(f"{shown(path, stream)} is complete, or was not added")
            place = item.place_of(stream)
            if place is None:
                item.keep(stream, offset, data)
            else:
                if place == b"":
                    place = self._start_stored_stream(item, stream)
                self._files.write(place, offset, data)
            if item.written(stream, offset, len(data)) and item.entry.type is EntryType.FILE:
                self._finish_item(item)
        except OSError as error:
            raise unwritable(path, error, stream) from error

    def _write_plain(self, path: bytes, offset: int, data: memoryview | bytes) -> bool:
        """Make a plain file with its first bytes: whole and finished if these are all, and then True."""
        with self._made:
            entry = self._plain.pop(path, None)
            if entry is None:
                return False
            self._making.add(path)
        try:
            if offset == 0 and len(data) == entry.size and self._make_plain(entry, data):
                return True
            self._add_item(entry)
            return False
        finally:
            with self._made:
                self._making.discard(path)
                self._made.notify_all()

    def _make_plain(self, entry: Entry, data: memoryview | bytes) -> bool:
        """False, and nothing happened, if the place cannot hold the name."""
        assert entry.mode is not None
        try:
            # Nobody else gets into the staging folder, so the file may have its mode from the start.
            fd = self._files.create_whole(entry.path, data, entry.mode & 0o777)
        except OSError as error:
            if error.errno in _CANNOT_HOLD:
                return False
            raise
        try:
            if not self._setter.settle_plain(fd, entry):
                short, _ = self._setter.settle(fd, entry, {})
                self._note(entry.path, short)
        finally:
            self._calls.close(fd)
        return True

    def _make_now(self, path: bytes) -> None:
        """A file that waits for its first bytes is made without them; one that is being made is waited for."""
        with self._made:
            self._made.wait_for(lambda: path not in self._making)
            entry = self._plain.pop(path, None)
        if entry is not None:
            self._add_item(entry)

    def finish(self) -> Sequence[Omission]:
        """See :class:`haulage.engine.trees.model.TreeWriter`."""
        if self._root_entry is None:
            raise ValueError("nothing was added")
        try:
            folders = []
            for path in list(self._plain):
                self._make_now(path)
            for item in list(self._items.values()):
                if item.entry.type is EntryType.FILE:
                    self._finish_item(item)
                else:
                    folders.append(item)
            for item in sorted(folders, key=lambda item: item.entry.path, reverse=True):
                self._finish_item(item)
            self._finish_sidecar()
            sync_tree(self._folders.root_fd)
        except OSError as error:
            raise unwritable(b"", error) from error
        finally:
            self._close()
        return tuple(sorted(self._omissions, key=lambda omission: (omission.path, omission.what)))

    def abandon(self) -> None:
        """See :class:`haulage.engine.trees.model.TreeWriter`. Removes the root too if this writer made it."""
        if self._keep:
            self._close()
            return
        self._files.close()
        with contextlib.suppress(OSError):
            fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                remove_below(fd)
            finally:
                os.close(fd)
            if self._made_root:
                os.rmdir(self._root)
        self._close()

    def _close(self) -> None:
        self._files.close()
        self._folders.close()
        for tree in self._earlier:
            tree.close()
        if self._older is not None:
            self._older.close()
        self._items.clear()
        self._plain.clear()

    @contextlib.contextmanager
    def _parent(self, path: bytes) -> Iterator[int]:
        folder = parent_of(path)
        fd = self._folders.acquire(folder)
        try:
            yield fd
        finally:
            self._folders.release(folder)

    def _holds_parent(self, path: bytes) -> bool:
        """Whether the place itself may hold this name."""
        return parent_of(path) in self._native_folders and not (self._forbidden is not None and self._forbidden(name_of(path)))

    def _add_root(self, entry: Entry) -> None:
        fd = self._folders.root_fd
        with contextlib.suppress(OSError):
            self._calls.chmod(fd, 0o700)
        if self._setter.begin(fd, entry):
            self._omit(b"", "owner", "for the whole tree")
        self._root_entry = entry
        self._native_folders.add(b"")
        self._items[b""] = StagedItem(entry, b"", sidecar_only=self._sidecar_only)

    def _add_item(self, entry: Entry) -> None:
        native = self._holds_parent(entry.path) and self._create(entry)
        if entry.type is EntryType.FOLDER:
            place = entry.path
            if native:
                self._native_folders.add(entry.path)
        elif native:
            place = entry.path
        else:
            place = self._sidecar.place_for(entry.path, None)
            self._files.create(place, entry.size)
        item = StagedItem(entry, place, sidecar_only=self._sidecar_only or not native)
        if not native:
            item.whole = True
            self._keep_whole(entry, "name", "kept whole in the sidecar")
        self._items[entry.path] = item
        if entry.type is EntryType.FILE and item.complete():
            self._finish_item(item)

    def _adopt(self, entry: Entry) -> bool:
        """Move over what an earlier try finished; False if it is to be written. Empty files are as quickly made anew."""
        if entry.type is not EntryType.FILE or not entry.size or self._sidecar_only or not self._holds_parent(entry.path):
            return False
        with self._parent(entry.path) as target:
            for tree in self._earlier:
                short = tree.take(entry, self._setter, target)
                if short is not None:
                    self._note(entry.path, short)
                    return True
        return False

    def _create(self, entry: Entry) -> bool:
        """Create the name itself; False if the place cannot hold it."""
        try:
            if entry.type is EntryType.FILE:
                self._files.create(entry.path, entry.size)
            else:
                with self._parent(entry.path) as fd:
                    self._calls.mkdir(name_of(entry.path), 0o700, dir_fd=fd)
        except OSError as error:
            if error.errno in _CANNOT_HOLD:
                return False
            raise
        return True

    def _add_link(self, entry: Entry, first: bytes) -> None:
        self._make_now(first)
        native = not self._sidecar_only and first not in self._whole and self._holds_parent(entry.path)
        if not native or not self._link(entry.path, first):
            self._keep_whole(entry, "hard-link", f"to {shown(first)}")

    def _link(self, path: bytes, first: bytes) -> bool:
        with self._parent(first) as source, self._parent(path) as target:
            try:
                if not stat.S_ISREG(self._calls.stat(name_of(first), dir_fd=source, follow_symlinks=False).st_mode):
                    raise FormatError("bad-hard-link", f"{shown(path)} is a link to {shown(first)}, which is not a file.")
                self._calls.link(name_of(first), name_of(path), src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
            except OSError as error:
                if error.errno in _NO_LINKS:
                    return False
                raise
        return True

    def _add_symlink(self, entry: Entry) -> None:
        short = Shortfall()
        if self._sidecar_only or not self._holds_parent(entry.path) or not self._symlink(entry, short):
            self._keep_whole(entry, "symlink", "kept whole in the sidecar")
        else:
            if entry.attributes:
                short.lack("attributes", attribute_records(entry), "attribute")
            if entry.dos is not None:
                short.lack("dos", dos_record(entry.dos), "dos")
            if entry.streams:
                short.lack("streams", tuple(StreamRecord(s.name, s.size, True) for s in entry.streams), "stream")
            self._note(entry.path, short)
        if entry.streams:
            self._items[entry.path] = StagedItem(entry, entry.path, sidecar_only=True)
            self._items[entry.path].whole = True

    def _symlink(self, entry: Entry, short: Shortfall) -> bool:
        name = name_of(entry.path)
        with self._parent(entry.path) as fd:
            try:
                self._calls.symlink(entry.target, name, dir_fd=fd)
            except ValueError:  # a NUL in the target
                return False
            except OSError as error:
                if error.errno in (*_NO_LINKS, errno.ENOENT):
                    return False
                raise
            self._setter.own_link(name, fd, entry)
            self._setter.compare_common(short, entry, self._calls.stat(name, dir_fd=fd, follow_symlinks=False))
        return True

    def _start_stored_stream(self, item: StagedItem, stream: bytes | None) -> bytes:
        assert stream is not None
        with item.lock:
            place = item.stored.get(stream, b"")
            if not place:
                place = self._sidecar.place_for(item.entry.path, stream)
                self._files.create(place, item.size_of(stream))
                item.stored[stream] = place
        return place

    def _finish_item(self, item: StagedItem) -> None:
        """All bytes are there: set what the entry says, and give the sidecar what the place did not take."""
        with self._lock:
            if self._items.pop(item.entry.path, None) is not item:
                return
        entry, taken = item.entry, set[bytes]()
        if not item.whole:
            taken = self._settle(item)
        for stream in entry.streams:
            if stream.name in taken:
                continue
            if not item.stored.get(stream.name):
                place = self._start_stored_stream(item, stream.name)
                if (kept := item.kept(stream.name)) is not None:
                    self._files.write(place, 0, kept)
            self._close_stored(item.stored[stream.name], entry)
        if item.whole and entry.type is EntryType.FILE:
            self._close_stored(item.place, entry)
        else:
            self._files.done(item.place)

    def _close_stored(self, place: bytes, entry: Entry) -> None:
        """Whoever may read the entry may read what the sidecar keeps of it, and nobody else."""
        fd = self._files.acquire(place)
        try:
            with contextlib.suppress(OSError):
                self._calls.chmod(fd, mode_for_sidecar(entry))
        finally:
            self._files.release(place)
        self._files.done(place)

    def _settle(self, item: StagedItem) -> set[bytes]:
        entry, place = item.entry, item.place
        is_file = entry.type is EntryType.FILE
        fd = self._files.acquire(place) if is_file else self._folders.acquire(place)
        try:
            short, taken = self._setter.settle(fd, entry, item.small_streams())
        finally:
            if is_file:
                self._files.release(place)
            else:
                self._folders.release(place)
        self._note(entry.path, short)
        return taken

    def _note(self, path: bytes, short: Shortfall) -> None:
        record: Record | None = short.record(path)
        if record is not None:
            self._sidecar.add(record)
        for what, detail in short.words:
            self._omit(path, what, detail)

    def _keep_whole(self, entry: Entry, what: str, detail: str) -> None:
        self._whole.add(entry.path)
        self._sidecar.add(record_of_whole(entry))
        self._omit(entry.path, what, detail)

    def _omit(self, path: bytes, what: str, detail: str) -> None:
        self._omissions.append(Omission(path=path, what=what, detail=detail))

    def _finish_sidecar(self) -> None:
        if not self._sidecar.used() and self._setter.header == Header():
            return
        fd = self._folders.root_fd
        assert self._root_entry is not None
        with contextlib.suppress(OSError):
            self._calls.chmod(fd, 0o700)
        self._sidecar.finish(self._setter.header, mode_for_sidecar(self._root_entry))
        self._setter.again(fd, self._root_entry)
