"""The hierarchy's own certificates: made, issued, believed by OpenSSL, refused when wrong."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate

from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.engine.trust.certificates import (
    KeyPair,
    check_server_files,
    client_context,
    expires_at,
    issue,
    make_authority,
    make_csr,
    make_tls_key,
    self_issue,
)

NOW = dt.datetime.now(dt.UTC)
HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
URL = "https://chi.example:8440"
AUTHORITY = make_authority(HQ1, now=NOW)
KEY = make_tls_key()


def certificate(url: str = URL, *, authority: KeyPair = AUTHORITY, now: dt.datetime = NOW) -> str:
    return issue(authority, make_csr(KEY, code=CHI, url=url), code=CHI, url=url, now=now)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(HaulageError) as caught:
        act()
    return caught.value.code


def shake(tmp_path: Path, pem: str, host: str, context: ssl.SSLContext) -> ssl.SSLObject:
    """A TLS handshake in memory."""
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "pem").write_text(pem)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(tmp_path / "pem", tmp_path / "key")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return client


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (URL, "chi.example"),
        ("https://127.0.0.1:1", "127.0.0.1"),
        ("https://[::1]:1", "::1"),
        ("https://bücher.example", "bücher.example"),
    ],
)
def test_openssl_believes_an_issued_certificate(tmp_path: Path, url: str, host: str) -> None:
    context = client_context(AUTHORITY.certificate_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    client = shake(tmp_path, certificate(url), host, context)
    assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("authority", [AUTHORITY, make_authority(HQ1, now=NOW)], ids=["wrong host", "foreign authority"])
def test_openssl_refuses_another_host_and_another_authority(tmp_path: Path, authority: KeyPair) -> None:
    host = "la1.example" if authority is AUTHORITY else "chi.example"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(tmp_path, certificate(authority=authority), host, client_context(AUTHORITY.certificate_pem))


def test_a_sound_pair_starts() -> None:
    check_server_files(KEY, certificate(), AUTHORITY.certificate_pem, url=URL, now=NOW)
    assert expires_at(certificate()) > NOW + dt.timedelta(days=365)


def test_b107_certificate_and_key_mismatch() -> None:
    act = lambda: check_server_files(make_tls_key(), certificate(), AUTHORITY.certificate_pem, url=URL, now=NOW)  # noqa: E731
    assert refusal(act) == "certificate-key-mismatch"


@pytest.mark.parametrize(("days", "code"), [(6 * 365, "certificate-expired"), (-3, "certificate-not-yet-valid")])
def test_b107_expired_and_not_yet_valid(days: int, code: str) -> None:
    later = NOW + dt.timedelta(days=days)
    assert refusal(lambda: check_server_files(KEY, certificate(), AUTHORITY.certificate_pem, url=URL, now=later)) == code


def test_b107_foreign_authority_and_wrong_host() -> None:
    other = make_authority(HQ1, now=NOW)
    assert refusal(lambda: check_server_files(KEY, certificate(), other.certificate_pem, url=URL, now=NOW)) == "certificate-foreign"
    act = lambda: check_server_files(KEY, certificate(), AUTHORITY.certificate_pem, url="https://x:1", now=NOW)  # noqa: E731
    assert refusal(act) == "certificate-wrong-host"


def test_b107_unreadable_files() -> None:
    assert refusal(lambda: check_server_files(b"x", certificate(), AUTHORITY.certificate_pem, url=URL, now=NOW)) == "bad-key"
    assert refusal(lambda: check_server_files(KEY, "x", AUTHORITY.certificate_pem, url=URL, now=NOW)) == "bad-certificate"


def test_names_come_from_the_url_not_from_the_request() -> None:
    csr = make_csr(KEY, code=HQ1, url="https://evil.example")
    pem = issue(AUTHORITY, csr, code=CHI, url=URL, now=NOW)
    check_server_files(KEY, pem, AUTHORITY.certificate_pem, url=URL, now=NOW)
    assert refusal(lambda: check_server_files(KEY, pem, AUTHORITY.certificate_pem, url="https://evil.example", now=NOW))


def test_requests_that_prove_no_key_are_refused() -> None:
    csr = make_csr(KEY, code=CHI, url=URL)
    lines = csr.splitlines()
    lines[-2] = ("A" if lines[-2][0] != "A" else "B") + lines[-2][1:]
    for bad in ("", "\x00", csr[:100], "\n".join(lines), AUTHORITY.certificate_pem):
        assert refusal(lambda bad=bad: issue(AUTHORITY, bad, code=CHI, url=URL, now=NOW)) == "bad-csr"  # type: ignore[misc]


def test_a_key_of_another_kind_is_refused() -> None:
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert refusal(lambda: make_csr(pem, code=CHI, url=URL)) == "bad-key"


@pytest.mark.parametrize(
    "url", ["", "http://x", "https://", "https://a b", "https://x:99999", "https://[::1", "https://" + "a" * 300]
)
def test_urls_that_name_no_server_are_refused(url: str) -> None:
    assert refusal(lambda: make_csr(KEY, code=CHI, url=url)) == "bad-url"


def test_i19_a_pair_does_not_show_its_key() -> None:
    assert "PRIVATE" not in repr(AUTHORITY)


def test_a_certificate_of_ones_own_is_for_the_key_and_vouched_for_by_nobody() -> None:
    pem = self_issue(KEY, code=CHI, url=URL, now=NOW)
    assert refusal(lambda: check_server_files(KEY, pem, AUTHORITY.certificate_pem, url=URL, now=NOW)) == "certificate-foreign"
    own = load_pem_x509_certificate(pem.encode())
    assert own.issuer == own.subject
    own.verify_directly_issued_by(own)
