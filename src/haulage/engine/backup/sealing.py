"""Secrets under a passphrase: scrypt and AES-256-GCM, one document. Knows nothing of what is in it."""

from __future__ import annotations

import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from haulage.base.errors import FormatError, NotAllowedError
from haulage.engine.backup.passphrase import check_passphrase

_MAGIC = b"haulage-sealed 1\n"
_HEAD = struct.Struct(">B16s12s")
_COST = 17
"""2 to this power: 128 MiB and a third of a second, what OWASP asks for."""
_COSTS = range(14, 21)


def seal(secret: bytes, passphrase: str) -> bytes:
    """``secret`` under a passphrase. Raises UsageError ``bad-passphrase``."""
    salt, nonce = os.urandom(16), os.urandom(12)
    head = _MAGIC + _HEAD.pack(_COST, salt, nonce)
    return head + AESGCM(_key(check_passphrase(passphrase), salt, _COST)).encrypt(nonce, secret, head)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """What was sealed. Raises FormatError ``bad-sealed``, NotAllowedError ``wrong-passphrase`` (or it was altered: nobody can
    tell these apart)."""
    size = len(_MAGIC) + _HEAD.size
    head, body = sealed[:size], sealed[size:]
    if not head.startswith(_MAGIC) or len(head) < size:
        raise FormatError("bad-sealed", "The sealed secrets of the backup are not what Haulage writes.", "Take another backup.")
    cost, salt, nonce = _HEAD.unpack(head[len(_MAGIC) :])
    if cost not in _COSTS:
        raise FormatError("bad-sealed", "The sealed secrets of the backup ask for a cost out of bounds.", "Take another backup.")
    try:
        return AESGCM(_key(passphrase, salt, cost)).decrypt(nonce, body, head)
    except InvalidTag:
        raise NotAllowedError("wrong-passphrase", "This is not the passphrase of the backup.", "Try the one used then.") from None


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << cost, r=8, p=1).derive(passphrase.encode("utf-8", "surrogatepass"))
