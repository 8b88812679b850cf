"""Builders of hostile trees for tests: in memory, as a Linux folder, with everything in a sidecar, as an NTFS image."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import random
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping

from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Acl, Attribute, Dos, Entry, EntryType, Owner, TreeReader

STREAM_SIZES = (0, 1, 4095, 65537, 2 * 1024 * 1024)

WINDOWS_NAMES = (b"-rf", b"plain.txt", b"quote'.txt", "smile \U0001f600.txt".encode(), "ümlaut.txt".encode(), b"$(reboot);.txt")
"""Hostile names that Windows too can hold."""

HOSTILE_NAMES = (
    *WINDOWS_NAMES,
    b"new\nline",
    b'double "quote"',
    b"not utf-8 \xff\xfe",
    b"trailing dot.",
    b"trailing space ",
    b"back\\slash",
    b"a:b",
    b"CON",
    "e\u0301 and \xe9".encode(),
    "\u202egnp.exe".encode(),
    b"x" * 255,
)

_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")


def noise(size: int, seed: int = 0) -> bytes:
    """The same incompressible bytes for the same arguments."""
    return random.Random(seed * 1_000_003 + size).randbytes(size)


def stream_name(size: int) -> bytes:
    """The name under which the builders put a stream of that size."""
    return b"s%d" % size


def local_owner() -> Owner:
    """The owner that files made by this process have."""
    uid, gid = os.geteuid(), os.getegid()
    user = group = ""
    with contextlib.suppress(KeyError):
        user = pwd.getpwuid(uid).pw_name
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(gid).gr_name
    return Owner(uid=uid, gid=gid, user=user, group=group)


def posix_acl(*named: tuple[int, int]) -> Acl:
    """An access ACL for mode 0640 with rights for some named users: (uid, rights)."""
    items = [(0x01, 6, 0xFFFFFFFF), *((0x02, rights, uid) for uid, rights in sorted(named))]
    items += [(0x04, 4, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF)]
    return Acl(dialect="posix-acl", value=struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *item) for item in items))


def hostile_tree(*, depth: int = 200, stream_sizes: tuple[int, ...] = STREAM_SIZES) -> MemoryTree:
    """A tree with everything a Linux folder and its sidecar can hold, made for this process's user."""
    tree = MemoryTree()
    owner = local_owner()
    moment = 1_700_000_000_123_456_700

    def put(path: bytes, kind: EntryType, content: bytes = b"", **facts: object) -> None:
        nonlocal moment
        moment += 1_000_000_300
        streams = facts.pop("streams", None)
        assert streams is None or isinstance(streams, Mapping)
        mode = {EntryType.FILE: 0o640, EntryType.FOLDER: 0o750, EntryType.SYMLINK: None}[kind]
        known: dict[str, object] = {"mode": mode, "owner": owner, "mtime_ns": moment, **facts}
        tree.put(Entry(path=path, type=kind, **known), content, streams)  # type: ignore[arg-type]

    put(b"", EntryType.FOLDER)
    put(b"names", EntryType.FOLDER)
    for name in HOSTILE_NAMES:
        put(b"names/" + name, EntryType.FILE, b"named " + name)
    put(b"empty", EntryType.FOLDER, mode=0o555)
    put(b"zero", EntryType.FILE)
    put(b"old", EntryType.FILE, b"before 1970", mtime_ns=-1_000_000_007)
    put(b"setup.exe", EntryType.FILE, noise(100_000), streams={stream_name(size): noise(size, 1) for size in stream_sizes})
    put(b"with stream", EntryType.FOLDER, streams={"Zone.Identifier ✓".encode(): b"[ZoneTransfer]\r\nZoneId=3\r\n"})
    put(b"nul", EntryType.FILE, b"x", streams={b"ends in NUL": b"\0\0", b"zeros": bytes(70_000)})
    put(b"attributes", EntryType.FILE, b"a", attributes=(Attribute(name=b"user.comment", value=b"\0\xff"),))
    put(b"windows", EntryType.FILE, b"w", dos=Dos(attributes=0x27, created_ns=moment))
    put(b"listed", EntryType.FILE, b"l", acls=(posix_acl((65534, 4), (1234, 4)),))
    put(b"sparse", EntryType.FILE, bytes(300_000) + b"end")
    put(b"link", EntryType.SYMLINK, target=b"../../etc/passwd")
    put(b"link absolute", EntryType.SYMLINK, target=b"/nonexistent\n\xff")
    put(b"twin", EntryType.FILE, b"one content", streams={b"shared": b"too"})
    tree.put(Entry(path=b"twin 2", type=EntryType.FILE, same_as=b"twin"))
    tree.put(Entry(path=b"twin 3", type=EntryType.FILE, same_as=b"twin"))
    put(b"order", EntryType.FOLDER)
    put(b"order-", EntryType.FILE)
    put(b"order/x", EntryType.FILE)
    put(b"order0", EntryType.FILE)
    path = b"deep"
    put(path, EntryType.FOLDER)
    for _ in range(depth - 1):
        path += b"/d"
        put(path, EntryType.FOLDER)
    put(path + b"/bottom", EntryType.FILE, b"deep down")
    return tree


