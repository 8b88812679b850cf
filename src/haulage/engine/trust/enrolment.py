"""Joining a hierarchy: the join string, the key derived from its secret, the claim made with it. Who was invited, and that an
invitation is used once, is decided elsewhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from haulage.base.ids import SiteCode
from haulage.engine.protocol.asks import Claim
from haulage.engine.protocol.definitions import InvitationState
from haulage.engine.trust.keys import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinString:
    """What ``invite`` prints: all a joiner needs, in one word."""

    url: str
    """The parent's."""
    site: SiteCode
    parent: SiteCode
    secret: bytes
    """16 random bytes."""
    root_sha256: str


def new_join(*, url: str, site: SiteCode, parent: SiteCode, root_sha256: str) -> JoinString:
    """A join string with a fresh secret."""
    raise NotImplementedError


def encode_join(join: JoinString) -> str:
    """One word of lower-case letters and digits."""
    raise NotImplementedError


def parse_join(text: str) -> JoinString:
    """Raises UsageError ``bad-join-string`` (cut off, mistyped), FormatError ``format-too-new``."""
    raise NotImplementedError


def token_key(join: JoinString) -> SigningKey:
    """The key whose public half stands in the invitation."""
    raise NotImplementedError


def make_claim(join: JoinString, site_key: SigningKey, *, csr_pem: str, url: str, name: str = "") -> bytes:
    """A claim signed by the token key and the new site key."""
    raise NotImplementedError


def verify_claim(data: bytes, invitation: InvitationState, *, root_sha256: str, now: dt.datetime) -> Claim:
    """The claim, if it fits the invitation. Raises NotAllowedError ``invitation-expired``, ``claim-mismatch``, ``unknown-signer``;
    IntegrityError ``bad-signature``; FormatError ``bad-document``, ``format-too-new``."""
    raise NotImplementedError
