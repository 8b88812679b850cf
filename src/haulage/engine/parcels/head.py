"""The parcel: what turns held versions into a wanted one, as one immutable file in which every part is verified before it is used.

This is its head: what it is for, what it leans on, and the sections before it, with lengths, digests and methods. It stands at the
end, so that a parcel is written in one go. *Pure*.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

import msgspec

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content import codec
from haulage.engine.content.digest import digest
from haulage.engine.content.model import ManifestId
from haulage.engine.delta.encoding import Method

MAGIC = b"HLPARCEL"
"""A parcel begins and ends with it."""
KIND = "haulage-parcel"
FORMAT = 1
TRAILER = struct.Struct(">I8s")
"""Length of the head, which stands right before, and magic."""
MAX_BASES = 4
MAX_HEAD_BYTES = 4 * 1024 * 1024
MAX_STORED_BYTES = 40 * 1024 * 1024
"""Of one batch; decoders may hold one in memory."""
MAX_RAW_BYTES = 40 * 1024 * 1024
MAX_STRUCTURE_BYTES = 8 * 1024 * 1024
"""Of one section of structure or layout, stored or raw."""
MAX_BATCH_CHUNKS = 16_384
_SECTION = struct.Struct(">BBQQ32s")
"""Kind, method, stored length, raw length, BLAKE3 of the stored bytes."""


class _Shape(msgspec.Struct):
    bases: list[bytes] = msgspec.field(default_factory=list)
    sections: bytes = b""
    target: bytes = b""


_SHAPE = msgspec.msgpack.Decoder(_Shape)


class SectionKind(enum.IntEnum):
    """What a section holds once decoded. A reader takes them by kind, whatever their order between the kinds."""

    STRUCTURE = 1
    """The target's pages and chunk lists, against those of the bases."""
    LAYOUT = 2
    """For each of the next batches, in order: of what it makes which chunks."""
    BATCH = 3
    """Bytes that are not held, encoded against bytes that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section and where it lies."""

    kind: SectionKind
    method: Method
    offset: int
    """From the start of the parcel."""
    stored_bytes: int
    raw_bytes: int
    digest: bytes
    """BLAKE3 of the stored bytes."""

    @property
    def end(self) -> int:
        """Offset of what follows."""
        return self.offset + self.stored_bytes


SectionRow = tuple[int, int, int, int, bytes]
"""Kind, method, stored length, raw length, digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelHead:
    """Everything a receiver must know before the first section. Sizes in bytes."""

    id: bytes
    """BLAKE3 of the encoded head: names the whole parcel, for the head names every section's digest."""
    target: ManifestId
    bases: tuple[ManifestId, ...]
    """Manifests whose chunks the receiver must hold."""
    bytes_total: int
    """Contents, streams and large attributes of the target."""
    bytes_reused: int
    """Of these, what comes from the bases or is repeated."""
    bytes_new: int
    """Of these, the chunks that no base has."""
    bytes_wire: int
    """Length of the whole parcel."""
    head_bytes: int
    """Length of head and trailer."""
    sections: tuple[Section, ...]

    def of(self, kind: SectionKind) -> list[tuple[int, Section]]:
        """The sections of a kind, with their numbers."""
        return [(number, section) for number, section in enumerate(self.sections) if section.kind is kind]


def encode_head(
    target: ManifestId, bases: tuple[ManifestId, ...], *, bytes_total: int, bytes_new: int, sections: list[SectionRow]
) -> bytes:
    """Head and trailer. Raises FormatError ``parcel-too-large``."""
    head = codec.encode(
        {
            "bases": [bytes(base) for base in bases],
            "bytes_new": bytes_new,
            "bytes_reused": bytes_total - bytes_new,
            "bytes_total": bytes_total,
            "crit": [],
            "format": FORMAT,
            "kind": KIND,
            "sections": b"".join([_SECTION.pack(*section) for section in sections]),
            "target": bytes(target),
        }
    )
    if len(head) > MAX_HEAD_BYTES:
        raise FormatError("parcel-too-large", "A parcel for so much data would be too large.", "Publish the package in parts.")
    return head + TRAILER.pack(len(head), MAGIC)


