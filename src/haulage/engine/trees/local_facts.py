"""What Linux says about one file or folder beside its bytes, read into an entry: attributes, streams, ACLs, Windows facts, owners.

The same code reads a source and checks what a writer has just set, so the two cannot disagree.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from dataclasses import dataclass, field

from haulage.engine.trees import posix_acl, samba
from haulage.engine.trees.change_token import token_of
from haulage.engine.trees.model import Acl, Attribute, Dos, Entry, EntryType, Owner, StreamInfo
from haulage.engine.trees.oscalls import OsCalls

CAPABILITY = b"security.capability"

_HOST_LABELS = (b"security.selinux", b"security.ima", b"security.evm", b"security.apparmor", b"security.SMACK64")
"""Set by the host for its own use; they belong to the machine, not to the tree."""

_NO_ATTRIBUTES = (errno.ENOTSUP, errno.ENOSYS)


@dataclass(slots=True)
class Facts:
    """Everything that attributes say about one file."""

    attributes: list[Attribute] = field(default_factory=list)
    acls: list[Acl] = field(default_factory=list)
    streams: list[StreamInfo] = field(default_factory=list)
    dos: Dos | None = None
    others: list[bytes] = field(default_factory=list)
    """Names of attributes that a tree does not carry."""


def at(folder_fd: int, name: bytes) -> bytes:
    """A path to ``name`` in an open folder for calls that take no folder descriptor; the last component is not followed."""
    return b"/proc/self/fd/%d/%s" % (folder_fd, name)


def list_names(calls: OsCalls, where: int | bytes) -> list[bytes]:
    """Names of all attributes; none where the file system has no attributes."""
    try:
        names = calls.listxattr(where) if isinstance(where, int) else calls.listxattr(where, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_ATTRIBUTES:
            return []
        raise
    return [os.fsencode(name) for name in names] if names else []


def get_value(calls: OsCalls, where: int | bytes, name: bytes) -> bytes:
    """One attribute's value."""
    return calls.getxattr(where, name) if isinstance(where, int) else calls.getxattr(where, name, follow_symlinks=False)


def read_facts(calls: OsCalls, where: int | bytes, mode: int) -> Facts | None:
    """All that the attributes say; None if there are none. Raises OSError."""
    names = list_names(calls, where)
    if not names:
        return None
    facts = Facts()
    for name in sorted(names):
        if name.startswith(b"user."):
            _read_user(facts, name, get_value(calls, where, name))
        elif name in posix_acl.DIALECT_OF:
            value = get_value(calls, where, name)
            if not (name == posix_acl.ACCESS and posix_acl.mirrors_mode(value, mode)):
                facts.acls.append(Acl(dialect=posix_acl.DIALECT_OF[name], value=value))
        elif name == CAPABILITY:
            facts.attributes.append(Attribute(name=name, value=get_value(calls, where, name)))
        elif not name.startswith(_HOST_LABELS):
            facts.others.append(name)
    facts.attributes.sort(key=lambda attribute: attribute.name)
    facts.streams.sort(key=lambda stream: stream.name)
    facts.acls.sort(key=lambda acl: acl.dialect)
    return facts


def _read_user(facts: Facts, name: bytes, value: bytes) -> None:
    stream = samba.stream_name(name)
    if stream is not None:
        facts.streams.append(StreamInfo(name=stream, size=len(samba.stream_bytes(value))))
        return
    if name == samba.DOS_ATTRIBUTE:
        facts.dos = samba.read_dos(value)
        if facts.dos is not None:
            return
    facts.attributes.append(Attribute(name=name, value=value))


class OwnerNames:
    """Owners with the names they have on this machine, each looked up once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Owner] = {}

    def owner(self, uid: int, gid: int) -> Owner:
        """The owner of these numbers."""
        found = self._known.get((uid, gid))
        if found is None:
            found = self._known[uid, gid] = Owner(uid=uid, gid=gid, user=_user(uid), group=_group(gid))
        return found


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


def make_entry(path: bytes, status: os.stat_result, owner: Owner, facts: Facts | None) -> Entry:
    """The entry of a regular file or folder."""
    is_file = stat.S_ISREG(status.st_mode)
    kind = EntryType.FILE if is_file else EntryType.FOLDER
    size = status.st_size if is_file else 0
    mode = status.st_mode & 0o7777
    if facts is None:
        return Entry(path=path, type=kind, size=size, mode=mode, owner=owner, mtime_ns=status.st_mtime_ns, seen=token_of(status))
    return Entry(
        path=path,
        type=kind,
        size=size,
        mode=mode,
        owner=owner,
        mtime_ns=status.st_mtime_ns,
        attributes=tuple(facts.attributes),
        acls=tuple(facts.acls),
        streams=tuple(facts.streams),
        dos=facts.dos,
        seen=token_of(status),
    )
