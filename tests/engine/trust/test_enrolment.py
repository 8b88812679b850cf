"""Joining: the string survives copying and shows its damage; a claim fits one invitation."""

from __future__ import annotations

import datetime as dt
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.clock import iso
from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.engine.protocol.asks import Claim
from haulage.engine.protocol.definitions import InvitationState
from haulage.engine.trust.dsse import sign_document
from haulage.engine.trust.enrolment import (
    JoinString,
    encode_join,
    make_claim,
    new_join,
    parse_join,
    peek_claim,
    token_key,
    verify_claim,
)
from haulage.engine.trust.keys import SigningKey

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
ROOT = "ab" * 32
JOIN = JoinString(url="https://hq.example:8440", site=CHI, parent=HQ1, secret=bytes(range(16)), root_sha256=ROOT)
SITE_KEY = SigningKey.from_seed(b"\7" * 32)
TEXT = encode_join(JOIN)


def invitation(**changes: Any) -> InvitationState:
    values: dict[str, Any] = {
        "code": CHI,
        "parent": HQ1,
        "name": "Chicago",
        "token_key": token_key(JOIN).public.text,
        "expires": iso(NOW + dt.timedelta(hours=24)),
    } | changes
    return InvitationState(**values)


def claim(join: JoinString = JOIN) -> bytes:
    return make_claim(join, SITE_KEY, csr_pem="CSR", url="https://chi.example:8440")


def refusal(data: bytes, invited: InvitationState, now: dt.datetime = NOW, root: str = ROOT) -> str:
    with pytest.raises(HaulageError) as caught:
        verify_claim(data, invited, root_sha256=root, now=now)
    return caught.value.code


@given(st.text(string.ascii_letters + string.digits + ":/.-[]ü", min_size=1, max_size=80), st.binary(min_size=16, max_size=16))
def test_a_join_string_round_trips(url: str, secret: bytes) -> None:
    join = JoinString(url=url, site=CHI, parent=HQ1, secret=secret, root_sha256=ROOT)
    text = encode_join(join)
    assert parse_join(text) == join
    assert text.isalnum()
    assert text == text.lower()


def test_a_join_string_survives_copying() -> None:
    for text in (f"  {TEXT}\r\n", TEXT.upper(), f"{TEXT[:60]}\n{TEXT[60:]}"):
        assert parse_join(text) == JOIN


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(string.ascii_lowercase + string.digits + "-ſK"))
def test_a_typing_error_is_noticed(at: int, character: str) -> None:
    typed = TEXT[:at] + character + TEXT[at + 1 :]
    if typed.lower() != TEXT:
        with pytest.raises(HaulageError):
            parse_join(typed)


@given(st.integers(0, len(TEXT) - 1))
def test_a_cut_off_join_string_is_noticed(length: int) -> None:
    with pytest.raises(HaulageError) as caught:
        parse_join(TEXT[:length])
    assert caught.value.code == "bad-join-string"


@given(st.text(max_size=300))
def test_i24_anything_else_is_refused(text: str) -> None:
    for candidate in (text, "haulage1" + text):
        with pytest.raises(HaulageError):
            parse_join(candidate)


def test_i19_a_join_string_does_not_show_its_secret() -> None:
    assert "secret" not in repr(JOIN)
    assert new_join(url="https://h", site=CHI, parent=HQ1, root_sha256=ROOT).secret != JOIN.secret


def test_the_token_key_binds_all_the_string_says() -> None:
    keys = {
        token_key(join).public.text
        for join in (
            JOIN,
            JoinString(url=JOIN.url, site=SiteCode("LA1"), parent=HQ1, secret=JOIN.secret, root_sha256=ROOT),
            JoinString(url=JOIN.url, site=CHI, parent=SiteCode("LA1"), secret=JOIN.secret, root_sha256=ROOT),
            JoinString(url=JOIN.url, site=CHI, parent=HQ1, secret=b"\0" * 16, root_sha256=ROOT),
            JoinString(url=JOIN.url, site=CHI, parent=HQ1, secret=JOIN.secret, root_sha256="cd" * 32),
        )
    }
    assert len(keys) == 5
    assert token_key(parse_join(TEXT)).public == token_key(JOIN).public


def test_a_claim_fits_its_invitation() -> None:
    got = verify_claim(claim(), invitation(), root_sha256=ROOT, now=NOW)
    assert (got.code, got.parent, got.key, got.url) == (CHI, HQ1, SITE_KEY.public.text, "https://chi.example:8440")
    assert peek_claim(claim()).token_key == invitation().token_key


def test_an_expired_invitation_admits_nobody() -> None:
    assert refusal(claim(), invitation(), NOW + dt.timedelta(hours=24, seconds=1)) == "invitation-expired"


@pytest.mark.parametrize("change", [{"code": SiteCode("LA1")}, {"parent": SiteCode("LA1")}])
def test_a_claim_is_bound_to_code_and_parent(change: dict[str, Any]) -> None:
    assert refusal(claim(), invitation(**change)) == "claim-mismatch"


def test_a_claim_of_another_root_is_refused() -> None:
    assert refusal(claim(), invitation(), root="cd" * 32) == "claim-mismatch"


def test_a_claim_with_another_secret_is_refused() -> None:
    other = JoinString(url=JOIN.url, site=CHI, parent=HQ1, secret=b"\0" * 16, root_sha256=ROOT)
    assert refusal(claim(other), invitation()) == "unknown-signer"


def altered(claimed: Claim | None = None, *keys: SigningKey, **changes: Any) -> bytes:
    plain = claimed or peek_claim(claim())
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__} | changes
    return sign_document(Claim(**fields), *(keys or (token_key(JOIN), SITE_KEY)))


def test_a_claim_needs_both_signatures() -> None:
    assert refusal(altered(None, token_key(JOIN)), invitation()) == "unknown-signer"
    assert refusal(altered(None, SITE_KEY), invitation()) == "unknown-signer"


def test_nobody_brings_a_key_that_is_not_his() -> None:
    theirs = SigningKey.from_seed(b"\x08" * 32).public.text
    assert refusal(altered(key=theirs), invitation()) == "unknown-signer"


def test_the_tokens_own_key_is_no_site_key() -> None:
    token = token_key(JOIN)
    assert refusal(altered(None, token, key=token.public.text), invitation()) == "claim-mismatch"


def test_a_claim_names_the_invitation_it_is_signed_for() -> None:
    assert refusal(altered(token_key=SITE_KEY.public.text), invitation()) == "claim-mismatch"


@given(st.integers(0, 200), st.integers(1, 255))
def test_i3_a_changed_claim_is_refused(at: int, flip: int) -> None:
    data = bytearray(claim())
    data[at] ^= flip
    with pytest.raises(HaulageError):
        verify_claim(bytes(data), invitation(), root_sha256=ROOT, now=NOW)
