"""Encoding and decoding single sections of a parcel. Decoders get digest-checked bytes only, and stop at declared sizes (B42 to
B47). Knows nothing of stores or transport.
"""

from __future__ import annotations

from haulage.base.errors import IntegrityError
from haulage.engine.content.digest import digest
from haulage.engine.delta.encoding import decode, encode
from haulage.engine.delta.level import Level
from haulage.engine.parcels.head import Section, SectionKind, SectionRow


def seal_section(kind: SectionKind, raw: bytes, level: Level, *, old: bytes = b"", text: bool = False) -> tuple[SectionRow, bytes]:
    """The row of a section for the head, and its stored bytes. What was encoded is decoded and compared: nobody receives what
    cannot be read."""
    method, stored = encode(old, raw, level=level, text=text)
    if decode(method, old, stored, len(raw)) != raw:
        raise IntegrityError(
            "bad-delta", "An encoded section does not decode to what it was made of.", "This is a defect; tell it."
        )
    return (int(kind), int(method), len(stored), len(raw), digest(stored)), stored


def verify_section(section: Section, stored: bytes) -> None:
    """Refuse stored bytes that are not what the head says: IntegrityError ``parcel-damaged``. Always before ``open_section``."""
    if len(stored) != section.stored_bytes or digest(stored) != section.digest:
        raise IntegrityError(
            "parcel-damaged", f"The section at offset {section.offset} of a parcel is damaged.", "It is fetched again."
        )


def open_section(section: Section, stored: bytes, old: bytes = b"") -> bytes:
    """The raw bytes of a verified section. Raises FormatError ``bad-delta`` when they are not exactly as many as declared."""
    return decode(section.method, old, stored, section.raw_bytes)
