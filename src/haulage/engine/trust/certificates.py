"""TLS certificates of the hierarchy's own small authority. They give privacy, never authority: nobody is trusted for holding
one."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from haulage.base.errors import FormatError, UsageError
from haulage.base.ids import SiteCode

AUTHORITY_DAYS = 20 * 365
SERVER_DAYS = 5 * 365
BACKDATED = dt.timedelta(days=2)
"""Certificates begin this much before they are made: a joiner's clock may be behind (I18)."""

_DNS_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A private key and its certificate, both PEM. Its repr does not show the key (I19)."""

    key_pem: bytes
    certificate_pem: str

    def __repr__(self) -> str:
        return "KeyPair(…)"


def make_authority(central: SiteCode, *, now: dt.datetime) -> KeyPair:
    """A new certificate authority (EC P-256, 20 years)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Haulage authority of {central}")
    usage = _usage(sign_certificates=True)
    certificate = (
        _builder(name, name, key.public_key(), key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    return KeyPair(key_pem=_key_pem(key), certificate_pem=_pem(certificate))


def make_tls_key() -> bytes:
    """A new EC P-256 private key for a server, PEM."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def make_csr(key_pem: bytes, *, code: SiteCode, url: str) -> str:
    """A signing request for the server of ``code`` at ``url``, PEM. Raises UsageError ``bad-url``, FormatError ``bad-key``."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(code))
    request = request.add_extension(x509.SubjectAlternativeName([_host(url)]), critical=False)
    return request.sign(_load_key(key_pem), SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def issue(authority: KeyPair, csr_pem: str, *, code: SiteCode, url: str, now: dt.datetime) -> str:
    """The certificate for a request, PEM. Names come from ``url``; the request gives only the key and the proof of holding it.
    Raises FormatError ``bad-csr``, UsageError ``bad-url``."""
    public = _requested_key(csr_pem, code)
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    key = _load_key(authority.key_pem)
    certificate = (
        _builder(_name(code), issuer.subject, public, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_host(url)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    return _pem(certificate)


def self_issue(key_pem: bytes, *, code: SiteCode, url: str, now: dt.datetime) -> str:
    """A certificate that nobody vouches for, PEM: for a server whose signed one has not come yet. Raises UsageError ``bad-url``,
    FormatError ``bad-key``."""
    key, name = _load_key(key_pem), _name(code)
    certificate = (
        _builder(name, name, key.public_key(), key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_host(url)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return _pem(certificate)


def client_context(authority_pem: str) -> ssl.SSLContext:
    """A TLS client context that trusts this authority and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cadata=authority_pem)
    except ssl.SSLError:
        raise FormatError(
            "bad-certificate", "The authority's certificate is not readable.", "Join again with a new string."
        ) from None
    return context


def unverified_context() -> ssl.SSLContext:
    """A TLS client context that believes anybody: only to fetch the root, which is checked against the join string."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def check_server_files(key_pem: bytes, certificate_pem: str, authority_pem: str, *, url: str, now: dt.datetime) -> None:
    """Refuse to start with what no peer would accept. Raises UsageError ``certificate-key-mismatch``, ``certificate-expired``,
    ``certificate-not-yet-valid``, ``certificate-foreign``, ``certificate-wrong-host`` (B107); FormatError ``bad-certificate``,
    ``bad-key``."""
    certificate, authority = _load(certificate_pem), _load(authority_pem)
    if certificate.public_key() != _load_key(key_pem).public_key():
        raise UsageError("certificate-key-mismatch", "The server's certificate is not for its private key.", _RENEW)
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        raise UsageError("certificate-foreign", "The server's certificate was not issued in this hierarchy.", _RENEW) from None
    if now > certificate.not_valid_after_utc:
        raise UsageError(
            "certificate-expired", f"The server's certificate ended {certificate.not_valid_after_utc:%Y-%m-%d}.", _RENEW
        )
    if now < certificate.not_valid_before_utc:
        start = f"{certificate.not_valid_before_utc:%Y-%m-%d}"
        raise UsageError("certificate-not-yet-valid", f"The server's certificate begins {start}.", "Check this machine's clock.")
    if _host(url) not in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value:
        raise UsageError("certificate-wrong-host", f"The server's certificate is not for {url}.", _RENEW)


def expires_at(certificate_pem: str) -> dt.datetime:
    """When a certificate ends. Raises FormatError ``bad-certificate``."""
    return _load(certificate_pem).not_valid_after_utc


_RENEW = "Restore keys and trust of the home from a backup, or invite the site anew and join with a new home."


def _requested_key(csr_pem: str, code: str) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        public = request.public_key()
        valid = request.is_signature_valid
    except (ValueError, TypeError, UnicodeEncodeError, InvalidSignature) as error:
        raise _bad_csr(code, f"it cannot be read ({error})") from None
    if not valid:
        raise _bad_csr(code, "it is not signed by its own key")
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise _bad_csr(code, "its key is not one on P-256")
    return public


def _bad_csr(code: str, cause: str) -> FormatError:
    return FormatError("bad-csr", f"The certificate request of site {code} is refused: {cause[:200]}.", "Join again.")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Haulage"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(url: str) -> x509.GeneralName:
    """The name a certificate for this URL bears: an address or a DNS name."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme != "https" or "%" in host:
        raise UsageError("bad-url", f"{url[:200]!r} is not the URL of a server.", "Write it as https://NAME:PORT.")
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _DNS_NAME.fullmatch(name):
        raise UsageError("bad-url", f"{host[:200]!r} is not the name of a host.", "Write it as https://NAME:PORT.")
    return x509.DNSName(name)


def _load(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise FormatError(
            "bad-certificate", "A certificate is not readable PEM.", "Restore it from a backup of the home."
        ) from None


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise FormatError("bad-key", "The TLS key is not a readable EC key.", "Restore it from a backup of the home.")
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
