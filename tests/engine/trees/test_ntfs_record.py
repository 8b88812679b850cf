"""Records of a file table made by hand, spoiled in every way: refused, never misread, never endless."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.engine.trees.ntfs_record import DATA, FILE_NAME, file_names, parse_record
from haulage.engine.trees.ntfs_reparse import interix_target, link_target
from haulage.testing.ntfs_image import named, non_resident, resident


def names_in(raw: bytes) -> list[bytes]:
    found = parse_record(raw, 30)
    return [] if found is None else [name.name for name in file_names(found)]


def record(*attributes: bytes, flags: int = 1, protected: bool = True) -> bytes:
    body = b"".join(attributes) + b"\xff\xff\xff\xff\0\0\0\0"
    head = struct.pack("<4sHHQHHHHIIQ", b"FILE", 0x30, 3, 0, 1, 1, 0x38, flags, 0x38 + len(body), 1024, 0)
    raw = bytearray((head.ljust(0x30, b"\0") + b"\x07\x07" + bytes(6) + body).ljust(1024, b"\0"))
    for sector in (1, 2):
        end = sector * 512
        raw[0x30 + 2 * sector : 0x32 + 2 * sector] = raw[end - 2 : end]
        if protected:
            raw[end - 2 : end] = b"\x07\x07"
    return bytes(raw)


@pytest.mark.parametrize("protected", [True, False])
def test_lone_surrogates_and_hostile_names_are_exact(protected: bool) -> None:
    raw = record(named("a\ud800b\n'\""), named("AB~1", namespace=2), named("\U0001f600" * 90), protected=protected)
    found = parse_record(raw, 30)
    assert found is not None
    assert [name.name for name in file_names(found)] == [b"a\xed\xa0\x80b\n'\"", "\U0001f600".encode() * 90]


def test_resident_streams_are_in_the_record() -> None:
    found = parse_record(record(resident(DATA, b"main"), resident(DATA, b"", "zero"), resident(DATA, b"x" * 99, "s")), 30)
    assert found is not None
    assert [(a.name, a.value) for a in found.attributes] == [(b"", b"main"), (b"zero", b""), (b"s", b"x" * 99)]


def test_runs_go_back_and_have_holes() -> None:
    found = parse_record(record(non_resident(b"\x21\x02\x00\x10\x01\x05\x21\x01\xff\xff", 8, 8 * 4096)), 30)
    assert found is not None
    assert found.attributes[0].runs == ((0x1000, 2), (None, 5), (0xFFF, 1))


def test_a_torn_record_is_refused() -> None:
    raw = bytearray(record(named("a")))
    raw[510:512] = b"\x09\x09"
    with pytest.raises(FormatError, match="only in part"):
        parse_record(bytes(raw), 30)


@pytest.mark.parametrize(
    "attribute",
    [
        non_resident(b"\x21\x02\x00\x10", 3, 1),
        non_resident(b"\x11\x02\x80", 2, 1),
        non_resident(b"\x81\x02" + b"\xff" * 7 + b"\x7f", 2, 1),
        non_resident(b"\x11\xff\x01", 1, 1),
        non_resident(b"\xff", 1, 1),
        resident(FILE_NAME, b"short"),
        b"\x80\0\0\0\x08\0\0\0",
        b"\x80\0\0\0\x00\x10\0\0" + bytes(16),
    ],
)
def test_b49_broken_attributes_are_refused(attribute: bytes) -> None:
    with pytest.raises(FormatError):
        names_in(record(attribute))


def test_records_not_in_use_are_none() -> None:
    assert parse_record(record(named("a"), flags=0), 30) is None
    assert parse_record(bytes(1024), 30) is None
    with pytest.raises(FormatError, match="marked bad"):
        parse_record(b"BAAD" + bytes(1020), 30)


@given(st.data())
def test_i24_any_change_of_a_record_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(record(named("name"), resident(DATA, b"x" * 50, "s"), non_resident(b"\x21\x02\x00\x10", 2, 5000)))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, 400))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FormatError):
        names_in(bytes(raw))


@given(st.binary(max_size=60), st.sampled_from([0xA000000C, 0xA0000003, 0xA000001D, 0x80000017]))
def test_i24_any_reparse_point_is_a_link_or_none(body: bytes, tag: int) -> None:
    assert isinstance(link_target(struct.pack("<IHH", tag, len(body), 0) + body), bytes | None)
    assert isinstance(interix_target(b"IntxLNK\x01" + body), bytes | None)


def test_windows_links() -> None:
    def link(tag: int, target: str, flags: bytes) -> bytes:
        coded = target.encode("utf-16-le")
        body = struct.pack("<HHHH", 0, len(coded), 0, 0) + flags + coded
        return struct.pack("<IHH", tag, len(body), 0) + body

    assert link_target(link(0xA000000C, "..\\a\\b", b"\1\0\0\0")) == b"../a/b"
    assert link_target(link(0xA000000C, "\\??\\C:\\a", b"\0\0\0\0")) == b"\\??\\C:\\a"
    assert link_target(link(0xA0000003, "\\??\\C:\\a", b"")) == b"\\??\\C:\\a"
    assert link_target(link(0x80000017, "x", b"")) is None
