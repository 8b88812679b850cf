"""Joining a hierarchy: the join string, the key derived from its secret, the claim made with it. Who was invited, and that an
invitation is used once, is decided elsewhere."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from haulage.base.clock import parse_iso
from haulage.base.errors import NotAllowedError, UsageError
from haulage.base.ids import SiteCode, site_code
from haulage.engine.protocol.asks import Claim
from haulage.engine.protocol.codec import too_new
from haulage.engine.protocol.definitions import InvitationState
from haulage.engine.protocol.fields import URL_MAX
from haulage.engine.trust.dsse import peek_document, sign_document, verify_document
from haulage.engine.trust.keys import PublicKey, SigningKey
from haulage.engine.trust.requests import new_nonce

CLAIM_MAX_BYTES = 65_536
PREFIX = "haulage1"
"""Base32 has no digit 1, so the prefix cannot be part of what follows."""

_JOIN_FORMAT = 1
_SECRET_BYTES = 16
_CHECK_BYTES = 4
_FIXED_BYTES = 1 + 3 + 3 + _SECRET_BYTES + 32


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinString:
    """What ``invite`` prints: all a joiner needs, in one word. Its repr does not show the secret (I19)."""

    url: str
    """The parent's."""
    site: SiteCode
    parent: SiteCode
    secret: bytes
    """16 random bytes."""
    root_sha256: str

    def __repr__(self) -> str:
        return f"JoinString(site={self.site}, parent={self.parent}, url={self.url!r})"


def new_join(*, url: str, site: SiteCode, parent: SiteCode, root_sha256: str) -> JoinString:
    """A join string with a fresh secret."""
    return JoinString(url=url, site=site, parent=parent, secret=secrets.token_bytes(_SECRET_BYTES), root_sha256=root_sha256)


def encode_join(join: JoinString) -> str:
    """One word of lower-case letters and digits: a double click takes it whole, and case does not matter."""
    fixed = bytes([_JOIN_FORMAT]) + join.site.encode() + join.parent.encode() + join.secret + bytes.fromhex(join.root_sha256)
    data = fixed + join.url.encode()
    return PREFIX + base64.b32encode(data + _check(data)).decode().rstrip("=").lower()


def parse_join(text: str) -> JoinString:
    """Read a join string; blanks and line breaks that copying put in are dropped. Raises UsageError ``bad-join-string`` (cut off,
    mistyped), FormatError ``format-too-new``."""
    word = "".join(text.split()).lower()
    body = word.removeprefix(PREFIX)
    if body == word or not body.isascii() or len(body) > 2 * URL_MAX:
        raise _bad("it does not begin with " + PREFIX)
    try:
        data = base64.b32decode(body.upper() + "=" * (-len(body) % 8))
    except ValueError:
        raise _bad("a character in it is wrong or missing") from None
    data, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    if _check(data) != check or len(data) <= _FIXED_BYTES:
        raise _bad("a character in it is wrong or missing")
    if data[0] != _JOIN_FORMAT:
        raise too_new(f"This join string has format {data[0]}.")
    join = _unpack(data)
    if encode_join(join) != word:
        raise _bad("a character in it is wrong or missing")
    return join


def token_key(join: JoinString) -> SigningKey:
    """The key whose public half stands in the invitation: derived from the secret, and from all the string binds."""
    info = f"haulage-invitation-1 {join.site} {join.parent} {join.root_sha256}".encode()
    return SigningKey.from_seed(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(join.secret))


def make_claim(join: JoinString, site_key: SigningKey, *, csr_pem: str, url: str, name: str = "") -> bytes:
    """A claim signed by the token key and the new site key. Keep it: sending the same claim again is harmless."""
    token = token_key(join)
    claim = Claim(
        code=join.site,
        parent=join.parent,
        key=site_key.public.text,
        token_key=token.public.text,
        csr=csr_pem,
        url=url,
        name=name,
        nonce=new_nonce(),
        root=join.root_sha256,
    )
    return sign_document(claim, token, site_key)


def peek_claim(data: bytes) -> Claim:
    """A claim, **not verified**: to find the invitation it names by ``token_key``. Raises FormatError."""
    return peek_document(data, Claim, max_bytes=CLAIM_MAX_BYTES)


def verify_claim(data: bytes, invitation: InvitationState, *, root_sha256: str, now: dt.datetime) -> Claim:
    """The claim, if it fits the invitation. Raises NotAllowedError ``invitation-expired``, ``claim-mismatch``, ``unknown-signer``;
    IntegrityError ``bad-signature``; FormatError ``bad-document``, ``format-too-new``."""
    key = PublicKey.parse(peek_claim(data).key)
    invited = PublicKey.parse(invitation.token_key)
    if key == invited:
        raise _mismatch(invitation.code, "it brings the invitation's own key as its site key")
    claim = verify_document(data, Claim, [invited, key], threshold=2, max_bytes=CLAIM_MAX_BYTES)
    if claim.token_key != invitation.token_key:
        raise _mismatch(invitation.code, "it names another invitation")
    if (claim.code, claim.parent) != (invitation.code, invitation.parent):
        raise _mismatch(invitation.code, f"it claims {claim.code} below {claim.parent}")
    if claim.root != root_sha256:
        raise _mismatch(invitation.code, "it trusts another root")
    if now > parse_iso(invitation.expires):
        raise NotAllowedError(
            "invitation-expired",
            f"The invitation of site {invitation.code} expired at {invitation.expires}.",
            f"Run again: haulage invite site {invitation.code}",
        )
    return claim


def _unpack(data: bytes) -> JoinString:
    secret_end = 7 + _SECRET_BYTES
    try:
        return JoinString(
            url=data[_FIXED_BYTES:].decode(),
            site=site_code(data[1:4].decode()),
            parent=site_code(data[4:7].decode()),
            secret=data[7:secret_end],
            root_sha256=data[secret_end:_FIXED_BYTES].hex(),
        )
    except (UnicodeDecodeError, UsageError):
        raise _bad("what it says makes no sense") from None


def _check(data: bytes) -> bytes:
    """Against typing errors, not against anybody."""
    return hashlib.sha256(b"haulage join string\0" + data).digest()[:_CHECK_BYTES]


def _bad(cause: str) -> UsageError:
    return UsageError("bad-join-string", f"This is not a whole join string: {cause}.", "Copy it again, from haulage1 to its end.")


def _mismatch(code: str, cause: str) -> NotAllowedError:
    return NotAllowedError(
        "claim-mismatch", f"A claim does not fit the invitation of site {code}: {cause}.", f"Run again: haulage invite site {code}"
    )
