"""What a file tree is, wherever it lies: the entries, and the two interfaces every kind of place implements.

A tree is exact: bytes, named streams, attributes, ACLs, owners, modes, times in ns UTC, symlinks and hard links. Content is read
through :class:`TreeReader` and written through :class:`TreeWriter`; what a place cannot hold natively goes into the sidecar
(``.haulage-tree/``), never away. Must not know chunks, packages or sites.

What there is one of for each file is a msgspec struct: made ten times as fast as a frozen dataclass, and as immutable.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec


class EntryType(enum.Enum):
    """The kinds of entry a tree holds. Devices, FIFOs and sockets are refused by readers, never opened."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns an entry on a POSIX place: numbers, and the names they had where the tree was read ("" if unknown)."""

    uid: int
    gid: int
    user: str = ""
    group: str = ""


class Acl(msgspec.Struct, frozen=True, kw_only=True):
    """An access control list, opaque and tagged by its dialect; never translated."""

    dialect: str
    """``posix-acl`` (the system.posix_acl_access value), ``posix-acl-default``, or ``nt-sd`` (NT security descriptor)."""
    value: bytes


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One extended attribute: its full name on Linux (``user.comment``, ``security.capability``) and value."""

    name: bytes
    value: bytes


class StreamInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A named stream (NTFS alternate data stream). ``name`` is UTF-8 (WTF-8 for lone surrogates), without ``:`` and ``:$DATA``."""

    name: bytes
    size: int


class Dos(msgspec.Struct, frozen=True, kw_only=True):
    """Windows facts: the FILE_ATTRIBUTE_* bits worth keeping (READONLY, HIDDEN, SYSTEM, ARCHIVE) and creation time."""

    attributes: int
    created_ns: int | None = None
    """Creation time, ns since 1970 UTC; None where the place does not tell."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One name in a tree.

    ``path`` is relative to the tree's root, components joined by ``/``, raw bytes on POSIX, WTF-8 from Windows; ``b""`` is the root
    folder itself, and it is always the first entry. Sequences are sorted by name, without repeats.
    """

    path: bytes
    type: EntryType
    size: int = 0
    """Bytes of the unnamed content; 0 for folders and symlinks."""
    mode: int | None = None
    """Permission bits (0o7777); None where the place has none (NTFS), and always for symlinks."""
    owner: Owner | None = None
    mtime_ns: int = 0
    """Modification time, ns since 1970 UTC."""
    target: bytes = b""
    """What a symlink points to; never followed, never changed."""
    same_as: bytes | None = None
    """For the second and later names of a hard-linked file: the first path of the set in byte order. Such an entry has nothing
    else of its own: every other field is at its default."""
    attributes: tuple[Attribute, ...] = ()
    acls: tuple[Acl, ...] = ()
    streams: tuple[StreamInfo, ...] = ()
    dos: Dos | None = None
    seen: bytes = b""
    """What the reader saw, for itself to recognise the entry again; no part of the tree, so entries that differ in nothing else are
    equal. Others keep or drop it at will."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and _told(self) == _told(other)

    def __hash__(self) -> int:
        return hash(_told(self))


def _told(entry: Entry) -> tuple[object, ...]:
    """All that an entry says of the tree."""
    return msgspec.structs.astuple(entry)[:-1]


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A range of zeros that occupies no space. A hint: never part of a tree's identity."""

    offset: int
    size: int


