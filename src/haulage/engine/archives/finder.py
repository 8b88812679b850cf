"""Which kind of container bytes are, by what they begin and end with, and the streams in it; into containers that lie in others
uncompressed, a few deep. Knows no codec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from haulage.engine.archives.ar_file import MAGIC as AR
from haulage.engine.archives.ar_file import ar_members
from haulage.engine.archives.bzip2_file import MAGIC as BZIP2
from haulage.engine.archives.bzip2_file import bzip2_streams
from haulage.engine.archives.found import Bounds, Found, Inside
from haulage.engine.archives.gzip_file import MAGIC as GZIP
from haulage.engine.archives.gzip_file import gzip_streams
from haulage.engine.archives.tar_file import MAGIC as TAR
from haulage.engine.archives.tar_file import MAGIC_AT, tar_files
from haulage.engine.archives.view import PartView, View
from haulage.engine.archives.xz_file import MAGIC as XZ
from haulage.engine.archives.xz_file import xz_streams
from haulage.engine.archives.zip_file import LOCAL as ZIP
from haulage.engine.archives.zip_file import has_end, zip_streams

Finder = Callable[[View, Bounds], Iterator[Found | Inside] | Iterator[Found] | Iterator[Inside]]

_MAGICS: tuple[tuple[bytes, Finder], ...] = (
    (ZIP, zip_streams),
    (GZIP, gzip_streams),
    (XZ, xz_streams),
    (BZIP2, bzip2_streams),
    (AR, ar_members),
)
_DEEPEST = 3


def streams(view: View, name: bytes, bounds: Bounds, *, depth: int = 0) -> Iterator[Found]:
    """The streams that the view's tables speak of, in any order, true or not."""
    finder = _finder(view)
    if finder is None:
        return
    for each in finder(view, bounds):
        if isinstance(each, Found):
            yield each
        elif depth < _DEEPEST and each.end - each.offset >= bounds.least_stored_bytes:
            inner = PartView(view, each.offset, each.end - each.offset)
            for found in streams(inner, name, bounds, depth=depth + 1):
                yield replace(found, offset=found.offset + each.offset, end=found.end + each.offset)


def _finder(view: View) -> Finder | None:
    head = view.read(0, 16)
    for magic, finder in _MAGICS:
        if head.startswith(magic):
            return finder
    if view.read(MAGIC_AT, len(TAR)) == TAR:
        return tar_files
    return zip_streams if has_end(view) else None
