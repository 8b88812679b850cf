"""Getting a version out: written beside nothing else, read back, and compared byte by byte."""

from __future__ import annotations

import contextlib
from itertools import islice

from haulage.base.errors import IntegrityError
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ChunkStore, ManifestId
from haulage.engine.content.restore import restore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.wiring.points import LocalPoints

THREADS = 2


class Extractor:
    """Writes trees into empty folders that lie apart from everything Haulage owns."""

    def __init__(self, store: ChunkStore, points: LocalPoints) -> None:
        self._store = store
        self._points = points

    def __call__(self, manifest_id: ManifestId, target: str) -> dict[str, object]:
        """The figures of what was written. Raises ConflictError ``target-overlaps``, ``staging-not-empty``; IntegrityError
        ``extract-differs`` if the folder does not give back what was written."""
        self._points.refuse_target(target)
        manifest = Manifest.open(manifest_id, self._store.read)
        report = restore(manifest, self._store, LocalWriter(target), threads=THREADS)
        with contextlib.closing(LocalReader(target)) as reader:
            differences = list(islice(verify_tree(manifest, reader, threads=THREADS), 1))
        if differences:
            first = differences[0]
            raise IntegrityError(
                "extract-differs",
                f"{target} does not give back what was written: {first.what} of {first.path!r}.",
                "Look at the file system of that folder.",
            )
        totals = manifest.totals
        return {
            "files": totals.files,
            "folders": totals.folders,
            "streams": totals.streams,
            "bytes": report.bytes_total,
            "sidecar": len(report.omissions),
            "verified": True,
        }
