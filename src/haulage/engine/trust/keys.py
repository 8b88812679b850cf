"""Ed25519 keys: public ones named by their bytes, private ones that sign. Knows neither documents nor where keys are kept."""

from __future__ import annotations

import base64
import binascii
import functools
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from haulage.base.errors import FormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """An Ed25519 public key; equal keys have equal ids, because the id is made from the bytes alone."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise FormatError("bad-key", "An Ed25519 public key has 32 bytes.", "Copy the key again.")

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """From base64, in its one canonical spelling. Raises FormatError ``bad-key``."""
        try:
            key = cls(raw=base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            raise FormatError("bad-key", f"{text[:60]!r} is not a public key in base64.", "Copy the key again.") from None
        if key.text != text:
            raise FormatError("bad-key", f"{text[:60]!r} is not canonical base64.", "Copy the key again.")
        return key

    @property
    def text(self) -> str:
        """Base64, as it stands in documents."""
        return base64.b64encode(self.raw).decode()

    @property
    def id(self) -> str:
        """SHA-256 of the key's canonical TUF description, 64 hexadecimal digits."""
        return self.tuf.keyid

    @property
    def tuf(self) -> SSlibKey:
        """The key as securesystemslib and python-tuf know it."""
        return _described(self.raw)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` over ``data`` was made by the private half."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@functools.lru_cache(maxsize=4096)
def _described(raw: bytes) -> SSlibKey:
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw))


class SigningKey:
    """An Ed25519 private key. Its repr shows the public id only (I19)."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(raw=private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))

    @classmethod
    def generate(cls) -> SigningKey:
        """A new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 32-byte secret seed (RFC 8032)."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """From PKCS #8 PEM. Raises FormatError ``bad-key``."""
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise FormatError("bad-key", "The private key is not readable PEM.", "Restore the key file from its backup.") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise FormatError("bad-key", "The private key is not an Ed25519 key.", "Restore the key file from its backup.")
        return cls(private)

    def to_pem(self) -> bytes:
        """PKCS #8 PEM, not encrypted: for the keystore alone."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature over ``data``."""
        return self._private.sign(data)

    @property
    def signer(self) -> CryptoSigner:
        """The key as securesystemslib and python-tuf sign with it."""
        return CryptoSigner(self._private, self.public.tuf)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id[:16]}…)"
