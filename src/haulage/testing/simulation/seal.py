"""Signatures that are digests: cheap enough for thousands of schedules, and still refused when key, type or content is another.
Real signatures are the business of engine/trust and its tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from haulage.base.errors import FormatError, IntegrityError, NotAllowedError

_LINE = b"\n"


class PlainSeal:
    """Implements the domain's Seal with a key's text as its secret."""

    def __init__(self, key: str, hierarchy_key: str) -> None:
        self._key = key
        self._hierarchy_key = hierarchy_key

    def sign(self, payload_type: str, payload: bytes, *, role: str = "site") -> bytes:
        key = self._hierarchy_key if role == "hierarchy" else self._key
        return _LINE.join([payload_type.encode(), key.encode(), _tag(key, payload_type, payload), payload])

    def open(self, document: bytes, payload_type: str, keys: Sequence[str]) -> bytes:
        key, tag, payload = _parts(document, payload_type)
        if key not in keys:
            raise NotAllowedError("unknown-signer", f"A document of type {payload_type} is not signed by a known key.", "")
        if tag != _tag(key, payload_type, payload):
            raise IntegrityError("bad-signature", "The signature does not fit.", "")
        return payload

    def peek(self, document: bytes, payload_type: str) -> bytes:
        return _parts(document, payload_type)[2]

    @property
    def hierarchy_keys(self) -> Sequence[str]:
        return [self._hierarchy_key]


def _parts(document: bytes, payload_type: str) -> tuple[str, bytes, bytes]:
    parts = document.split(_LINE, 3)
    if len(parts) != 4:
        raise FormatError("bad-document", "This is not a signed document.", "")
    if parts[0] != payload_type.encode():
        raise NotAllowedError("wrong-payload-type", "This was signed for another purpose.", "")
    return parts[1].decode(), parts[2], parts[3]


def _tag(key: str, payload_type: str, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, key=key.encode()[:64], person=payload_type.encode()[-16:]).hexdigest().encode()
