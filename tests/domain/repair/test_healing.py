"""A site whose store was damaged gets exactly the damaged chunks from whoever holds the right bytes, and says what is left."""

from __future__ import annotations

import pytest

from haulage.base.errors import IntegrityError, NotFoundError
from haulage.base.ids import PackageId, VersionNumber
from haulage.domain.repair.healing import HealReport
from haulage.domain.transit import records as transit
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.content.verify import verify_tree
from haulage.engine.protocol.asks import ChunkWant
from haulage.engine.status import on_server
from haulage.engine.trees.memory import MemoryReader
from haulage.testing.memory_point import MemoryPoint
from tests.domain.worlds import CHAIN, CHI, HQ1, LA1, ONE, Lab, lab


def store_of(sites: Lab, code: object) -> MemoryStore:
    store = sites.core(code).parts.store  # type: ignore[arg-type]
    assert isinstance(store, MemoryStore)
    return store


def manifest_of(sites: Lab, code: object, package: PackageId) -> ManifestId:
    with sites.core(code).database.reading() as tx:  # type: ignore[arg-type]
        return ManifestId(next(iter(transit.held_versions(tx, package).values())))


def chunks_of(sites: Lab, code: object, package: PackageId) -> list[ChunkId]:
    return list(dict.fromkeys(live_chunks(manifest_of(sites, code, package), store_of(sites, code))))


