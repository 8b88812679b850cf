"""Signed requests: who asks, whom, for what, when, and only once. Knows headers, not HTTP libraries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from haulage.base.ids import SiteCode
from haulage.engine.trust.keys import PublicKey, SigningKey

SKEW_SECONDS = 300


class NonceCache:
    """Remembers the nonces of accepted requests while their time is acceptable; bounded per sender."""

    def __init__(self, *, started: dt.datetime, per_sender: int = 20_000) -> None:
        raise NotImplementedError


def body_digest(body: bytes) -> str:
    """SHA-256 of a request body, as its signature names it."""
    raise NotImplementedError


def sign_request(
    method: str, target: str, digest: str, *, sender: SiteCode, receiver: SiteCode, now: dt.datetime, nonce: str, key: SigningKey
) -> dict[str, str]:
    """Headers that prove a request. ``target`` is path and query as sent."""
    raise NotImplementedError


def verify_request(
    method: str,
    target: str,
    digest: str,
    headers: Mapping[str, str],
    *,
    receiver: SiteCode,
    keys_of: Callable[[SiteCode], Sequence[PublicKey]],
    now: dt.datetime,
    nonces: NonceCache,
) -> SiteCode:
    """The sender, if the request is proven (B73). Raises NotAllowedError ``request-unsigned``, ``request-for-another-site``,
    ``unknown-signer``, ``bad-request-signature``, ``clock-skew``, ``request-replayed``; TransferError ``too-many-requests``."""
    raise NotImplementedError
