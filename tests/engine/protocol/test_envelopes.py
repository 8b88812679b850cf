"""Envelopes, bodies, and several documents in one body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.engine.protocol.asks import Position, Want
from haulage.engine.protocol.codec import canonical, decode, encode
from haulage.engine.protocol.definitions import DEFINITION_MAX_BYTES
from haulage.engine.protocol.envelopes import (
    ENVELOPE_MAX_BYTES,
    MESSAGE_MAX_BYTES,
    AvailableNotice,
    Envelope,
    MessageKind,
    ShipmentReport,
    body_of,
    decode_envelope,
    message,
    signed_message,
    weight,
)
from haulage.engine.protocol.lines import join_lines, split_lines

HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
NOTICE = AvailableNotice(package=PackageId("HQ100042"), version=VersionNumber(7), manifest="ab" * 32)


def envelope(count: int = 3, first: int = 41) -> Envelope:
    messages = tuple(signed_message(MessageKind.DEFINITION, f"package:{n}", b"\x00\xff\n" * n) for n in range(count))
    return Envelope(sender=HQ1, receiver=CHI, epoch=1, stream=2, first=first, messages=messages, not_after="2026-01-02T03:04:05Z")


def test_an_envelope_round_trips_with_any_body_bytes() -> None:
    sent = envelope()
    got = decode_envelope(encode(sent))
    assert got == sent
    assert (got.first, got.last) == (41, 43)


def test_an_envelope_without_messages_or_with_sequence_zero_is_refused() -> None:
    for bad in (envelope(count=0), envelope(first=0)):
        with pytest.raises(FormatError):
            encode(bad)


def test_the_largest_bodies_fit_into_an_envelope_alone() -> None:
    signed = DEFINITION_MAX_BYTES * 4 // 3 + 4096
    assert signed <= MESSAGE_MAX_BYTES
    alone = signed_message(MessageKind.CLAIM, "a", b"x" * MESSAGE_MAX_BYTES)
    assert weight(alone) <= ENVELOPE_MAX_BYTES
    body = encode(
        Envelope(sender=HQ1, receiver=CHI, epoch=1, stream=1, first=1, messages=(alone,), not_after="2026-01-02T03:04:05Z")
    )
    assert decode_envelope(body).last == 1


def test_weight_is_an_upper_bound() -> None:
    one, two = envelope(count=500), envelope(count=501)
    assert len(encode(two)) - len(encode(one)) <= weight(two.messages[-1])


def test_a_body_is_read_as_its_kind_alone() -> None:
    sent = message(MessageKind.AVAILABLE, "HQ100042", NOTICE)
    assert body_of(sent, AvailableNotice) == NOTICE
    with pytest.raises(FormatError) as caught:
        body_of(sent, ShipmentReport)
    assert caught.value.code == "wrong-message"


def test_asks_round_trip() -> None:
    want = Want(package=PackageId("HQ100042"), version=VersionNumber(7), target="ab" * 32, held=("cd" * 32,))
    assert decode(encode(want), Want) == want
    assert decode(b"{}", Position) == Position()
    with pytest.raises(FormatError):
        decode(canonical({"sequence": -1}), Position)


@given(st.lists(st.binary(min_size=1).map(lambda raw: canonical(raw.hex())), max_size=5))
def test_lines_round_trip(documents: list[bytes]) -> None:
    assert split_lines(join_lines(documents)) == documents


@pytest.mark.parametrize("body", [b"\n", b"{}", b"{}\n{}", b"{}\n\n", b"\n{}\n"])
def test_b51_lines_cut_off_or_empty_are_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        split_lines(body)
