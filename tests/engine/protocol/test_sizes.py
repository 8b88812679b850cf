"""What hostile documents cost: memory stays near that of an honest document of their size, whatever they hold."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Callable

import msgspec
import pytest

from haulage.base.errors import FormatError, HaulageError
from haulage.engine.content import codec as content_codec
from haulage.engine.content.manifest import MAX_ROOT_BYTES, parse_root
from haulage.engine.parcels.head import MAGIC, MAX_HEAD_BYTES, TRAILER, parse_head
from haulage.engine.parcels.parts import decode_parts
from haulage.engine.protocol.codec import FORMAT_VERSION, UNKNOWN_MAX_BYTES, decode
from haulage.engine.protocol.envelopes import Envelope, decode_envelope
from haulage.engine.protocol.lines import BODY_MAX_BYTES, split_lines
from haulage.engine.trust.dsse import peek, verify
from haulage.engine.trust.enrolment import peek_claim

MIB = 1 << 20
TYPE = Envelope.PAYLOAD_TYPE


def many(count: int, what: bytes = b"[]") -> bytes:
    return b"[" + b",".join([what] * count) + b"]"


def signed(payload: bytes) -> bytes:
    return (
        b'{"payload":"' + base64.b64encode(payload) + b'","payloadType":"' + TYPE.encode() + b'","signatures":[{"keyid":"'
        + b"0" * 64 + b'","sig":""}]}'
    )  # fmt: skip


def packed(fields: dict[str, object], **large: bytes) -> bytes:
    """MessagePack with some values given as they are encoded."""
    items = {**{key: msgspec.msgpack.encode(value) for key, value in fields.items()}, **large}
    return bytes([0x80 | len(items)]) + b"".join(msgspec.msgpack.encode(key) + items[key] for key in sorted(items))


def empty_lists(count: int) -> bytes:
    return b"\xdd" + count.to_bytes(4, "big") + b"\x90" * count


def root_with(**large: bytes) -> bytes:
    return packed({"crit": [], "format": 1, "kind": "haulage-manifest", "totals": {}}, **large)


def head_with(**large: bytes) -> bytes:
    body = packed({"crit": [], "format": 1, "kind": "haulage-parcel", "target": bytes(32)}, **large)
    return body + TRAILER.pack(len(body), MAGIC)


def head_of(data: bytes) -> object:
    return parse_head(data, len(MAGIC) + len(data))


LISTS = 5_000_000
CASES: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "signed document": (lambda data: peek(data, TYPE), many(LISTS)),
    "signed document, objects": (lambda data: verify(data, TYPE, []), many(LISTS, b"{}")),
    "signed document, field": (lambda data: peek(data, TYPE), b'{"payload":' + many(LISTS) + b"}"),
    "envelope": (decode_envelope, many(LISTS)),
    "envelope, unknown field": (decode_envelope, b'{"zz":' + many(LISTS) + b"}"),
    "envelope, messages": (decode_envelope, b'{"messages":' + many(LISTS) + b"}"),
    "claim": (peek_claim, many(LISTS)),
    "manifest": (parse_root, root_with(pages=empty_lists(MAX_ROOT_BYTES - 200))),
    "manifest, unknown field": (parse_root, root_with(pages=b"\x90", zz=empty_lists(MAX_ROOT_BYTES - 200))),
    "parcel head": (head_of, head_with(bases=empty_lists(MAX_HEAD_BYTES - 200))),
    "parcel head, unknown field": (
        head_of,
        head_with(zz=empty_lists(MAX_HEAD_BYTES - 200)),
    ),
    "list of chunks": (decode_parts, empty_lists(8 * MIB - 5)),
    "lines": (split_lines, b"\n" * BODY_MAX_BYTES),
}


@pytest.mark.parametrize("name", CASES)
def test_b29_b42_millions_of_empty_things_are_refused_without_being_made(name: str) -> None:
    parse, data = CASES[name]
    tracemalloc.start()
    try:
        with pytest.raises(HaulageError):
            parse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(data) + 16 * MIB, f"{peak / len(data):.1f} times its size"


def test_b37_a_large_document_of_a_newer_version_is_named_as_such() -> None:
    newer = {"v": FORMAT_VERSION + 1, "zz": ["x" * 1000] * 1000}
    for fields in (newer, {"crit": ["zz"], "zz": newer["zz"]}):
        with pytest.raises(FormatError) as caught:
            decode(msgspec.json.encode(fields, order="sorted"), Envelope)
        assert caught.value.code == "format-too-new"


def test_b37_large_unknown_fields_are_read_up_to_a_bound() -> None:
    class Shape(msgspec.Struct):
        pages: list[bytes]

    shape = msgspec.msgpack.Decoder(Shape)
    large = {"pages": [bytes(1000)] * 500, "zz": [1] * (content_codec.SMALL_BYTES // 2)}
    data = content_codec.encode(large)
    assert len(data) > content_codec.SMALL_BYTES
    assert content_codec.decode(data, max_bytes=MIB * 4, what="x", shape=shape) == large
    too_much = content_codec.encode({**large, "zz": [1] * (content_codec.SMALL_BYTES * 2)})
    with pytest.raises(FormatError) as caught:
        content_codec.decode(too_much, max_bytes=MIB * 4, what="x", shape=shape)
    assert caught.value.code == "too-large"
    assert UNKNOWN_MAX_BYTES == content_codec.SMALL_BYTES


@pytest.mark.parametrize("depth", [33, 1000, 100_000])
def test_b29_nesting_is_refused_everywhere(depth: int) -> None:
    json, pack = b"[" * depth + b"]" * depth, b"\x91" * depth + b"\x90"
    for parse, data in (
        (decode_envelope, json),
        (lambda data: peek(data, TYPE), json),
        (lambda data: peek(signed(data), TYPE) and decode_envelope(data), json),
        (parse_root, pack),
        (decode_parts, pack),
    ):
        with pytest.raises(HaulageError):
            parse(data)
