"""The trees that the kept parcels turn into one another, the same on every machine; run as a program it writes the parcels anew,
which is a change of the format."""

from __future__ import annotations

import pathlib
import tempfile

from haulage.engine.archives.fingerprint import abilities
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import build
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Attribute, Dos, Entry, EntryType, Owner
from tests.engine.content.trees import noise, take, text

GOLDEN = pathlib.Path(__file__).parent / "golden"


def _code(shift: int) -> bytes:
    """Calls to few places from many, all moved by the same: what is foretold."""
    parts = []
    for number in range(4_000):
        target = 400_000 + 640 * (number % 97)
        parts.append(b"\x48\x89\xc3\x55\x41\x54" + noise(number % 300, 9) + b"\xe8")
        parts.append((target + shift - 20 * (number + 1)).to_bytes(4, "little"))
    return b"".join(parts)


def _facts() -> MemoryTree:
    """What is not content."""
    tree = MemoryTree()
    tree.put(
        Entry(
            path=b"setup.exe",
            type=EntryType.FILE,
            mode=0o644,
            owner=Owner(uid=1000, gid=100, user="packager", group="users"),
            mtime_ns=1_234_567_890_123_456_789,
            attributes=(Attribute(name=b"user.big", value=noise(1, 5000)), Attribute(name=b"user.small", value=b"x")),
            dos=Dos(attributes=0x21, created_ns=-5),
        ),
        noise(3, 2_000),
        {b"Zone.Identifier": b"[ZoneTransfer]", b"empty": b""},
    )
    tree.put(Entry(path=b"link", type=EntryType.SYMLINK, target=b"../setup.exe"))
    tree.put(Entry(path=b"zz-hard", type=EntryType.FILE, same_as=b"setup.exe"))
    return tree


def old_tree() -> MemoryTree:
    """What a receiver holds; ``golden/old.zip`` was made by one zlib and is the same everywhere."""
    tree = _facts()
    tree.file(b"code", _code(0))
    tree.file(b"data", noise(50, 90_000))
    for number in range(20):
        tree.file(b"texts/%02d.txt" % number, text(number, 6_000))
    tree.file(b"old.zip", (GOLDEN / "old.zip").read_bytes())
    return tree


def new_tree() -> MemoryTree:
    """What it is to have."""
    tree = _facts()
    tree.file(b"code", b"\x90" * 64 + _code(64))
    tree.file(b"data", noise(50, 90_000)[:40_000] + b"in between" + noise(50, 90_000)[40_000:])
    for number in range(20):
        tree.file(b"renamed/%02d.txt" % number, text(number, 6_000).replace(b"word7", b"word seven"))
    tree.file(b"new.zip", (GOLDEN / "new.zip").read_bytes())
    tree.file(b"zeros", bytes(300_000))
    return tree


def write() -> None:
    """The full parcel of the old tree, and updates to the new one at every level."""
    store = MemoryStore()
    old, new = take(old_tree(), store).manifest.id, take(new_tree(), store).manifest.id
    with tempfile.TemporaryDirectory() as folder:
        for name, target, bases, level in (
            ("full", old, [], Level.BALANCED),
            *[(f"update-{level.value}", new, [old], level) for level in Level],
        ):
            out = GOLDEN / f"{name}.parcel"
            build(target, bases, store, str(out), level=level, folder=folder, abilities=abilities(), threads=0)


if __name__ == "__main__":
    write()
