"""What every writer asks of the entries it is given: safe paths, strict byte order, parents before children. Pure."""

from __future__ import annotations

from haulage.base.errors import FormatError
from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.paths import check_path, check_stream_name, parent_of, shown


class WritingOrder:
    """Remembers the folders and the last path of one tree."""

    def __init__(self) -> None:
        self._before: bytes | None = None
        self._folders: set[bytes] = set()

    def admit(self, entry: Entry) -> None:
        """Raises FormatError ``bad-path``, ``reserved-name``, ``bad-stream-name``, ``bad-hard-link`` or ``tree-order``."""
        path = entry.path
        check_path(path)
        for stream in entry.streams:
            check_stream_name(stream.name)
        if self._before is None:
            if path or entry.type is not EntryType.FOLDER:
                raise FormatError("tree-order", "A tree must begin with its root folder.")
        elif path <= self._before:
            raise FormatError("tree-order", f"{shown(path)} does not come after {shown(self._before)}.")
        elif parent_of(path) not in self._folders:
            raise FormatError("tree-order", f"{shown(path)} comes without the folder it lies in.")
        if entry.same_as is not None:
            check_path(entry.same_as)
            if entry.type is not EntryType.FILE or not b"" < entry.same_as < path:
                raise FormatError("bad-hard-link", f"{shown(path)} cannot be a hard link to {shown(entry.same_as)}.")
        self._before = path
        if entry.type is EntryType.FOLDER:
            self._folders.add(path)
