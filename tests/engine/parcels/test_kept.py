"""Parcels that were written once must stay readable: a reader that takes them no more strands what lies in caches and on disks."""

from __future__ import annotations

import pytest

from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.restore import restore
from haulage.engine.delta.encoding import Method
from haulage.engine.parcels.file import ParcelFile
from haulage.engine.parcels.receive import fetch_head, receive
from haulage.engine.trees.memory import MemoryTree, MemoryWriter
from tests.engine.content.trees import same, take
from tests.engine.parcels.kept import GOLDEN, new_tree, old_tree

SIZES = {"full": (150_000, 200_000), "update-fast": (1, 80_000), "update-balanced": (1, 30_000), "update-smallest": (1, 30_000)}


@pytest.mark.parametrize("name", sorted(SIZES))
def test_a_golden_parcel_still_makes_what_it_made(name: str) -> None:
    """Its archive is made again as any zlib did when it was written."""
    path = GOLDEN / f"{name}.parcel"
    wanted: MemoryTree = old_tree() if name == "full" else new_tree()
    store = MemoryStore()
    if name != "full":
        take(old_tree(), store)
    parcel = ParcelFile.open(str(path))
    try:
        head = fetch_head(parcel.read, parcel.head.id, parcel.size)
        with store.session("kept") as session:
            receive(head, parcel.read, store, session, folder=str(path.parent), owner="receiving:kept")
    finally:
        parcel.close()
    writer = MemoryWriter()
    restore(Manifest.open(head.target, store.read), store, writer, threads=0)
    assert same(writer.tree, wanted)
    least, most = SIZES[name]
    assert least < path.stat().st_size < most


def test_the_kept_parcels_use_every_method_against_old_bytes() -> None:
    used = set()
    for name in SIZES:
        parcel = ParcelFile.open(str(GOLDEN / f"{name}.parcel"))
        used |= {section.method for section in parcel.head.sections}
        parcel.close()
    assert {method for method in Method if method >= Method.ZSTD_PREFIX} <= used
