"""Which of the versions a receiver holds an update starts from: the same package's nearest one, because nearly everything in it is
alike even where no chunk is equal; then whatever holds more of the wanted bytes. Reads manifests only."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, VersionNumber
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ManifestEntry
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.parcels.head import MAX_BASES

CANDIDATES = 16
"""Versions looked at."""
SAMPLE = 1 << 16
"""So many chunks, and as many names, stand for all of them at most: which are taken hangs on what they are, so the same ones are
taken of every version."""
ALIKE = 0.5
"""What a file is taken to be worth of which only the name is held, as a share of its bytes."""
WORTH_SHARE = 0.01
"""A further base must bring so much of the whole; each one makes the update fit fewer receivers, and more work to make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version that both sides hold."""

    package: PackageId
    number: VersionNumber
    manifest: ManifestId


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseChoice:
    """What an update starts from, and about how much of it is new then."""

    bases: tuple[ManifestId, ...] = ()
    """Sorted by their ids, so that the same choice has one form."""
    bytes_new: int = 0
    """Bytes of chunks in none of them, reckoned from a sample."""


def by_nearness(package: PackageId, number: VersionNumber, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those of the wanted package first, the nearest version first, an older one before a newer; the others as they come."""
    own = [one for one in candidates if one.package == package]
    own.sort(key=lambda one: (abs(one.number - number), one.number > number))
    found: dict[ManifestId, Candidate] = {}
    for one in [*own, *(one for one in candidates if one.package != package)]:
        found.setdefault(one.manifest, one)
    return list(found.values())


def choose_bases(target: ManifestId, package: PackageId, candidates: Sequence[Candidate], store: ChunkStore) -> BaseChoice:
    """At most four bases of ``candidates``, which are ordered by :func:`by_nearness`. One that cannot be read is none.

    Memory: some 20 MB. Raises NotFoundError or IntegrityError if the target's manifest cannot be read.
    """
    wanted = Manifest.open(target, store.read)
    sample = _Sample(wanted)
    left = sample.everything()
    shares: list[tuple[Candidate, _Share]] = []
    for one in candidates[:CANDIDATES]:
        if one.manifest != target:
            try:
                shares.append((one, sample.share_of(Manifest.open(one.manifest, store.read))))
            except HaulageError:
                continue
    chosen: list[ManifestId] = []
    while shares and len(chosen) < MAX_BASES:
        nearest = not chosen and shares[0][0].package == package
        best = shares[0] if nearest else max(shares, key=lambda each: sample.worth(left, each[1]))
        if not nearest and sample.worth(left, best[1]) <= WORTH_SHARE * sample.size:
            break
        chosen.append(best[0].manifest)
        shares.remove(best)
        left = _Share(chunks=left.chunks - best[1].chunks, names=left.names - best[1].names)
    new = sum([sample.chunks[chunk] for chunk in left.chunks])
    share = new / sample.size if sample.size else 0.0
    return BaseChoice(bases=tuple(sorted(chosen)), bytes_new=round(share * wanted.totals.bytes_total))


@dataclass(slots=True)
class _Share:
    """What a version has of a sample."""

    chunks: set[ChunkId] = field(default_factory=set)
    names: set[bytes] = field(default_factory=set)

    def add(self, other: _Share) -> None:
        self.chunks |= other.chunks
        self.names |= other.names


class _Sample:
    """A share of the chunks and names of a target, chosen by what they are."""

    def __init__(self, target: Manifest) -> None:
        self._chunk_mask = _mask(target.totals.chunks)
        self._name_mask = _mask(target.totals.entries)
        self.chunks: dict[ChunkId, int] = {}
        """With their bytes."""
        self.names: dict[bytes, int] = {}
        """With the bytes of their contents."""
        self._pages: dict[ChunkId, _Share] = {}
        for index, page in enumerate(target.pages()):
            here = _Share()
            for entry in target.page(index):
                self._take(entry, target, here)
            self._pages[page.id] = here
        self.size = sum(self.chunks.values())
        self._named = sum(self.names.values()) or 1

    def _take(self, entry: ManifestEntry, target: Manifest, here: _Share) -> None:
        for length, chunk in _chunks(entry, target):
            if not int.from_bytes(chunk[:4]) & self._chunk_mask:
                self.chunks[chunk] = length
                here.chunks.add(chunk)
        if entry.content.size and not zlib.crc32(entry.path) & self._name_mask:
            self.names[entry.path] = entry.content.size
            here.names.add(entry.path)

    def everything(self) -> _Share:
        """All of it."""
        return _Share(chunks=set(self.chunks), names=set(self.names))

    def share_of(self, base: Manifest) -> _Share:
        """What of it a version has. A page that is the same in both is not read."""
        share = _Share()
        for index, page in enumerate(base.pages()):
            same = self._pages.get(page.id)
            if same is not None:
                share.add(same)
                continue
            for entry in base.page(index):
                share.chunks.update([chunk for _length, chunk in _chunks(entry, base) if chunk in self.chunks])
                if entry.path in self.names:
                    share.names.add(entry.path)
        return share

    def worth(self, left: _Share, share: _Share) -> float:
        """Bytes of the sample that a version spares if these are left: of equal chunks, and some of those whose names are held."""
        held = sum([self.chunks[chunk] for chunk in left.chunks & share.chunks])
        alike = sum([self.names[name] for name in left.names & share.names]) / self._named * self.size
        return max(float(held), ALIKE * min(alike, sum([self.chunks[chunk] for chunk in left.chunks])))


def _chunks(entry: ManifestEntry, manifest: Manifest) -> Iterator[tuple[int, ChunkId]]:
    for content in entry.contents():
        if content.size:
            yield from read_chunks(content, manifest.read)


def _mask(count: int) -> int:
    """Bits that must be zero so that about ``SAMPLE`` of ``count`` remain."""
    return (1 << max(0, (count // SAMPLE).bit_length())) - 1
