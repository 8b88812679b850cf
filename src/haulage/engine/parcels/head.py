"""The parcel: what turns held versions into a wanted one, as one immutable file in which every part is verified before it is used.

This is its head: what it is for, what it leans on, and the sections that follow, with lengths, digests and methods. *Pure*.
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

MAGIC = b"HLPARCEL"
KIND = "haulage-parcel"
FORMAT = 1
PRELUDE = struct.Struct(">8sI")
"""Magic and length of the head, which follows."""
MAX_BASES = 4
MAX_HEAD_BYTES = 4 * 1024 * 1024
MAX_STORED_BYTES = 40 * 1024 * 1024
"""Of one section; decoders may hold one in memory."""
MAX_RAW_BYTES = 40 * 1024 * 1024
MAX_STRUCTURE_BYTES = 8 * 1024 * 1024
"""Of one section of pages or index, stored or raw."""
MAX_BATCH_CHUNKS = 16_384
_SECTION = struct.Struct(">BBQQ32s")
"""Kind, method, stored length, raw length, BLAKE3 of the stored bytes."""


class _Shape(msgspec.Struct):
    bases: list[bytes] = msgspec.field(default_factory=list)
    sections: bytes = b""
    target: bytes = b""


_SHAPE = msgspec.msgpack.Decoder(_Shape)


class SectionKind(enum.IntEnum):
    """What a section holds once decoded. They come in this order."""

    PAGES = 1
    """Pages and chunk lists of the target manifest that no base has."""
    INDEX = 2
    """For each of the next batches, in order: the chunks it holds."""
    BATCH = 3
    """Chunks, one after the other."""


class Method(enum.IntEnum):
    """How a section is encoded. 16 and up are left for encodings against the bases' bytes."""

    STORED = 0
    ZSTD = 1


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
    """Of these, what the batches carry."""
    bytes_wire: int
    """Length of the whole parcel."""
    sections: tuple[Section, ...]


def encode_head(
    target: ManifestId,
    bases: tuple[ManifestId, ...],
    *,
    bytes_total: int,
    bytes_new: int,
    sections: list[tuple[int, int, int, int, bytes]],
) -> bytes:
    """Prelude and head. ``sections``: kind, method, stored length, raw length, digest. Its length depends on the number of sections
    and on the figures alone, never on digests or stored lengths, so room can be left for it."""
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
    return PRELUDE.pack(MAGIC, len(head)) + head


def head_end(prelude: bytes) -> int:
    """Offset of the first section, from the first ``PRELUDE.size`` bytes. Raises FormatError for what is not a parcel (B57)."""
    if len(prelude) < PRELUDE.size:
        raise FormatError("not-a-parcel", "This is too short to be a parcel.", "Get it again.")
    magic, length = PRELUDE.unpack_from(prelude)
    if magic != MAGIC or not 0 < length <= MAX_HEAD_BYTES:
        raise FormatError(
            "not-a-parcel", "This is not a parcel.", "Check what was given; archives of other kinds are not accepted."
        )
    return PRELUDE.size + int(length)


def parse_head(data: bytes, *, expected_id: bytes | None = None) -> ParcelHead:
    """Read prelude and head, strictly: ``data`` is exactly both. With ``expected_id`` nothing is parsed before the digest fits.

    Raises IntegrityError ``parcel-damaged``; FormatError ``not-a-parcel``, ``not-canonical``, ``bad-parcel``, ``format-too-new``.
    """
    end = head_end(data)
    if len(data) != end:
        raise FormatError("bad-parcel", "The head of a parcel is cut short or runs on.", "Get it again.")
    head = data[PRELUDE.size :]
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
    sections = _parse_sections(codec.take_bytes(fields, "sections", KIND), end)
    carried = sum(section.raw_bytes for section in sections if section.kind is SectionKind.BATCH)
    if total != new + reused or carried != new:
        raise FormatError("bad-parcel", "The figures of a parcel do not add up.", "Get it again from a trusted site.")
    return ParcelHead(
        id=parcel_id,
        target=ManifestId(codec.take_bytes(fields, "target", KIND, length=32)),
        bases=tuple(ManifestId(base) for base in bases),
        bytes_total=total,
        bytes_reused=reused,
        bytes_new=new,
        bytes_wire=sections[-1].end if sections else end,
        sections=sections,
    )


def _parse_sections(rows: bytes, offset: int) -> tuple[Section, ...]:
    if len(rows) % _SECTION.size:
        raise codec.bad_field(KIND, "sections")
    sections: list[Section] = []
    for kind, method, stored, raw, wanted in _SECTION.iter_unpack(rows):
        if kind not in SectionKind.__members__.values() or method not in Method.__members__.values():
            raise FormatError(
                "format-too-new", f"A parcel needs a newer Haulage: method {method}.", "Upgrade Haulage at this site."
            )
        batch = kind == SectionKind.BATCH
        most_stored, most_raw = (MAX_STORED_BYTES, MAX_RAW_BYTES) if batch else (MAX_STRUCTURE_BYTES, MAX_STRUCTURE_BYTES)
        if not 0 < stored <= most_stored or not 0 < raw <= most_raw or (method == Method.STORED and stored != raw):
            raise FormatError(
                "bad-parcel", "A section of a parcel has a length it cannot have.", "Get it again from a trusted site."
            )
        if sections and kind < sections[-1].kind:
            raise FormatError("bad-parcel", "The sections of a parcel are out of order.", "Get it again from a trusted site.")
        sections.append(
            Section(kind=SectionKind(kind), method=Method(method), offset=offset, stored_bytes=stored, raw_bytes=raw, digest=wanted)
        )
        offset += stored
    return tuple(sections)