def damage(sites: Lab, code: object, chunks: list[ChunkId]) -> None:
    """Flip a bit of each; nobody knows yet."""
    store = store_of(sites, code)
    for chunk in chunks:
        data = bytearray(store.chunks[chunk])
        data[len(data) // 2] ^= 1
        store.chunks[chunk] = bytes(data)


def check(sites: Lab, code: object) -> int:
    return len(store_of(sites, code).check().damages)


def heal(sites: Lab, code: object) -> HealReport:
    return sites.core(code).healer.heal()  # type: ignore[arg-type]


def published(sites: Lab, *places: str) -> PackageId:
    package = sites.package(*places)
    sites.publish(package)
    sites.settle()
    return package


def test_i15_each_chunk_is_healed_from_the_parent() -> None:
    with lab(CHAIN) as sites:
        package = published(sites, "LA1")
        for chunk in chunks_of(sites, CHI, package):
            damage(sites, CHI, [chunk])
            assert check(sites, CHI) == 1
            report = heal(sites, CHI)
            assert report.healed == {"site HQ1": 1}
            assert report.left == ()
            assert check(sites, CHI) == 0
        assert [said.fields["other"] for said in sites.said(CHI, on_server.STORE_HEALED.number)][:1] == ["site HQ1"]


def test_everything_damaged_at_once_is_healed() -> None:
    """Pages hide what they name: healing goes on until nothing is hidden any more."""
    with lab(CHAIN) as sites:
        package = published(sites, "LA1")
        chunks = chunks_of(sites, CHI, package)
        damage(sites, CHI, chunks)
        assert check(sites, CHI) == len(chunks)
        report = heal(sites, CHI)
        assert report.healed == {"site HQ1": len(chunks)}
        assert (report.left, check(sites, CHI)) == ((), 0)


def test_b17_the_central_site_is_healed_by_a_child() -> None:
    """Nothing is above it; any site that holds a good copy is a source of repair."""
    with lab(CHAIN) as sites:
        package = published(sites, "LA1")
        sites.world.sources.trees.clear()
        chunks = chunks_of(sites, HQ1, package)
        damage(sites, HQ1, chunks)
        check(sites, HQ1)
        report = heal(sites, HQ1)
        assert report.asked == (CHI,)
        assert [(lack.package, lack.version) for lack in report.left] == [(package, 1)]
        remains = sites.said(HQ1, on_server.STORE_DAMAGE_REMAINS.number)
        assert [said.fields["versions"] for said in remains] == [f"{package}:1"]
        for _turn in range(10):  # pages first, then what they name
            sites.settle()
            sites.core(CHI).lender.help_parent()
            if not heal(sites, HQ1).left:
                break
        assert check(sites, HQ1) == 0
        assert not sites.core(HQ1).healer.lacks
        assert {said.fields["other"] for said in sites.said(HQ1, on_server.STORE_HEALED.number)} == {"site CHI"}


def test_content_and_pages_are_healed_from_a_point_and_its_documents() -> None:
    with lab(ONE) as sites:
        sites.point("HQ1/SHOP")
        package = published(sites, "HQ1/SHOP")
        sites.world.sources.trees.clear()
        backend = sites.world.points["folder:/HQ1/SHOP"]
        assert isinstance(backend, MemoryPoint)
        # The simulation publishes no documents: they are what wiring's documents would be.
        chunks = chunks_of(sites, HQ1, package)
        backend.documents[package, VersionNumber(1)] = {
            f"manifest/{chunk.hex()}": store_of(sites, HQ1).chunks[chunk] for chunk in chunks
        }
        damage(sites, HQ1, chunks)
        check(sites, HQ1)
        assert heal(sites, HQ1).healed == {"point HQ1/SHOP": len(chunks)}
        assert check(sites, HQ1) == 0


def test_contents_are_healed_from_the_source_while_it_is_the_same() -> None:
    with lab(ONE) as sites:
        package = published(sites)
        manifest = Manifest.open(manifest_of(sites, HQ1, package), store_of(sites, HQ1).read)
        pages = {ChunkId(manifest.ref.id), *(page.id for page in manifest.pages())}
        contents = [chunk for chunk in chunks_of(sites, HQ1, package) if chunk not in pages]
        damage(sites, HQ1, contents)
        check(sites, HQ1)
        assert heal(sites, HQ1).healed == {"the source memory:demo": len(contents)}
        assert check(sites, HQ1) == 0
        assert not list(verify_tree(manifest, MemoryReader(sites.world.sources.trees["memory:demo"])))


def test_a_source_that_has_changed_is_not_believed() -> None:
    with lab(ONE) as sites:
        package = published(sites)
        manifest = Manifest.open(manifest_of(sites, HQ1, package), store_of(sites, HQ1).read)
        entry = manifest.lookup(b"d/file")
        assert entry is not None
        damaged = [ChunkId(entry.content.chunks[-32:])]
        damage(sites, HQ1, damaged)
        check(sites, HQ1)
        sites.source(b"second")
        report = heal(sites, HQ1)
        assert report.healed == {}
        (lack,) = report.left
        assert lack.paths == ("d/file",)
        assert lack.chunks == tuple(damaged)
        with pytest.raises(IntegrityError, match="damaged"):
            store_of(sites, HQ1).read(damaged[0])


def test_what_remains_is_said_once() -> None:
    with lab(ONE) as sites:
        package = published(sites)
        sites.world.sources.trees.clear()
        damage(sites, HQ1, chunks_of(sites, HQ1, package)[-1:])
        check(sites, HQ1)
        for _again in range(3):
            assert heal(sites, HQ1).left
        assert len(sites.said(HQ1, on_server.STORE_DAMAGE_REMAINS.number)) == 1


def test_a_parent_damaged_in_the_same_place_gives_nothing_wrong() -> None:
    with lab(CHAIN) as sites:
        package = published(sites, "LA1")
        some = chunks_of(sites, LA1, package)[-1:]
        for code in (CHI, LA1):
            damage(sites, code, some)
            check(sites, code)
        assert heal(sites, LA1).left
        assert heal(sites, CHI).healed == {"site HQ1": 1}
        assert heal(sites, LA1).healed == {"site CHI": 1}


def test_b71_a_child_gets_chunks_only_of_what_is_meant_for_it() -> None:
    with lab(CHAIN) as sites:
        package = published(sites, "CHI")
        chunks = chunks_of(sites, HQ1, package)
        manifest = manifest_of(sites, HQ1, package).hex()
        lender = sites.core(HQ1).lender

        def want(**changes: object) -> ChunkWant:
            facts = {"package": package, "version": 1, "target": manifest, "chunks": (chunks[-1].hex(),)} | changes
            return ChunkWant(**facts)  # type: ignore[arg-type]

        assert lender.lend(CHI, want()) == [store_of(sites, HQ1).chunks[chunks[-1]]]
        with pytest.raises(NotFoundError, match="not assigned"):
            lender.lend(LA1, want())
        with pytest.raises(NotFoundError, match="not held"):
            lender.lend(CHI, want(target="ab" * 32))
        with pytest.raises(NotFoundError, match="not held"):
            lender.lend(CHI, want(version=9))
        other = published(sites)  # held at HQ1, meant for nobody else
        sites.source(b"secret")
        sites.publish(other)
        sites.settle()
        secret = [chunk for chunk in chunks_of(sites, HQ1, other) if chunk not in chunks]
        assert secret
        assert lender.lend(CHI, want(chunks=tuple(chunk.hex() for chunk in secret))) == []


def test_what_was_not_asked_for_is_not_kept() -> None:
    with lab(CHAIN) as sites:
        published(sites, "LA1")
        before = dict(store_of(sites, HQ1).chunks)
        assert sites.core(HQ1).healer.accept(CHI, [b"anything"]) == 0
        assert store_of(sites, HQ1).chunks == before


def test_nothing_is_done_where_nothing_is_wrong() -> None:
    with lab(CHAIN) as sites:
        published(sites, "LA1")
        asked = sites.world.network.requests
        report = heal(sites, CHI)
        assert (report.healed, report.left, report.mended, report.asked) == ({}, (), None, ())
        assert sites.world.network.requests == asked
        assert not sites.core(CHI).healer.wanted


def test_a_damaged_chunk_that_no_version_needs_is_not_asked_for() -> None:
    with lab(CHAIN) as sites:
        published(sites, "LA1")
        store = store_of(sites, CHI)
        stray = ChunkId(b"\1" * 32)
        store.chunks[stray] = b"nobody's"
        assert check(sites, CHI) == 1
        report = heal(sites, CHI)
        assert (report.healed, report.left) == ({}, ())
