"""The root of trust of a hierarchy: a TUF root document that also names the hierarchy's keys and its certificate authority."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from haulage.base.ids import SiteCode
from haulage.engine.trust.keys import PublicKey, SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """What a verified root says."""

    central: SiteCode
    version: int
    sha256: str
    expires: dt.datetime
    hierarchy: tuple[PublicKey, ...]
    """Any of these signs site definitions and invitations."""
    authority_pem: str
    """The certificate authority's certificate."""


def make_root(
    *,
    central: SiteCode,
    root_keys: Sequence[SigningKey],
    hierarchy: Sequence[PublicKey],
    targets: PublicKey,
    snapshot: PublicKey,
    timestamp: PublicKey,
    authority_pem: str,
    now: dt.datetime,
    version: int = 1,
) -> bytes:
    """A signed root.json (threshold: all ``root_keys``), valid for ten years."""
    raise NotImplementedError


def load_root(data: bytes, *, pinned_sha256: str, now: dt.datetime) -> TrustedRoot:
    """Check a root against its pinned digest and its own signatures. Raises IntegrityError ``wrong-root``, ``bad-signature``,
    FormatError ``bad-root``, NotAllowedError ``root-expired``."""
    raise NotImplementedError
