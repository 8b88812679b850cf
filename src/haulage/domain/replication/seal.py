"""What replication needs of signatures; which keys and which library is wiring's choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Seal(Protocol):
    """Signs with this site's key, and opens what others signed."""

    def sign(self, payload_type: str, payload: bytes, *, role: str = "site") -> bytes:
        """The signed document. ``role`` ``hierarchy`` signs with the central site's hierarchy key instead."""
        ...

    def open(self, document: bytes, payload_type: str, keys: Sequence[str]) -> bytes:
        """The payload, once a signature by one of ``keys`` (Ed25519, base64) proved right. Raises NotAllowedError, FormatError."""
        ...

    def peek(self, document: bytes, payload_type: str) -> bytes:
        """The payload, believed by nobody yet: only to find out whose key must have signed it. Raises FormatError."""
        ...

    @property
    def hierarchy_keys(self) -> Sequence[str]:
        """The keys the pinned root endorses for the table of sites."""
        ...
