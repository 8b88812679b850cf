"""One encoding per value, and nothing else is read."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.engine.content import codec

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def decode(data: bytes) -> codec.Value:
    return codec.decode(data, max_bytes=1 << 20, what="document")


@given(value=_VALUES)
def test_values_come_back(value: codec.Value) -> None:
    assert decode(codec.encode(value)) == value


@given(data=st.binary(max_size=40))
def test_i24_whatever_is_read_is_the_one_encoding_of_its_value(data: bytes) -> None:
    try:
        value = decode(data)
    except FormatError:
        return
    assert codec.encode(value) == data


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("b28 float", msgspec.msgpack.encode({"a": 1.0})),
        ("b28 nan", msgspec.msgpack.encode([float("nan")])),
        ("long form of a number", b"\xcd\x00\x05"),
        ("long form of a length", b"\xc5\x00\x01x"),
        ("b27 repeated key", b"\x82\xa1a\x01\xa1a\x02"),
        ("unsorted keys", b"\x82\xa1b\x01\xa1a\x02"),
        ("number as key", b"\x81\x01\x01"),
        ("b44 trailing byte", b"\x01\x00"),
        ("b30 lone surrogate", b"\xa3\xed\xa0\x80"),
        ("extension type", b"\xd4\x01\x00"),
        ("timestamp", b"\xd6\xff\x00\x00\x00\x00"),
        ("nothing", b""),
        ("cut short", b"\x92\x01"),
        ("b29 nesting", b"\x91" * 100_000 + b"\x90"),
        ("nesting a little too deep", b"\x91" * 17 + b"\x90"),
        ("array of four thousand million", b"\xdd\xff\xff\xff\xff"),
    ],
)
def test_b27_to_b30_other_forms_are_refused(why: str, data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        decode(data)
    assert caught.value.code == "not-canonical"


def test_i24_more_bytes_than_allowed_are_not_decoded() -> None:
    with pytest.raises(FormatError) as caught:
        codec.decode(b"\x00" * 11, max_bytes=10, what="document")
    assert caught.value.code == "too-large"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "thing", "format": 2, "crit": []}, "format-too-new"),
        ({"kind": "thing", "format": 1, "crit": ["holograms"], "holograms": 1}, "format-too-new"),
        ({"kind": "other", "format": 1, "crit": []}, "wrong-kind"),
        ({"kind": "thing", "format": 0, "crit": []}, "bad-field"),
        ({"kind": "thing", "format": True, "crit": []}, "bad-field"),
        ({"kind": "thing", "format": 1, "crit": 5}, "bad-field"),
        ([], "wrong-kind"),
    ],
)
def test_b37_versions_and_critical_fields(fields: codec.Value, code: str) -> None:
    with pytest.raises(FormatError) as caught:
        codec.document(fields, kind="thing", newest=1, critical=frozenset())
    assert caught.value.code == code


def test_b37_unknown_optional_fields_are_kept() -> None:
    fields: codec.Value = {"kind": "thing", "format": 1, "crit": ["known"], "known": 1, "later": [1, 2]}
    assert codec.document(fields, kind="thing", newest=1, critical=frozenset({"known"})) == fields