def write_folder(tree: MemoryTree, root: str) -> None:
    """The tree as a Linux folder; a sidecar holds what the place cannot."""
    copy_tree(MemoryReader(tree), LocalWriter(root))


def write_sidecar_folder(tree: MemoryTree, root: str) -> None:
    """The tree as bare names and bytes, with everything else in the sidecar."""
    copy_tree(MemoryReader(tree), LocalWriter(root, sidecar_only=True))


def write_ntfs_image(files: Mapping[bytes, tuple[bytes, Mapping[bytes, bytes]]], image: str, *, size_mib: int = 24) -> None:
    """A new NTFS image whose root folder holds these files: name to content and streams. Needs ntfs-3g's tools only."""
    with open(image, "wb") as made:
        made.truncate(size_mib << 20)
    _run("mkntfs", "-F", "-q", image)
    with tempfile.TemporaryDirectory() as scratch:
        source = os.path.join(scratch, "content")
        for name, (content, streams) in files.items():
            for stream, data in ((None, content), *streams.items()):
                with open(source, "wb") as written:
                    written.write(data)
                as_stream = () if stream is None else ("-N", os.fsdecode(stream))
                _run("ntfscp", "-q", "-f", *as_stream, image, source, "/" + os.fsdecode(name))


def hostile_windows_files(stream_sizes: tuple[int, ...] = STREAM_SIZES) -> dict[bytes, tuple[bytes, dict[bytes, bytes]]]:
    """Files for :func:`write_ntfs_image`: hostile names, small and large contents, streams of every size."""
    files: dict[bytes, tuple[bytes, dict[bytes, bytes]]] = {name: (b"named " + name, {}) for name in WINDOWS_NAMES}
    files[b"zero"] = (b"", {})
    files[b"setup.exe"] = (noise(3_000_000), {stream_name(size): noise(size, 1) for size in stream_sizes})
    return files


@contextlib.contextmanager
def mounted_ntfs(image: str, folder: str) -> Iterator[str]:
    """Mount an image for writing while the context is open, streams as ``name:stream``. Needs root and FUSE."""
    os.makedirs(folder, exist_ok=True)
    _run("ntfs-3g", "-o", "streams_interface=windows,compression", image, folder)
    try:
        yield folder
    finally:
        _run("umount", folder)


def fuse_works() -> bool:
    """Whether :func:`mounted_ntfs` can."""
    return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


def describe(reader: TreeReader) -> dict[bytes, tuple[Entry, bytes, dict[bytes, bytes]]]:
    """A whole tree as values: entry, unnamed content and streams of each path."""
    found = {}
    for entry in reader.entries():
        has_content = entry.type is EntryType.FILE and entry.same_as is None
        content = _read(reader, entry, None) if has_content else b""
        found[entry.path] = (entry, content, {stream.name: _read(reader, entry, stream.name) for stream in entry.streams})
    return found


def _read(reader: TreeReader, entry: Entry, stream: bytes | None) -> bytes:
    content = reader.open(entry, stream)
    try:
        return content.read_at(0, content.size)
    finally:
        content.close()


def _run(program: str, *arguments: str) -> None:
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    found = shutil.which(program, path=path)
    if found is None:
        raise FileNotFoundError(f"{program} is not installed")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": path}
    subprocess.run([found, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
