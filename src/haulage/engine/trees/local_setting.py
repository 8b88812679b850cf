"""Setting what an entry says on an open file or folder, and reading it back: what the place did not take becomes a sidecar record.

Unprivileged servers and poor file systems are the normal case: nothing here fails because something could not be set.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from haulage.engine.trees import posix_acl, samba
from haulage.engine.trees.local_facts import CAPABILITY, Facts, OwnerNames, get_value, read_facts
from haulage.engine.trees.model import Acl, Dos, Entry, EntryType, Owner
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.sidecar_format import (
    Header,
    Record,
    StreamRecord,
    acl_records,
    attribute_records,
    dos_record,
    owner_record,
)

_BROKEN = (errno.EIO, errno.EROFS)
_DEFAULT_MODE = {EntryType.FILE: 0o644, EntryType.FOLDER: 0o755}
_READABLE = {EntryType.FILE: 0o400, EntryType.FOLDER: 0o500}
_NO_FACTS = Facts()


@dataclass(slots=True)
class Shortfall:
    """What one entry needs from the sidecar."""

    fields: dict[str, object] = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    """(what, detail) of each omission."""

    def record(self, path: bytes) -> Record | None:
        """The sidecar's record; None if the place keeps everything."""
        if not self.fields and not self.unset:
            return None
        return Record(path=path, unset=tuple(sorted(self.unset)), **self.fields)  # type: ignore[arg-type]

    def lack(self, name: str, value: object, what: str, detail: str = "") -> None:
        """Note one field that the place did not keep."""
        self.fields[name] = value
        self.words.append((what, detail))


