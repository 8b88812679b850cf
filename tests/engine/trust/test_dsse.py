"""Signed documents: every tampering is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotAllowedError
from haulage.base.ids import SiteCode
from haulage.engine.protocol.asks import Offer, ServerTime
from haulage.engine.protocol.codec import canonical
from haulage.engine.trust.dsse import peek, sign, sign_document, verify, verify_document
from haulage.engine.trust.keys import SigningKey

TYPE = "application/vnd.haulage.definition+json"
KEY, OTHER, THIRD = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
PAYLOAD = b'{"any":"thing"}'
SIGNED = sign(TYPE, PAYLOAD, KEY)


def changed(**changes: Any) -> bytes:
    return canonical(json.loads(SIGNED) | changes)


def code_of(data: bytes, *keys: SigningKey, threshold: int = 1) -> str:
    with pytest.raises(HaulageError) as caught:
        verify(data, TYPE, [key.public for key in keys or (KEY,)], threshold=threshold)
    return caught.value.code


def test_the_signature_is_over_the_encoding_that_dsse_specifies() -> None:
    # The example of the DSSE protocol document.
    signed = json.loads(sign("http://example.com/HelloWorld", b"hello world", KEY))
    signature = base64.b64decode(signed["signatures"][0]["sig"])
    assert signed["payload"] == "aGVsbG8gd29ybGQ="
    assert KEY.public.verifies(signature, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world")


@given(st.binary(max_size=300))
def test_any_payload_comes_back(payload: bytes) -> None:
    assert verify(sign(TYPE, payload, KEY), TYPE, [OTHER.public, KEY.public]) == payload


def test_signing_is_repeatable() -> None:
    assert sign(TYPE, PAYLOAD, KEY) == SIGNED
    assert sign(TYPE, PAYLOAD, KEY, OTHER) == sign(TYPE, PAYLOAD, OTHER, KEY)


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_i3_no_changed_byte_passes(at: int, flip: int) -> None:
    tampered = bytearray(SIGNED)
    tampered[at] ^= flip
    with pytest.raises((FormatError, NotAllowedError, IntegrityError)):
        verify(bytes(tampered), TYPE, [KEY.public])


@given(st.integers(0, len(SIGNED) - 1))
def test_b45_no_cut_passes(length: int) -> None:
    with pytest.raises(FormatError):
        verify(SIGNED[:length], TYPE, [KEY.public])


def test_a_swapped_payload_is_refused() -> None:
    assert code_of(changed(payload=base64.b64encode(b'{"any":"other"}').decode())) == "bad-signature"


def test_a_signature_counts_for_one_purpose_only() -> None:
    assert code_of(changed(payloadType="application/vnd.haulage.envelope+json")) == "wrong-payload-type"
    relabelled = sign("application/vnd.haulage.envelope+json", PAYLOAD, KEY)
    assert code_of(canonical(json.loads(relabelled) | {"payloadType": TYPE})) == "bad-signature"


def test_an_unknown_key_is_refused() -> None:
    assert code_of(SIGNED, OTHER) == "unknown-signer"


def test_no_keys_verify_nothing() -> None:
    with pytest.raises(NotAllowedError):
        verify(SIGNED, TYPE, [])


def test_another_keys_signature_under_a_known_name_is_refused() -> None:
    theirs = json.loads(sign(TYPE, PAYLOAD, OTHER))["signatures"][0]
    assert code_of(changed(signatures=[{"keyid": KEY.public.id, "sig": theirs["sig"]}])) == "bad-signature"


def test_without_signatures_it_is_no_signed_document() -> None:
    assert code_of(changed(signatures=[])) == "bad-document"


def test_one_key_does_not_count_twice() -> None:
    mine = json.loads(SIGNED)["signatures"]
    assert code_of(changed(signatures=mine * 2)) == "bad-document"
    assert code_of(SIGNED, KEY, OTHER, threshold=2) == "unknown-signer"
    assert code_of(SIGNED, KEY, KEY, threshold=2) == "unknown-signer"


def test_a_threshold_wants_that_many_good_signatures() -> None:
    both = sign(TYPE, PAYLOAD, KEY, OTHER)
    assert verify(both, TYPE, [KEY.public, OTHER.public, THIRD.public], threshold=2) == PAYLOAD
    spoilt = json.loads(both)
    spoilt["signatures"][0]["sig"] = base64.b64encode(b"\0" * 64).decode()
    assert code_of(canonical(spoilt), KEY, OTHER, threshold=2) == "bad-signature"


def test_one_good_signature_is_enough_beside_foreign_ones() -> None:
    assert verify(sign(TYPE, PAYLOAD, OTHER, KEY), TYPE, [KEY.public]) == PAYLOAD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        changed(payload="e30"),
        changed(payload="e31="),
        changed(payload="-_=="),
        changed(payload=None),
        changed(extra=1),
        changed(signatures=[{"keyid": "x", "sig": "AA=="}]),
        changed(signatures=[{"keyid": KEY.public.id, "sig": "!"}]),
        changed(signatures=[{"keyid": KEY.public.id.upper(), "sig": "AA=="}]),
        changed(signatures="none"),
        SIGNED + b"\n",
        b" " + SIGNED,
        SIGNED[:-1] + b',"payload":"e30="}',
    ],
)
def test_b27_b30_malformed_envelopes_are_refused(data: bytes) -> None:
    assert code_of(data) == "bad-document"


def test_too_many_signatures_and_bytes_are_refused() -> None:
    many = [{"keyid": f"{n:064x}", "sig": "AA=="} for n in range(100)]
    assert code_of(changed(signatures=many)) == "bad-document"
    with pytest.raises(FormatError):
        verify(sign(TYPE, b"x" * 20_000, KEY), TYPE, [KEY.public], max_bytes=10_000)


def test_documents_are_signed_for_their_own_type() -> None:
    document = ServerTime(site=SiteCode("HQ1"), time="2026-01-02T03:04:05.000000Z", nonce="ab" * 16)
    signed = sign_document(document, KEY)
    assert verify_document(signed, ServerTime, [KEY.public]) == document
    assert peek(signed, ServerTime.PAYLOAD_TYPE).startswith(b'{"crit":[]')
    with pytest.raises(NotAllowedError):
        verify_document(signed, Offer, [KEY.public])
