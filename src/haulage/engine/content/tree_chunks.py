"""Chunks out of a tree that is still as it was captured: the ranges a manifest names are read, and believed only if the bytes have
the chunk's id. Knows trees by their interface."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from haulage.base.errors import HaulageError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId
from haulage.engine.content.uses import ATTRIBUTE, LIST_OF_CONTENTS, Use
from haulage.engine.trees.model import Entry, TreeReader


def chunks_in_tree(reader: TreeReader, places: Iterable[Use]) -> Iterator[tuple[ChunkId, bytes]]:
    """Those of the wanted chunks that stand in the tree where they should, each once. What cannot be read is left out; raises what
    listing the tree raises."""
    by_path: dict[bytes, list[Use]] = {}
    for use in places:
        if use.what != LIST_OF_CONTENTS:
            by_path.setdefault(use.path, []).append(use)
    found: set[ChunkId] = set()
    for entry in reader.entries():
        for use in by_path.pop(entry.path, ()):
            if use.chunk in found:
                continue
            data = _bytes_at(reader, entry, use)
            if data is not None and chunk_id(data) == use.chunk:
                found.add(use.chunk)
                yield use.chunk, data
        if not by_path:
            return


def _bytes_at(reader: TreeReader, entry: Entry, use: Use) -> bytes | None:
    if use.what == ATTRIBUTE:
        values = [item.value for item in entry.attributes] + [item.value for item in entry.acls]
        parts = [value[use.offset : use.offset + use.length] for value in values]
        return next((part for part in parts if chunk_id(part) == use.chunk), None)
    with contextlib.suppress(HaulageError, OSError), contextlib.closing(reader.open(entry, use.stream)) as content:
        if use.offset + use.length <= content.size:
            return content.read_at(use.offset, use.length)
    return None
