"""Fuzzing targets of the content room: manifests, packs, indexes, pins."""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Sequence

from haulage.base.errors import HaulageError
from haulage.engine.content import codec
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.content_list import check_content, read_chunks
from haulage.engine.content.digest import DIGEST_SIZE, digest
from haulage.engine.content.index_file import BlockPlace, ChunkPlace, IndexFile, encode_index
from haulage.engine.content.manifest import Manifest, parse_root
from haulage.engine.content.manifest_model import CHUNK_ROW, LIST_ROW, ContentRef
from haulage.engine.content.manifest_wire import decode_page, encode_entry, encode_page
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId, Pin
from haulage.engine.content.pack import PACK_HEAD_SIZE, End, encode_block_header, encode_end, encode_pack_head
from haulage.engine.content.pack_block import decode_block, encode_block
from haulage.engine.content.pack_scan import index_of, scan_pack
from haulage.engine.content.pins import decode_pin, encode_pin
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Attribute, Entry, EntryType
from haulage.testing.clock import HandClock
from haulage.testing.folders import hostile_tree, noise
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import Target, both, opened, promised

_PACK = bytes(16)


@functools.cache
def captured() -> tuple[MemoryStore, ManifestId, ManifestId]:
    """A store with a small hostile tree, and a second version with a change."""
    store = MemoryStore()
    tree = hostile_tree(depth=5, stream_sizes=(0, 1, 4095))
    tree.file(b"setup.exe", noise(3000), streams={b"s": b"stream"})
    tree.file(b"sparse", bytes(3000))
    tree.file(b"nul", b"x", streams={b"zeros": bytes(700)})
    tree.put(Entry(path=b"big value", type=EntryType.FILE, attributes=(Attribute(name=b"user.x", value=bytes(2000)),)), b"x")
    first = _capture(tree, store)
    tree.file(b"added", b"new in version two")
    return store, first, _capture(tree, store)


def _capture(tree: MemoryTree, store: MemoryStore) -> ManifestId:
    return capture(MemoryReader(tree), store, HandClock(), options=CaptureOptions(threads=0)).manifest.id


def _roots() -> list[bytes]:
    store, first, second = captured()
    return [store.read(ChunkId(first)), store.read(ChunkId(second))]


def _take_root(data: bytes) -> None:
    root = parse_root(data)
    assert sum(page.entries for page in root.pages) == root.totals.entries
    assert codec.encode(codec.decode(data, max_bytes=len(data), what="root")) == data


def _pages() -> list[bytes]:
    store, first, second = captured()
    return [store.read(page.id) for each in (first, second) for page in Manifest.open(each, store.read).pages()]


def _small_pages() -> list[bytes]:
    entries = [encode_entry(entry) for page in _pages() for entry in decode_page(page)]
    return [*_pages(), *[encode_page(entries[at : at + 3]) for at in range(0, len(entries), 3)]]


def _take_page(data: bytes) -> None:
    entries = decode_page(data)
    assert promised(lambda: encode_page([encode_entry(entry) for entry in entries])) == data


def _content_seeds() -> list[bytes]:
    rows = b"".join([CHUNK_ROW.pack(length, digest(bytes([length % 256]))) for length in (1, 8192, 65536, 131072)])
    small = struct.pack(">QH", 1 + 8192 + 65536 + 131072, len(rows)) + rows
    long = CHUNK_ROW.pack(100, digest(b"x")) * 300
    listed = LIST_ROW.pack(30_000, 300, digest(long))
    return [small, struct.pack(">QH", 30_000, 0) + listed + long, struct.pack(">QH", 0, 0)]


def _take_content(data: bytes) -> None:
    if len(data) < 10:
        return
    size, direct = struct.unpack_from(">QH", data)
    rows, rest = data[10 : 10 + direct], data[10 + direct :]
    lists = rest[: LIST_ROW.size] if rest else b""
    content = ContentRef(size, rows, lists)
    check_content(content)
    found = list(read_chunks(content, lambda _chunk: rest[LIST_ROW.size :]))
    assert sum(length for length, _ in found) == size


def _block(chunks: Sequence[bytes]) -> bytes:
    block = encode_block(b"".join(chunks), [(ChunkId(digest(chunk)), len(chunk)) for chunk in chunks])
    return block.header + block.payload


def _blocks() -> list[bytes]:
    return [_block([b"one", b"two" * 300, bytes(2000)]), _block([noise(500), noise(200, 1)]), _block([b"x"])]


def _take_block(data: bytes) -> None:
    sealing, body = opened(data)
    if sealing:
        body = _sealed_block(body)
    header, raw = decode_block(body)
    assert len(raw) == header.raw_size == sum(length for _, length in header.chunks)


