"""Manifests for the tests of structure sections: random ones with everything an entry can have, and changed versions of them. Only
pages and chunk lists exist; chunks are made-up ids.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from msgspec.structs import replace

from haulage.engine.content import codec
from haulage.engine.content.content_list import ContentWriter
from haulage.engine.content.digest import chunk_id, digest
from haulage.engine.content.manifest import Manifest, write_manifest
from haulage.engine.content.manifest_model import EMPTY, ContentRef, ManifestEntry, NamedRef
from haulage.engine.content.manifest_wire import encode_entry, encode_page
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.content.pages import Counter
from haulage.engine.trees.model import Dos, EntryType, Owner

Rows = list[tuple[int, ChunkId]]


class Maker:
    """Makes entries; the same seed makes the same."""

    def __init__(self, seed: int, store: MemoryStore) -> None:
        self.random = random.Random(seed)
        self.store = store

    def chunk(self) -> tuple[int, ChunkId]:
        return self.random.randint(1, 131_072), ChunkId(self.random.randbytes(32))

    def rows(self, most: int) -> Rows:
        return [self.chunk() for _ in range(self.random.choice([0, 1, 1, 1, 2, self.random.randint(0, most)]))]

    def content(self, rows: Rows) -> ContentRef:
        with self.store.session("test") as session:
            writer = ContentWriter(session)
            for length, chunk in rows:
                writer.add(length, chunk)
            return writer.finish()

    def value(self) -> ContentRef:
        return self.content([(self.random.randint(1025, 131_072), ChunkId(self.random.randbytes(32)))])

    def file(self, path: bytes, rows: Rows) -> ManifestEntry:
        pick = self.random
        rich = pick.random() < 0.3
        return ManifestEntry(
            path=path,
            type=EntryType.FILE,
            content=self.content(rows),
            mode=pick.choice([None, 0o644, 0o755]),
            owner=pick.choice([None, Owner(uid=0, gid=0, user="root", group="root"), Owner(uid=5, gid=6)]),
            mtime_ns=self.time(),
            dos=pick.choice([None, Dos(attributes=32), Dos(attributes=33, created_ns=self.time())]) if rich else None,
            streams=(NamedRef(b"s", self.content(self.rows(3))), NamedRef(b"t", EMPTY)) if rich and pick.random() < 0.5 else (),
            attributes=((b"user.a", pick.randbytes(9)), (b"user.b", self.value())) if rich and pick.random() < 0.5 else (),
            acls=(("nt-sd", self.value()), ("posix-acl", b"acl")) if rich and pick.random() < 0.3 else (),
            extra=(("future", codec.encode([1, "x"])),) if rich and pick.random() < 0.3 else (),
        )

    def time(self) -> int:
        pick = self.random
        return pick.choice([0, 5_000_000_000, -1, pick.randint(-(2**63), 2**63 - 1), pick.randint(0, 2**32) * 10**9])

    def entries(self, count: int, *, most_rows: int = 4) -> dict[bytes, ManifestEntry]:
        """A tree."""
        pick = self.random
        tree = {b"": ManifestEntry(path=b"", type=EntryType.FOLDER, mtime_ns=self.time())}
        folders, first = [b""], b"\xff" * 9
        for number in range(count):
            folder = pick.choice(folders)
            name = pick.choice([b"f%d", b"lib-%d.2.so", b"x/y%d"[2:], b"\xff%d"]) % number
            path = folder + b"/" + name if folder else name
            kind = pick.random()
            if kind < 0.15:
                tree[path] = ManifestEntry(path=path, type=EntryType.FOLDER, mode=0o755, mtime_ns=self.time())
                folders.append(path)
            elif kind < 0.2:
                tree[path] = ManifestEntry(path=path, type=EntryType.SYMLINK, target=b"../" + name, mtime_ns=self.time())
            elif kind < 0.25 and first < path:
                tree[path] = ManifestEntry(path=path, type=EntryType.FILE, same_as=first)
            else:
                tree[path] = self.file(path, self.rows(most_rows))
                first = min(first, path)
        return tree

    def changed(self, tree: dict[bytes, ManifestEntry]) -> dict[bytes, ManifestEntry]:
        """Another version: things added, removed, changed, touched, and a name changed everywhere."""
        pick = self.random
        made = dict(tree)
        known = [row for entry in tree.values() if not entry.content.lists for row in self._rows(entry.content)]
        for path in list(made):
            entry = made[path]
            act = pick.random()
            if entry.type is not EntryType.FILE or entry.same_as is not None or act < 0.6:
                continue
            if act < 0.7:
                made[path] = replace(entry, content=self.content(self._edited(self._rows(entry.content), known)))
            elif act < 0.8:
                made[path] = replace(entry, mtime_ns=pick.choice([entry.mtime_ns // 2, 7, self.time()]))
            elif act < 0.85:
                made[path] = self.file(path, self._rows(entry.content))
            elif act < 0.9 and not any(other.same_as == path for other in made.values()):
                del made[path]
                made[path + b"-moved"] = replace(entry, path=path + b"-moved")
        if pick.random() < 0.5:
            made = {path.replace(b".2.so", b".3.so"): _renamed(entry, b".2.so", b".3.so") for path, entry in made.items()}
        return made

    def _rows(self, content: ContentRef) -> Rows:
        rows = content.chunks
        return [(int.from_bytes(rows[at : at + 4]), ChunkId(rows[at + 4 : at + 36])) for at in range(0, len(rows), 36)]

    def _edited(self, rows: Rows, known: Rows) -> Rows:
        pick, made = self.random, list(rows)
        for _ in range(pick.randint(1, 3)):
            at = pick.randint(0, len(made))
            made[at : at + pick.randint(0, 2)] = pick.choice(
                [[], [self.chunk()], [*self.rows(3), *self.rows(2)], [pick.choice(known or [self.chunk()])] * 2]
            )
        return made


def _renamed(entry: ManifestEntry, old: bytes, new: bytes) -> ManifestEntry:
    same_as = entry.same_as.replace(old, new) if entry.same_as is not None else None
    return replace(entry, path=entry.path.replace(old, new), same_as=same_as)


def write(tree: dict[bytes, ManifestEntry], store: MemoryStore) -> Manifest:
    """As our own writer does."""
    with store.session("test") as session:
        ref = write_manifest([tree[path] for path in sorted(tree)], session)
    return Manifest.open(ref.id, store.read)


def write_foreign(tree: dict[bytes, ManifestEntry], store: MemoryStore, sizes: Sequence[int], **more: codec.Value) -> Manifest:
    """As somebody else might: pages of other lengths, a root with further fields."""
    entries = [tree[path] for path in sorted(tree)]
    rows: list[codec.Value] = []
    counter, at, turn = Counter(), 0, 0
    while at < len(entries):
        some = entries[at : at + sizes[turn % len(sizes)]]
        data = encode_page([encode_entry(entry) for entry in some])
        store.chunks[chunk_id(data)] = data
        rows.append([digest(data), some[0].path, len(some)])
        for entry in some:
            counter.add(entry)
        at, turn = at + len(some), turn + 1
    sums = counter.totals()
    totals: dict[str, codec.Value] = {name: getattr(sums, name) for name in sums.__dataclass_fields__}
    root = codec.encode({"crit": [], "format": 1, "kind": "haulage-manifest", "pages": rows, "totals": totals, **more})
    store.chunks[chunk_id(root)] = root
    return Manifest.open(ManifestId(digest(root)), store.read)
