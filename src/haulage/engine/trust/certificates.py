"""TLS certificates of the hierarchy's own small authority. They give privacy, never authority: nobody is
trusted for holding one."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass

from haulage.base.ids import SiteCode


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A private key and its certificate, both PEM."""

    key_pem: bytes
    certificate_pem: str


def make_authority(central: SiteCode, *, now: dt.datetime) -> KeyPair:
    """A new certificate authority (EC P-256, 20 years)."""
    raise NotImplementedError


def make_tls_key() -> bytes:
    """A new EC P-256 private key for a server, PEM."""
    raise NotImplementedError


def make_csr(key_pem: bytes, *, code: SiteCode, url: str) -> str:
    """A signing request for the server of ``code`` at ``url``, PEM."""
    raise NotImplementedError


def issue(authority: KeyPair, csr_pem: str, *, code: SiteCode, url: str, now: dt.datetime) -> str:
    """The certificate for a request, PEM. Names come from ``url``; the request gives only the key and the proof of holding it.
    Raises FormatError ``bad-csr``."""
    raise NotImplementedError


def client_context(authority_pem: str) -> ssl.SSLContext:
    """A TLS client context that trusts this authority and nothing else."""
    raise NotImplementedError


def check_server_files(key_pem: bytes, certificate_pem: str, authority_pem: str, *, url: str, now: dt.datetime) -> None:
    """Refuse to start with what no peer would accept. Raises UsageError ``certificate-key-mismatch``, ``certificate-expired``,
    ``certificate-not-yet-valid``, ``certificate-foreign``, ``certificate-wrong-host`` (B107)."""
    raise NotImplementedError


def expires_at(certificate_pem: str) -> dt.datetime:
    """When a certificate ends."""
    raise NotImplementedError