class Content(Protocol):
    """One open content (a file's bytes or one stream's), to be read at any offset from any thread."""

    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes from ``offset``. Raises TransferError ``source-changed`` if they are no longer there, and
        ``source-unreadable`` (naming path, stream and the OS's cause) when reading fails."""
        ...

    def holes(self) -> Sequence[Hole]:
        """Known holes, in order; empty where the place cannot tell."""
        ...

    def close(self) -> None:
        """Release it; safe to repeat."""
        ...


class Omission(msgspec.Struct, frozen=True, kw_only=True):
    """Something a reader dropped by policy, or a writer could not keep natively and put into the sidecar."""

    path: bytes
    what: str
    """A short stable word: ``stream``, ``attribute``, ``dos``, ``mode-bits``, ``owner``, ``acl``, ``name``, ``times``, ``symlink``,
    ``hard-link``."""
    detail: str = ""


class TreeReader(Protocol):
    """A tree to read. Never writes, never follows a link, never opens anything but regular files."""

    def entries(self) -> Iterator[Entry]:
        """All entries in byte order of their paths, root first. Streaming: memory does not grow with the tree by more than a
        sorted listing of one folder per level (hard-link bookkeeping excepted).

        Raises TransferError naming the path when the tree cannot be read whole, FormatError when it holds what cannot be a
        package (device, FIFO, socket, foreign sidecar)."""
        ...

    def open(self, entry: Entry, stream: bytes | None = None) -> Content:
        """Open the unnamed content of a file, or one of an entry's streams, per component and without following links.
        Raises TransferError ``source-changed`` when it is not the file that was listed any more."""
        ...

    def change_token(self, entry: Entry) -> bytes:
        """Bytes that differ whenever the entry's content, streams or attributes may have changed (for a local file: size, mtime,
        ctime, inode). Empty when this place cannot vouch for that; the caller then reads the content again."""
        ...

    def still(self, entry: Entry) -> bool:
        """Whether the entry is still as it was listed: looked at afresh, by the strongest means the place offers."""
        ...

    def dropped(self) -> Sequence[Omission]:
        """What reading left out so far, each by name: set-uid and device bits, streams dropped by policy."""
        ...

    def close(self) -> None:
        """Release everything; safe to repeat."""
        ...


class WholeReader(Protocol):
    """What a reader may offer beside :class:`TreeReader`: a small content in one call, cheaper than ``open``."""

    def read_whole(self, entry: Entry, stream: bytes | None = None) -> bytes:
        """All bytes, looked at before and after reading: opened, read and closed. Raises like ``open`` and ``read_at``."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """Names that follow one another in path order and lie in the same folder."""

    prefix: bytes
    """What stands before each name: the folder and a slash, nothing in the root."""
    names: list[bytes]
    tokens: list[bytes]
    """What :meth:`TreeReader.change_token` would give for each; for a further name of a hard-linked file, its first path behind it;
    empty where nothing vouches for the name."""


PathRange = tuple[bytes, bytes | None]
"""Paths from the first (included) to the second (not included; None: to the end)."""


class Survey(Protocol):
    """One look over a whole tree that costs no more than listing it."""

    key: bytes
    """Differs whenever entries may look different although no token does (policy, rights of the reader)."""

    def knows(self, owners: Sequence[Owner]) -> bool:
        """Whether each of these owners would be read with just these names."""
        ...

    def runs(self) -> Iterator[Run]:
        """Every name, in path order, root first. Raises like ``entries``."""
        ...

    def rest(self, known: Sequence[PathRange]) -> Iterator[Entry]:
        """After ``runs``: what ``entries`` gives but for the ranges, which are sorted and do not touch. Raises like ``entries``."""
        ...


class SurveyingReader(Protocol):
    """What a reader may offer beside :class:`TreeReader`, where its tokens speak for attributes too."""

    def survey(self) -> Survey | None:
        """A survey; None where this tree cannot be judged by it."""
        ...


class StreamAction(enum.Enum):
    """What a package does with named streams it meets while capturing."""

    KEEP = "keep"
    DROP = "drop"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPolicy:
    """How to read a source: one per package."""

    streams: StreamAction = StreamAction.KEEP
    drop_patterns: tuple[str, ...] = ()
    """With DROP: shell patterns of stream names, compared without case (``Zone.Identifier``); ``*`` drops all."""
    keep_special_bits: bool = False
    """Keep set-uid, set-gid and sticky bits; otherwise they are dropped and listed."""


class TreeWriter(Protocol):
    """A tree being written into an empty, private staging place. Entries come in byte order of paths (root first, parents before
    children); contents may be written in any order and from several threads, each through its own handle."""

    def add(self, entry: Entry) -> bool:
        """Create the name: folder, symlink, empty file of the final size, or hard link. Refuses names that would leave the tree.
        True if all contents of the entry are there already, from an earlier try, and must not be written."""
        ...

    def write(self, path: bytes, stream: bytes | None, offset: int, data: memoryview | bytes) -> None:
        """Write part of a content. Ranges never written read as zeros (holes)."""
        ...

    def finish(self) -> Sequence[Omission]:
        """Set attributes, ACLs, owners, modes, times (folders last, deepest first), write the sidecar for everything the place did
        not keep, re-read what was set to be sure, and make it durable. Returns what went to the sidecar."""
        ...

    def abandon(self) -> None:
        """Give up; remove what was written as far as possible, unless the writer was told to leave it for another try."""
        ...


class Added(enum.Enum):
    """What is there of a name's contents when it was added."""

    NOTHING = "nothing"
    SAME = "same"
    """The unnamed content, in the ranges said to be the same."""
    ALL = "all"
    """Everything, streams included."""


class SharingWriter(Protocol):
    """What a writer may offer beside :class:`TreeWriter`, where an older tree lies on the same file system."""

    def shares_from(self) -> int | None:
        """Contents of fewer bytes are not worth asking for; None if there is no older tree."""
        ...

    def add_like(self, entry: Entry, same: Sequence[tuple[int, int]]) -> Added:
        """As ``add``, for a file whose unnamed content is the same as that of the older tree's file at this path in the ranges
        ``same`` (offset and length, rising). Where those are there then, all others must be written, zeros too. What is there is
        believed of the older tree: the caller must read all of the new one afterwards."""
        ...


class TreeDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which two trees are not the same."""

    path: bytes
    what: str
    expected: str = ""
    found: str = ""
