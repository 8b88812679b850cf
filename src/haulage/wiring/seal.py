"""Signatures of one site: its keystore and the pinned root behind the interface replication asks for."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.engine.protocol.envelopes import ENVELOPE_MAX_BYTES
from haulage.engine.trust import dsse
from haulage.engine.trust.keys import PublicKey, SigningKey
from haulage.engine.trust.root import TrustedRoot

MAX_BYTES = 2 * ENVELOPE_MAX_BYTES
"""The largest document that travels is an envelope with one large message."""


class KeySeal:
    """Implements :class:`~haulage.domain.replication.seal.Seal`."""

    def __init__(self, site_key: SigningKey, hierarchy_key: SigningKey | None, root: TrustedRoot) -> None:
        self._keys = {"site": site_key} | ({"hierarchy": hierarchy_key} if hierarchy_key else {})
        self._hierarchy_keys = tuple(key.text for key in root.hierarchy)

    def sign(self, payload_type: str, payload: bytes, *, role: str = "site") -> bytes:
        return dsse.sign(payload_type, payload, self._keys[role])

    def open(self, document: bytes, payload_type: str, keys: Sequence[str]) -> bytes:
        return dsse.verify(document, payload_type, [PublicKey.parse(key) for key in keys], max_bytes=MAX_BYTES)

    def peek(self, document: bytes, payload_type: str) -> bytes:
        return dsse.peek(document, payload_type, max_bytes=MAX_BYTES)

    @property
    def hierarchy_keys(self) -> Sequence[str]:
        return self._hierarchy_keys
