"""Whatever bytes come, readers answer with a FormatError or a value that is written back as those very bytes (I24)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.engine.content.manifest import parse_root
from haulage.engine.content.manifest_wire import decode_page, encode_entry, encode_page
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.head import MAGIC, TRAILER, parse_head
from tests.engine.content.trees import rich_tree, take

_STORE = MemoryStore()
_ROOT = _STORE.read(ChunkId(take(rich_tree(), _STORE).manifest.id))
_PAGE = _STORE.read(parse_root(_ROOT).pages[0].id)


def mutated(data: bytes) -> st.SearchStrategy[bytes]:
    """A few bytes replaced, a piece taken out or put in."""
    at = st.integers(0, len(data))
    return st.builds(lambda a, b, new: data[: min(a, b)] + new + data[max(a, b) :], at, at, st.binary(max_size=5)) | st.builds(
        lambda a, bit: data[:a] + bytes([data[a] ^ 1 << bit]) + data[a + 1 :], st.integers(0, len(data) - 1), st.integers(0, 7)
    )


@settings(deadline=None)
@given(data=mutated(_PAGE) | st.binary(max_size=60))
def test_i24_pages(data: bytes) -> None:
    try:
        entries = decode_page(data)
    except FormatError:
        return
    assert encode_page([encode_entry(entry) for entry in entries]) == data


@settings(deadline=None)
@given(data=mutated(_ROOT) | st.binary(max_size=60))
def test_i24_root_pages(data: bytes) -> None:
    try:
        root = parse_root(data)
    except FormatError:
        return
    assert root.totals.entries == sum(page.entries for page in root.pages)


@given(head=mutated(_ROOT) | st.binary(max_size=60))
def test_i24_parcel_heads(head: bytes) -> None:
    with pytest.raises(FormatError):
        parse_head(head + TRAILER.pack(len(head), MAGIC), len(MAGIC) + len(head) + TRAILER.size)
