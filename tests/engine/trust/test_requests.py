"""Signed requests: proven once, for one site, one target, one body, near one time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from haulage.base.errors import HaulageError, Remedy
from haulage.base.ids import SiteCode
from haulage.engine.trust.keys import PublicKey, SigningKey
from haulage.engine.trust.requests import (
    SKEW_SECONDS,
    ClockSkewError,
    NonceCache,
    body_digest,
    read_signed_time,
    sign_request,
    signed_time,
    verify_request,
)

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
KEY, OTHER = SigningKey.from_seed(b"\1" * 32), SigningKey.from_seed(b"\2" * 32)
METHOD, TARGET, BODY = "POST", "/hop/v1/report?x=1", b"body"


def headers(**changes: Any) -> dict[str, str]:
    values: dict[str, Any] = {"sender": CHI, "receiver": HQ1, "now": NOW, "nonce": "ab" * 16, "key": KEY} | changes
    return sign_request(METHOD, TARGET, body_digest(BODY), **values)


def cache(**changes: Any) -> NonceCache:
    return NonceCache(started=NOW - dt.timedelta(hours=1), **changes)


def keys_of(site: SiteCode) -> list[PublicKey]:
    return [OTHER.public, KEY.public] if site == CHI else []


def check(signed: dict[str, str], nonces: NonceCache | None = None, **changes: Any) -> str:
    values: dict[str, Any] = {
        "method": METHOD,
        "target": TARGET,
        "digest": body_digest(BODY),
        "now": NOW,
        "receiver": HQ1,
    } | changes
    method, target, digest = (values.pop(name) for name in ("method", "target", "digest"))
    return verify_request(method, target, digest, signed, keys_of=keys_of, nonces=nonces or cache(), **values)


def refusal(signed: dict[str, str], nonces: NonceCache | None = None, **changes: Any) -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        check(signed, nonces, **changes)
    return caught.value


def test_a_signed_request_tells_its_sender() -> None:
    assert check(headers()) == CHI


def test_b73_a_replayed_request_is_refused_as_long_as_its_time_is_good() -> None:
    nonces = cache()
    ahead = headers(now=NOW + dt.timedelta(seconds=SKEW_SECONDS))
    check(ahead, nonces)
    for later in range(0, 2 * SKEW_SECONDS + 1, 50):
        assert refusal(ahead, nonces, now=NOW + dt.timedelta(seconds=later)).code == "request-replayed"
    assert refusal(ahead, nonces, now=NOW + dt.timedelta(seconds=2 * SKEW_SECONDS + 1)).code == "clock-skew"


@pytest.mark.parametrize("change", [{"method": "GET"}, {"target": "/hop/v1/report?x=2"}, {"target": "/hop/v1/want"}])
def test_b73_a_retargeted_request_is_refused(change: dict[str, Any]) -> None:
    assert refusal(headers(), **change).code == "bad-request-signature"


def test_b73_a_request_for_another_site_is_refused() -> None:
    assert refusal(headers(), receiver=SiteCode("LA1")).code == "request-for-another-site"


def test_b73_a_swapped_body_is_refused() -> None:
    assert refusal(headers(), digest=body_digest(b"other")).code == "bad-request-signature"


@pytest.mark.parametrize("seconds", [-SKEW_SECONDS - 1, SKEW_SECONDS + 1, 86_400 * 365])
def test_b73_a_skewed_request_is_refused_with_the_servers_signed_time(seconds: int) -> None:
    refused = refusal(headers(now=NOW + dt.timedelta(seconds=seconds)))
    assert isinstance(refused, ClockSkewError)
    assert refused.remedy is Remedy.RETRY
    answer = signed_time(HQ1, refused.nonce, NOW, OTHER)
    assert read_signed_time(answer, site=HQ1, nonce="ab" * 16, keys=[OTHER.public]) == NOW


def test_b73_a_signed_time_answers_its_own_request_only() -> None:
    answer = signed_time(HQ1, "ab" * 16, NOW, OTHER)
    for site, nonce, key in ((HQ1, "cd" * 16, OTHER), (CHI, "ab" * 16, OTHER), (HQ1, "ab" * 16, KEY)):
        with pytest.raises(HaulageError):
            read_signed_time(answer, site=site, nonce=nonce, keys=[key.public])


@pytest.mark.parametrize("seconds", [-SKEW_SECONDS, 0, SKEW_SECONDS])
def test_some_skew_is_allowed(seconds: int) -> None:
    assert check(headers(now=NOW + dt.timedelta(seconds=seconds))) == CHI


def test_b73_a_request_from_before_a_restart_is_refused() -> None:
    restarted = NonceCache(started=NOW + dt.timedelta(seconds=1))
    assert refusal(headers(), restarted, now=NOW + dt.timedelta(seconds=2)).code == "clock-skew"


@pytest.mark.parametrize("name", ["from", "to", "key", "time", "nonce", "digest", "signature"])
def test_every_header_is_needed_and_signed(name: str) -> None:
    signed = headers()
    other = headers(key=OTHER, sender=SiteCode("LA1"), receiver=CHI, now=NOW + dt.timedelta(seconds=1), nonce="cd" * 16)
    other["haulage-digest"] = body_digest(b"other")
    assert refusal({key: value for key, value in signed.items() if key != f"haulage-{name}"}).code == "request-unsigned"
    assert refusal(signed | {f"haulage-{name}": other[f"haulage-{name}"]}).family == "not-allowed"
    assert refusal(signed | {f"haulage-{name}": signed[f"haulage-{name}"] + "\n"}).code == "request-unsigned"


def test_unknown_senders_and_keys_are_refused() -> None:
    assert refusal(headers(sender=SiteCode("LA1"))).code == "unknown-signer"
    assert refusal(headers(key=SigningKey.from_seed(b"\3" * 32))).code == "unknown-signer"


def test_a_refused_request_uses_up_no_nonce() -> None:
    nonces = cache()
    refusal(headers(), nonces, digest=body_digest(b"other"))
    assert check(headers(), nonces) == CHI


def test_i21_one_sender_cannot_use_up_anothers_room() -> None:
    nonces = cache(per_sender=2)
    nonces.admit("LA1", "1", NOW)
    nonces.admit("LA1", "2", NOW)
    with pytest.raises(HaulageError) as caught:
        nonces.admit("LA1", "3", NOW)
    assert caught.value.code == "too-many-requests"
    assert check(headers(), nonces) == CHI
    nonces.admit("LA1", "3", NOW + dt.timedelta(seconds=2 * SKEW_SECONDS + 2))
