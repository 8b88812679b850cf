"""Canonical JSON: whatever is written comes back, and nothing else is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.base.ids import SiteCode
from haulage.engine.protocol.codec import DEPTH_MAX, canonical, decode, encode, parse
from haulage.engine.protocol.definitions import Definition, Kind, PackageState, decode_definition, define, state_of
from haulage.engine.protocol.envelopes import Message, MessageKind, StatusReport, body_of, message

HQ1 = SiteCode("HQ1")
SCALARS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(SCALARS, max_size=200)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def assert_refused(data: bytes, code: str = "bad-document") -> None:
    with pytest.raises(FormatError) as caught:
        parse(data)
    assert caught.value.code == code


@given(VALUES)
def test_every_value_round_trips_and_matches_the_standard_librarys_reading(value: Any) -> None:
    data = canonical(value)
    assert parse(data, max_depth=64) == value
    assert json.loads(data) == value
    assert b"\n" not in data


@given(name=TEXTS, comment=st.text(SCALARS, max_size=400) | st.just("a\r\nb\x00c\u2028\U0001f600\u202e"))
def test_q316132_any_text_in_any_field_round_trips(name: str, comment: str) -> None:
    state = PackageState(name=name, version=0, comment=comment)  # type: ignore[arg-type]
    definition = define(Kind.PACKAGE, "HQ100042", HQ1, 3, state)
    again = decode_definition(encode(definition))
    assert again == definition
    assert state_of(again, PackageState) == state


@given(st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_q316132_any_status_fields_round_trip(fields: dict[str, str]) -> None:
    report = StatusReport(
        site=HQ1,
        epoch=1,
        sequence=2,
        number=2302,
        severity="error",
        type="milestone",
        component="transit",
        package=None,
        place=None,
        time="2026-01-02T03:04:05.000006Z",
        fields=fields,
    )
    assert body_of(message(MessageKind.STATUS, "HQ1:1:2", report), StatusReport) == report


def test_keys_stand_in_code_point_order() -> None:
    assert canonical({"\U0001f600": 1, "\uffff": 2, "a": 3, "B": 4}) == '{"B":4,"a":3,"\uffff":2,"\U0001f600":1}'.encode()


@pytest.mark.parametrize("data", [b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"a":{"b":1,"b":1}}'])
def test_b27_duplicate_keys_are_refused(data: bytes) -> None:
    assert_refused(data)


@pytest.mark.parametrize(
    "data", [b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1e999]", b"[1.0]", b"[1e3]", b"[-0]", b"[01]", b"[" + b"9" * 5000 + b"]"]
)
def test_b28_numbers_that_are_not_plain_integers_are_refused(data: bytes) -> None:
    assert_refused(data)


@pytest.mark.parametrize("number", [2**63, -(2**63), 2**64 - 1, 2**64])
def test_b28_integers_out_of_range_are_refused(number: int) -> None:
    assert_refused(b"[%d]" % number)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_b29_deep_nesting_is_refused_and_is_no_recursion_error(opening: bytes) -> None:
    assert_refused(opening * 100_000)
    assert_refused(b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1))
    assert parse(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf[]",
        "[1]".encode("utf-16"),
        b'["\x00"]',
        b'["\\ud800"]',
        b'["\\udc00\\ud800"]',
        b'["\xed\xa0\x80"]',
        b'["\xff"]',
        b"",
        b"\x00",
    ],
)
def test_b30_foreign_encodings_are_refused(data: bytes) -> None:
    assert_refused(data)


@pytest.mark.parametrize(
    "data", [b" []", b"[]\n", b"[1, 2]", b'{"b":1,"a":2}', b'["\\u00e9"]', b'["\\/"]', b'["\\u000A"]', b"[] []"]
)
def test_other_spellings_are_refused(data: bytes) -> None:
    assert_refused(data)


def test_too_many_bytes_are_refused_before_they_are_read() -> None:
    with pytest.raises(FormatError, match="more than"):
        parse(b'"' + b"a" * 100 + b'"', max_bytes=100)


def test_a_lone_surrogate_cannot_be_written() -> None:
    with pytest.raises(FormatError):
        canonical("\ud800")


def package(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(encode(define(Kind.PACKAGE, "HQ100042", HQ1, 1, PackageState(name="x", version=0))))  # type: ignore[arg-type]
    return plain | changes


def test_b37_a_newer_format_is_named_as_such() -> None:
    with pytest.raises(FormatError) as caught:
        decode_definition(canonical(package(v=2)))
    assert caught.value.code == "format-too-new"


def test_b37_an_unknown_critical_field_refuses_anywhere() -> None:
    for data in (package(crit=["colour"], colour=1), package(state={"crit": ["colour"], "name": "x", "version": 0})):
        with pytest.raises(FormatError) as caught:
            decode_definition(canonical(data))
        assert caught.value.code == "format-too-new"


def test_b37_known_critical_and_unknown_optional_fields_pass() -> None:
    definition = decode_definition(canonical(package(crit=["state"], colour={"any": ["thing"]})))
    assert definition.id == "HQ100042"


@pytest.mark.parametrize("v", ["1", True, None, [], -1.5])
def test_a_format_version_of_another_type_is_refused(v: object) -> None:
    with pytest.raises(FormatError):
        decode_definition(json.dumps(package(v=v), separators=(",", ":"), sort_keys=True).encode())


def test_base64_has_one_spelling() -> None:
    good = canonical({"body": "AP8=", "kind": "status", "key": "a"})
    assert decode(good, Message).body == b"\x00\xff"
    for other in ("AP9=", "AP8", "AP8=\n", "_w=="):
        with pytest.raises(FormatError):
            decode(canonical({"body": other, "kind": "status", "key": "a"}), Message)


def test_what_breaks_its_own_schema_is_not_written() -> None:
    with pytest.raises(FormatError):
        encode(Definition(kind="package", id="has blanks", owner=HQ1, revision=1))
    with pytest.raises(FormatError):
        encode(Definition(kind="package", id="HQ100042", owner=HQ1, revision=0))
