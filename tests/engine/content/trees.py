"""Trees for the tests of content: small ones written out, and random ones."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.capture_report import CaptureReport
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkStore
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Acl, Attribute, Dos, Entry, EntryType, Owner
from haulage.testing.clock import HandClock

INLINE = CaptureOptions(threads=0)


def noise(seed: int, size: int) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def text(seed: int, size: int) -> bytes:
    """Bytes that compress."""
    words = random.Random(seed)
    return b" ".join(b"word%d" % words.randrange(500) for _ in range(size // 7 + 1))[:size]


def take(tree: MemoryTree, store: ChunkStore | None = None, options: CaptureOptions = INLINE) -> CaptureReport:
    """Capture a tree, in one thread."""
    return capture(MemoryReader(tree), store if store is not None else MemoryStore(), HandClock(), options=options)


def rich_tree() -> MemoryTree:
    """One of everything."""
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, owner=Owner(uid=0, gid=0, user="root", group="root"), mtime_ns=5))
    tree.put(Entry(path=b"empty", type=EntryType.FOLDER, mode=0o700, mtime_ns=-1))
    tree.put(
        Entry(
            path=b"setup.exe",
            type=EntryType.FILE,
            mode=0o644,
            owner=Owner(uid=1000, gid=100, user="päckager", group="users"),
            mtime_ns=1_234_567_890_123_456_789,
            attributes=(Attribute(name=b"user.big", value=noise(1, 5000)), Attribute(name=b"user.small", value=b"\0x")),
            acls=(Acl(dialect="nt-sd", value=noise(2, 3000)), Acl(dialect="posix-acl", value=b"acl")),
            dos=Dos(attributes=0x21, created_ns=-5),
        ),
        noise(3, 300_000),
        {b"Zone.Identifier": b"[ZoneTransfer]", b"empty": b"", b"large": noise(4, 200_000)},
    )
    tree.put(Entry(path=b"a", type=EntryType.FOLDER))
    tree.put(Entry(path=b"a-b", type=EntryType.FILE), b"sorts between a and a/x")
    tree.put(Entry(path=b"a/x", type=EntryType.FILE))
    tree.put(Entry(path=b"a/zeros", type=EntryType.FILE), bytes(400_000))
    tree.put(Entry(path=b"a/\xff\n$(x)", type=EntryType.FILE), b"hostile name")
    tree.put(Entry(path=b"a/link", type=EntryType.SYMLINK, target=b"../setup.exe"))
    tree.put(Entry(path=b"zz-hard", type=EntryType.FILE, same_as=b"setup.exe"))
    return tree


def same(one: MemoryTree, two: MemoryTree) -> bool:
    """Whether two trees hold the same entries and bytes."""
    return one.entries == two.entries and one.contents == two.contents


_NAMES = st.binary(min_size=1, max_size=6).filter(lambda name: not set(name) & {0, 0x2F} and name not in (b".", b".."))
_CONTENTS = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.builds(noise, st.integers(0, 5), st.sampled_from([1, 4095, 65_536, 65_537, 150_000])),
    st.sampled_from([1, 70_000]).map(bytes),
)
_STREAMS = st.dictionaries(
    st.binary(min_size=1, max_size=4).filter(lambda name: not set(name) & {0, 0x2F, 0x3A} and name not in (b".", b"..")),
    _CONTENTS,
    max_size=2,
)
_ATTRIBUTES = st.dictionaries(st.binary(min_size=1, max_size=5).filter(lambda n: 0 not in n), st.binary(max_size=1500), max_size=2)


@st.composite
def trees(draw: st.DrawFn) -> MemoryTree:
    """Random small trees with at least one file."""
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    folders = [b""]
    for number in range(draw(st.integers(1, 8))):
        folder = draw(st.sampled_from(folders))
        path = (folder + b"/" if folder else b"") + draw(_NAMES)
        if path in tree.entries or path == b".haulage-tree":
            continue
        kind = EntryType.FILE if not number else draw(st.sampled_from(EntryType))
        facts = {"mode": draw(st.none() | st.integers(0, 0o777)), "mtime_ns": draw(st.integers(-(2**63), 2**63 - 1))}
        attributes = tuple(Attribute(name=name, value=value) for name, value in sorted(draw(_ATTRIBUTES).items()))
        if kind is EntryType.SYMLINK:
            tree.put(Entry(path=path, type=kind, target=draw(st.binary(min_size=1, max_size=9).filter(lambda t: 0 not in t))))
            continue
        if kind is EntryType.FOLDER:
            folders.append(path)
        content = draw(_CONTENTS) if kind is EntryType.FILE else b""
        tree.put(Entry(path=path, type=kind, attributes=attributes, **facts), content, draw(_STREAMS))  # type: ignore[arg-type]
    if all(entry.type is EntryType.FOLDER for entry in tree.entries.values()):
        tree.put(Entry(path=b"zzz-last", type=EntryType.FILE), b"x")
    return tree