def _sealed_block(body: bytes) -> bytes:
    """Method, raw size, number of chunks and their lengths from the input; ids and digests made to fit."""
    if len(body) < 6:
        return body
    method, raw_size, count = struct.unpack_from("<BIB", body)
    lengths = [length for (length,) in struct.iter_unpack("<H", body[6 : 6 + 2 * count][: 2 * (len(body[6:]) // 2)])]
    payload = body[6 + 2 * len(lengths) :]
    return encode_block_header(method, raw_size, payload, [(ChunkId(bytes(32)), length) for length in lengths]) + payload


def _block_seeds() -> list[bytes]:
    sealed = []
    for chunks in ([b"one", b"two" * 300], [noise(500)]):
        block = encode_block(b"".join(chunks), [(ChunkId(digest(chunk)), len(chunk)) for chunk in chunks])
        method = block.header[4]
        lengths = b"".join([struct.pack("<H", len(chunk)) for chunk in chunks])
        sealed.append(b"\x01" + struct.pack("<BIB", method, block.raw_size, len(chunks)) + lengths + block.payload)
    return [b"\x00" + block for block in _blocks()] + sealed


def _pack_seeds() -> list[bytes]:
    head, blocks = encode_pack_head(_PACK), _blocks()
    body = head + b"".join(blocks)
    end = encode_end(End(blocks=3, chunks=6, offset=len(body)))
    return [body + end, body, body[:-3], head + blocks[0] + b"torn" + blocks[1], head + b"HBLK" * 40, body + end + b"behind"]


def _take_pack(data: bytes) -> None:
    """What recovery sees in any bytes: blocks apart from one another and inside the file, and an index that reads back."""
    fd = os.memfd_create("pack")
    try:
        os.write(fd, data)
        scan = scan_pack(fd)
    finally:
        os.close(fd)
    before = PACK_HEAD_SIZE
    for block in scan.blocks:
        assert before <= block.place.offset
        before = block.place.offset + block.place.size
        assert before <= scan.size
    promised(lambda: _walk_index(IndexFile(index_of(_PACK, scan.size, scan.kept()), "pack"), sorted_=True))


def _walk_index(index: IndexFile, *, sorted_: bool) -> None:
    """Ask for everything. An index that somebody made with a right digest may be out of order: then chunks are not found, and are
    fetched again."""
    for at, chunk in enumerate(index.chunks()):
        assert index.find(chunk) >= 0 or not sorted_
        number, _offset, _length = index.place(at)
        index.block(number)
    index.find(bytes(32))


def _index_seeds() -> list[bytes]:
    places = [(ChunkId(digest(bytes([n]))), ChunkPlace(block=n % 2, offset=n, length=9)) for n in range(20)]
    blocks = [BlockPlace(offset=32, size=90), BlockPlace(offset=122, size=90)]
    full = encode_index(_PACK, 500, blocks, places)
    return both([full, encode_index(_PACK, 40, [], [])])


def _take_index(data: bytes) -> None:
    sealing, body = opened(data)
    if sealing:
        body = body[:-DIGEST_SIZE] + digest(body[:-DIGEST_SIZE])
    _walk_index(IndexFile(body, "pack"), sorted_=False)


def _take_pin(data: bytes) -> None:
    sealing, body = opened(data)
    if sealing:
        start = body.rpartition(b"blake3 ")[0]
        body = start + f"blake3 {digest(start).hex()}\n".encode()
    try:
        pin = decode_pin(body)
    except ValueError:
        return  # its own way to refuse; the folder names the file
    assert encode_pin(pin) == body


def _pin_seeds() -> list[bytes]:
    pins = [Pin(owner="held:HQ100042:7", manifest=ManifestId(bytes(32))), Pin(owner="x", manifest=ManifestId(b"a" * 32))]
    dated = Pin(owner="receive:1", manifest=ManifestId(bytes(32)), expires=HandClock().now())
    return both([encode_pin(pin) for pin in (*pins, dated)])


def _take_manifest(data: bytes) -> None:
    """Root and one page that fit each other: order, totals, and chunk lists read through them."""
    size = int.from_bytes(data[:2], "big")
    page, root = data[2 : 2 + size], data[2 + size :]
    page_id = ChunkId(digest(page))
    value = codec.decode(root, max_bytes=1 << 20, what="manifest")
    if isinstance(value, dict) and isinstance(value.get("pages"), list):
        value["pages"] = [[bytes(page_id), b"", entries] for entries in _counts(value["pages"])]
    sealed = codec.encode(value)
    store = {page_id: page, ChunkId(digest(sealed)): sealed}

    def read(chunk: ChunkId) -> bytes:
        found = store.get(chunk)
        if found is None:
            raise HaulageError("chunk-missing", "Not here.")
        return found

    manifest = Manifest.open(ManifestId(digest(sealed)), read)
    entries = list(manifest.entries())
    assert [manifest.lookup(entry.path) for entry in entries] == entries
    assert all(b".." not in entry.path.split(b"/") and not entry.path.startswith(b"/") for entry in entries)


def _counts(rows: object) -> list[codec.Value]:
    assert isinstance(rows, list)
    return [row[2] if isinstance(row, list) and len(row) == 3 else 1 for row in rows]


def _manifest_seeds() -> list[bytes]:
    store, first, _ = captured()
    root = store.read(ChunkId(first))
    page = store.read(Manifest.open(first, store.read).pages()[0].id)
    return [len(page).to_bytes(2, "big") + page + root]


TARGETS = (
    Target(name="manifest-root", reads="root pages", take=_take_root, seeds=_roots, coding=Coding.MSGPACK),
    Target(name="manifest-page", reads="pages of entries", take=_take_page, seeds=_small_pages, coding=Coding.MSGPACK),
    Target(name="manifest", reads="a root and its page together", take=_take_manifest, seeds=_manifest_seeds, most_bytes=16_384),
    Target(name="content-list", reads="references and chunk lists", take=_take_content, seeds=_content_seeds, most_bytes=16_384),
    Target(name="pack-block", reads="blocks of packs", take=_take_block, seeds=_block_seeds),
    Target(name="pack-scan", reads="packs without an index", take=_take_pack, seeds=_pack_seeds),
    Target(name="pack-index", reads="indexes of packs", take=_take_index, seeds=_index_seeds),
    Target(name="pin", reads="pins of a store", take=_take_pin, seeds=_pin_seeds),
)
