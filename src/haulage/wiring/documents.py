"""The signed documents that lie beside a version on a point, so that whoever reads the point can check it from the root alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from haulage.base.ids import PackageId, VersionNumber, owner_of
from haulage.domain.replication.records import find_definition
from haulage.domain.transit import records as transit
from haulage.engine.content.content_list import list_rows
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Kind

PAGES = "manifest/"


class VersionDocuments(Mapping[str, bytes]):
    """File names to bytes; manifest pages are read one by one, when they are asked for."""

    def __init__(self, signed: Mapping[str, bytes], pages: tuple[ChunkId, ...], store: ChunkStore) -> None:
        self._signed = dict(signed)
        self._pages = {PAGES + page.hex(): page for page in dict.fromkeys(pages)}
        self._store = store

    def __getitem__(self, name: str) -> bytes:
        return self._signed[name] if name in self._signed else self._store.read(self._pages[name])

    def __iter__(self) -> Iterator[str]:
        yield from self._signed
        yield from self._pages

    def __len__(self) -> int:
        return len(self._signed) + len(self._pages)


class Documents:
    """Gathers them for a version this site holds."""

    def __init__(self, store: ChunkStore, root: bytes) -> None:
        self._store = store
        self._root = root

    def __call__(self, tx: Transaction, package: PackageId, version: VersionNumber) -> Mapping[str, bytes]:
        """``root.json``, the site definition of the owner, package, version, and the manifest's pages."""
        owner = owner_of(package)
        wanted = {
            f"site-{owner}.json": (Kind.SITE, str(owner)),
            "package.json": (Kind.PACKAGE, str(package)),
            "version.json": (Kind.VERSION, f"{package}:{version}"),
        }
        signed = {"root.json": self._root}
        for name, (kind, object_id) in wanted.items():
            stored = find_definition(tx, kind, object_id)
            if stored is not None:
                signed[name] = stored.document
        manifest_id = transit.held_versions(tx, package).get(version)
        if manifest_id is None:
            return signed
        return VersionDocuments(signed, tuple(self._structure(ManifestId(manifest_id))), self._store)

    def _structure(self, manifest_id: ManifestId) -> Iterator[ChunkId]:
        """Everything of a manifest but contents: root page, pages, and the chunk lists of large contents."""
        manifest = Manifest.open(manifest_id, self._store.read)
        yield ChunkId(manifest_id)
        for index, page in enumerate(manifest.pages()):
            yield page.id
            for entry in manifest.page(index):
                for content in entry.contents():
                    yield from (chunk for _size, _count, chunk in list_rows(content))