class Setter:
    """Sets and verifies metadata for one tree being written."""

    def __init__(self, calls: OsCalls, *, sidecar_only: bool) -> None:
        self._calls = calls
        self._sidecar_only = sidecar_only
        self._names = OwnerNames()
        # Without root's rights, a mode that shuts its owner out would keep this server from verifying or removing its own tree.
        self._reads_all = os.geteuid() == 0
        self._refused_owners: set[tuple[int, int]] = set()
        self.header = Header()

    def begin(self, fd: int, root: Entry) -> bool:
        """Decide from the root what holds for the whole tree. Returns whether its owner must go to the sidecar."""
        self._remove_inherited(fd)
        lost = root.owner is not None and (self._sidecar_only or not self._own(fd, root.owner))
        self.header = Header(
            no_mode=root.mode is None, no_owner=root.owner is None, owner=owner_record(root.owner) if lost else None
        )
        return lost

    def settle(self, fd: int, entry: Entry, streams: Mapping[bytes, bytes]) -> tuple[Shortfall, set[bytes]]:
        """Set everything on a file or folder. ``streams`` are those small enough to try natively; returns what the sidecar must
        hold, and the names of the streams the place took."""
        short = Shortfall()
        if not self._sidecar_only:
            self._chown(fd, entry)
            rich = entry.attributes or entry.acls or entry.streams or entry.dos
            taken = self._set_facts(fd, entry, streams) if rich else set()
        else:
            taken = set()
        facts = self._facts(fd, entry)
        self._set_mode_and_time(fd, entry)
        self._compare_facts(short, entry, facts, taken)
        status = self._calls.fstat(fd)
        self._compare_acls(short, fd, entry, status.st_mode)
        self._compare_mode(short, entry, status.st_mode & 0o7777)
        self.compare_common(short, entry, status)
        return short, taken

    def is_plain(self, entry: Entry) -> bool:
        """Whether mode, owner and time are all there is to set, and the place is to be given them."""
        if entry.attributes or entry.acls or entry.streams or entry.dos or self._sidecar_only or entry.mode is None:
            return False
        if not (self._reads_all or entry.mode & 0o400):
            return False
        header = self.header
        return entry.owner is not None and header.owner is None and not header.no_mode and not header.no_owner

    def settle_plain(self, fd: int, entry: Entry) -> bool:
        """For a plain entry whose file was made with its mode and has all its bytes: set the rest, and read it back. False if the
        place did not take something: :meth:`settle` then finds out what."""
        calls = self._calls
        with contextlib.suppress(OSError, OverflowError):
            calls.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        status = calls.fstat(fd)
        return (
            status.st_mode & 0o7777 == entry.mode
            and status.st_mtime_ns == entry.mtime_ns
            and self._names.owner(status.st_uid, status.st_gid) == entry.owner
        )

    def compare_common(self, short: Shortfall, entry: Entry, status: os.stat_result) -> None:
        """Note times and owner that are not as wanted (files, folders and symlinks alike)."""
        if status.st_mtime_ns != entry.mtime_ns or self._sidecar_only:
            short.lack("mtime_ns", entry.mtime_ns, "times")
        owner = owner_record(entry.owner)
        default = self.header.owner
        if owner is None:
            if not self.header.no_owner:
                short.unset.append("owner")
        elif default is not None or self.header.no_owner:
            if owner != default:
                short.lack("owner", owner, "owner", f"{entry.owner}")
        elif self._names.owner(status.st_uid, status.st_gid) != entry.owner:
            short.lack("owner", owner, "owner", f"{owner.user or owner.uid}:{owner.group or owner.gid}")

    def own_link(self, name: bytes, folder_fd: int, entry: Entry) -> None:
        """Set owner and time of a symlink."""
        if self._sidecar_only:
            return
        owner = entry.owner
        if owner is not None and (owner.uid, owner.gid) not in self._refused_owners:
            with contextlib.suppress(OSError):
                self._calls.chown(name, owner.uid, owner.gid, dir_fd=folder_fd, follow_symlinks=False)
        with contextlib.suppress(OSError, OverflowError):
            self._calls.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=folder_fd, follow_symlinks=False)

    def again(self, fd: int, entry: Entry) -> None:
        """Set mode and time once more, after the folder was written to."""
        self._set_mode_and_time(fd, entry)

    def _own(self, fd: int, owner: Owner) -> bool:
        self._change_owner(fd, owner)
        status = self._calls.fstat(fd)
        return self._names.owner(status.st_uid, status.st_gid) == owner

    def _chown(self, fd: int, entry: Entry) -> None:
        if entry.owner is not None and self.header.owner is None:
            self._change_owner(fd, entry.owner)

    def _change_owner(self, fd: int, owner: Owner) -> None:
        wanted = (owner.uid, owner.gid)
        if wanted in self._refused_owners:
            return
        status = self._calls.fstat(fd)
        if (status.st_uid, status.st_gid) == wanted:
            return
        try:
            self._calls.chown(fd, owner.uid, owner.gid)
        except (OSError, OverflowError) as error:
            _raise_broken(error)
            self._refused_owners.add(wanted)

    def _remove_inherited(self, fd: int) -> None:
        """A default ACL on the staging folder would put ACLs on everything below it that the tree does not have."""
        for name in (posix_acl.DEFAULT, posix_acl.ACCESS):
            with contextlib.suppress(OSError):
                self._calls.removexattr(fd, name)

    def _set_facts(self, fd: int, entry: Entry, streams: Mapping[bytes, bytes]) -> set[bytes]:
        """Set attributes, ACLs, Windows facts, then streams from the smallest; returns the streams that took."""
        for attribute in entry.attributes:
            if attribute.name.startswith(b"user.") or attribute.name == CAPABILITY:
                self._set(fd, attribute.name, attribute.value)
        if entry.dos is not None and (value := samba.write_dos(entry.dos)) is not None:
            self._set(fd, samba.DOS_ATTRIBUTE, value)
        for acl in entry.acls:
            if acl.dialect in posix_acl.ATTRIBUTE_OF:
                self._set(fd, posix_acl.ATTRIBUTE_OF[acl.dialect], acl.value)
        taken = set()
        for name, content in sorted(streams.items(), key=lambda item: len(item[1])):
            attribute_name = samba.stream_attribute(name)
            value = samba.stream_value(content)
            if self._set(fd, attribute_name, value) and get_value(self._calls, fd, attribute_name) == value:
                taken.add(name)
            else:
                with contextlib.suppress(OSError):  # some places leave an empty one behind
                    self._calls.removexattr(fd, attribute_name)
        return taken

    def _set(self, fd: int, name: bytes, value: bytes) -> bool:
        try:
            self._calls.setxattr(fd, name, value)
        except (OSError, ValueError) as error:
            _raise_broken(error)
            return False
        return True

    def _set_mode_and_time(self, fd: int, entry: Entry) -> None:
        mode = _DEFAULT_MODE[entry.type] if entry.mode is None or self._sidecar_only else entry.mode
        if not self._reads_all:
            mode |= _READABLE[entry.type]
        try:
            self._calls.chmod(fd, mode)
        except OSError as error:
            _raise_broken(error)
        with contextlib.suppress(OSError, OverflowError):
            self._calls.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))

    def _facts(self, fd: int, entry: Entry) -> Facts | None:
        # Read before the mode is set: a file without read permission hides its attributes even from its owner.
        if entry.attributes or entry.streams or entry.dos or entry.acls:
            return read_facts(self._calls, fd, 0) or _NO_FACTS
        return None

    def _compare_facts(self, short: Shortfall, entry: Entry, facts: Facts | None, taken: set[bytes]) -> None:
        if facts is None:
            return
        if tuple(facts.attributes) != entry.attributes:
            lost = {a.name for a in entry.attributes} - {a.name for a in facts.attributes}
            names = b", ".join(sorted(lost)).decode("utf-8", "backslashreplace")
            short.lack("attributes", attribute_records(entry), "attribute", names)
        self._compare_dos(short, entry.dos, facts.dos)
        stored = [stream for stream in entry.streams if stream.name not in taken]
        if stored or {stream.name for stream in facts.streams} != {stream.name for stream in entry.streams}:
            kept = tuple(StreamRecord(stream.name, stream.size, stream.name not in taken) for stream in entry.streams)
            names = ", ".join(stream.name.decode("utf-8", "backslashreplace") for stream in stored)
            short.lack("streams", kept, "stream", names)

    def _compare_dos(self, short: Shortfall, wanted: Dos | None, found: Dos | None) -> None:
        if wanted == found:
            return
        if wanted is None:
            short.unset.append("dos")
        else:
            short.lack("dos", dos_record(wanted), "dos")

    def _compare_acls(self, short: Shortfall, fd: int, entry: Entry, mode: int) -> None:
        """After the mode was set, because the two share bits."""
        if not entry.acls:
            return
        found = []
        for name, dialect in posix_acl.DIALECT_OF.items():
            with contextlib.suppress(OSError):
                value = get_value(self._calls, fd, name)
                if not (name == posix_acl.ACCESS and posix_acl.mirrors_mode(value, mode)):
                    found.append(Acl(dialect=dialect, value=value))
        if tuple(found) != entry.acls:
            short.lack("acls", acl_records(entry), "acl", ", ".join(acl.dialect for acl in entry.acls))

    def _compare_mode(self, short: Shortfall, entry: Entry, mode: int) -> None:
        if entry.mode is None:
            if not self.header.no_mode:
                short.unset.append("mode")
        elif entry.mode != mode or self.header.no_mode or self._sidecar_only:
            short.lack("mode", entry.mode, "mode-bits", f"{entry.mode:04o}")


def _raise_broken(error: Exception) -> None:
    """A failing disk is not a place that cannot keep something."""
    if isinstance(error, OSError) and error.errno in _BROKEN:
        raise error
