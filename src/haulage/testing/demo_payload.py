"""What the demo distributes: the running Python's standard library, and a file with streams that a plain copy loses."""

from __future__ import annotations

import os
import shutil
import stat
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass

from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Attribute, Dos, Entry, EntryType
from haulage.testing.folders import local_owner, noise, write_folder

TOOLS = "tools"
SETUP = "tools/setup.exe"
LIBRARY = "lib"

STREAMS = {
    b"Zone.Identifier": b"[ZoneTransfer]\r\nZoneId=3\r\n",
    b"installer.cab": noise(2 * 1024 * 1024, 1),
}
ATTRIBUTES = (Attribute(name=b"user.origin", value=b"\0 not text \xff"), Attribute(name=b"user.ticket", value=b"Q316316"))

_LEFT_OUT = ("__pycache__", "site-packages", "dist-packages", "test", "tests", "config-*")
"""Not every Python ships its tests or its static library; without them the payload is much the same everywhere."""
_MOMENT_NS = 1_700_000_000_123_456_700
_WINDOWS_FACTS = Dos(attributes=0x21, created_ns=_MOMENT_NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Riches:
    """What a tree has beyond names and bytes."""

    streams: int
    stream_bytes: int
    attributes: int


def make_source(root: str) -> None:
    """A new source folder."""
    tree = MemoryTree()
    owner = local_owner()
    for path in (b"", TOOLS.encode()):
        tree.put(Entry(path=path, type=EntryType.FOLDER, mode=0o755, owner=owner, mtime_ns=_MOMENT_NS))
    setup = Entry(
        path=SETUP.encode(),
        type=EntryType.FILE,
        mode=0o755,
        owner=owner,
        mtime_ns=_MOMENT_NS,
        attributes=ATTRIBUTES,
        dos=_WINDOWS_FACTS,
    )
    tree.put(setup, noise(300_000), STREAMS)
    write_folder(tree, root)
    library = sysconfig.get_path("stdlib")
    shutil.copytree(library, os.path.join(root, LIBRARY), symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))


def riches(root: str) -> Riches:
    """What a folder has, its sidecar read with it."""
    reader = LocalReader(root)
    entries = [entry for entry in reader.entries() if entry.same_as is None]
    reader.close()
    streams = [stream for entry in entries for stream in entry.streams]
    return Riches(
        streams=len(streams),
        stream_bytes=sum(stream.size for stream in streams),
        attributes=sum(len(entry.attributes) for entry in entries),
    )


def plain_copy(root: str, target: str) -> None:
    """What copying the folder with the rich file gives: names, bytes, modes."""
    shutil.copytree(os.path.join(root, TOOLS), target, copy_function=shutil.copy)


def small_update(root: str) -> int:
    """The next version: some files edited, one new, one gone, one folder renamed. Returns how many of them."""
    edited = sorted(_sources(root))[:40:8]
    for path in edited:
        _edit(path)
    with open(os.path.join(root, LIBRARY, "new_module.py"), "wb") as made:
        made.write(noise(100_000, 2))
    os.unlink(os.path.join(root, LIBRARY, "this.py"))
    os.rename(os.path.join(root, LIBRARY, "json"), os.path.join(root, LIBRARY, "json_renamed"))
    return len(edited) + 3


def make_image(root: str, size_bytes: int, seed: int) -> None:
    """A folder with one large file that nothing held resembles; once more: another such file instead."""
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "disk.img"), "wb") as made:
        for part in range(size_bytes >> 20):
            made.write(noise(1 << 20, seed * 10_000 + part))


def make_notice(root: str, text: str) -> None:
    """A folder with one small file."""
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "notice.txt"), "w", encoding="utf-8") as made:
        made.write(text)


def _edit(path: str) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | stat.S_IWUSR)
    with open(path, "ab") as file:
        file.write(b"# edited\n")
    os.chmod(path, mode)


def _sources(root: str) -> Iterator[str]:
    for folder, _folders, names in os.walk(os.path.join(root, LIBRARY)):
        if os.path.basename(folder) != "json":
            yield from (os.path.join(folder, name) for name in names if name.endswith(".py") and name != "this.py")