def head_bytes(trailer: bytes, size: int) -> int:
    """Length of head and trailer, from the last ``TRAILER.size`` bytes of a parcel of ``size`` bytes. Raises FormatError
    ``not-a-parcel`` for what is none (B57)."""
    if len(trailer) < TRAILER.size:
        raise FormatError("not-a-parcel", "This is too short to be a parcel.", "Get it again.")
    length, magic = TRAILER.unpack(trailer[-TRAILER.size :])
    if magic != MAGIC or not 0 < length <= MAX_HEAD_BYTES or len(MAGIC) + length + TRAILER.size > size:
        raise FormatError(
            "not-a-parcel",
            "This is not a parcel, or not all of one.",
            "Check what was given, or get it again; archives of other kinds are not accepted.",
        )
    return int(length) + TRAILER.size


def parse_head(data: bytes, size: int, *, expected_id: bytes | None = None) -> ParcelHead:
    """Read head and trailer of a parcel of ``size`` bytes, strictly: ``data`` is exactly both. With ``expected_id`` nothing is
    parsed before the digest fits.

    Raises IntegrityError ``parcel-damaged``; FormatError ``not-a-parcel``, ``not-canonical``, ``bad-parcel``, ``format-too-new``.
    """
    if len(data) != head_bytes(data, size):
        raise FormatError("bad-parcel", "The head of a parcel is cut short or runs on.", "Get it again.")
    head = data[: -TRAILER.size]
    parcel_id = digest(head)
    if expected_id is not None and parcel_id != expected_id:
        raise IntegrityError("parcel-damaged", "The head of a parcel is not the one that was announced.", "It is fetched again.")
    fields = codec.document(
        codec.decode(head, max_bytes=MAX_HEAD_BYTES, what="parcel head", shape=_SHAPE),
        kind=KIND,
        newest=FORMAT,
        critical=frozenset(),
    )
    bases = [base for base in codec.take_list(fields, "bases", KIND) if isinstance(base, bytes) and len(base) == 32]
    if len(bases) != len(codec.take_list(fields, "bases", KIND)) or len(bases) > MAX_BASES or len(set(bases)) != len(bases):
        raise codec.bad_field(KIND, "bases")
    total, new, reused = (codec.take_int(fields, key, KIND) for key in ("bytes_total", "bytes_new", "bytes_reused"))
    if total != new + reused:
        raise FormatError("bad-parcel", "The figures of a parcel do not add up.", "Get it again from a trusted site.")
    sections = _parse_sections(codec.take_bytes(fields, "sections", KIND))
    if (sections[-1].end if sections else len(MAGIC)) + len(data) != size:
        raise FormatError("bad-parcel", "A parcel is cut short or runs on.", "Build or fetch it again.")
    return ParcelHead(
        id=parcel_id,
        target=ManifestId(codec.take_bytes(fields, "target", KIND, length=32)),
        bases=tuple(ManifestId(base) for base in bases),
        bytes_total=total,
        bytes_reused=reused,
        bytes_new=new,
        bytes_wire=size,
        head_bytes=len(data),
        sections=sections,
    )


def _parse_sections(rows: bytes) -> tuple[Section, ...]:
    if len(rows) % _SECTION.size:
        raise codec.bad_field(KIND, "sections")
    sections: list[Section] = []
    offset = len(MAGIC)
    for kind, method, stored, raw, wanted in _SECTION.iter_unpack(rows):
        if kind not in SectionKind.__members__.values() or method not in Method.__members__.values():
            raise FormatError(
                "format-too-new", f"A parcel needs a newer Haulage: method {method}.", "Upgrade Haulage at this site."
            )
        batch = kind == SectionKind.BATCH
        most_stored, most_raw = (MAX_STORED_BYTES, MAX_RAW_BYTES) if batch else (MAX_STRUCTURE_BYTES, MAX_STRUCTURE_BYTES)
        # A batch of nothing but copies decodes to nothing.
        if (
            not (stored > 0 or batch)
            or stored > most_stored
            or not (raw > 0 or batch)
            or raw > most_raw
            or stored > raw
            or (method == Method.STORED and stored != raw)
        ):
            raise FormatError(
                "bad-parcel", "A section of a parcel has a length it cannot have.", "Get it again from a trusted site."
            )
        sections.append(
            Section(kind=SectionKind(kind), method=Method(method), offset=offset, stored_bytes=stored, raw_bytes=raw, digest=wanted)
        )
        offset += stored
    return tuple(sections)
