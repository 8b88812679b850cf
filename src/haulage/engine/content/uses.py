"""Where a version uses given chunks: as a page, as a list of chunks, or as bytes of a file, stream or attribute. What cannot be
read of the manifest is stepped over. Knows the store by a function that reads."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from haulage.base.errors import FormatError, IntegrityError, NotFoundError
from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkId, ManifestId

LIST_OF_CONTENTS = "list of contents"
CONTENT = "content"
STREAM = "stream"
ATTRIBUTE = "attribute"
_TROUBLE = (NotFoundError, IntegrityError, FormatError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place in a version where a chunk stands."""

    chunk: ChunkId
    what: str
    path: bytes = b""
    stream: bytes | None = None
    offset: int = 0
    """In the content or stream."""
    length: int = 0


def uses(manifest_id: ManifestId, wanted: Container[bytes], read: Callable[[ChunkId], bytes]) -> Iterator[Use]:
    """Every place, in the manifest's order. A page or list that is wanted and unreadable hides what it names: once it is back, ask
    again."""
    if manifest_id in wanted:
        yield Use(chunk=ChunkId(manifest_id), what=LIST_OF_CONTENTS)
    try:
        manifest = Manifest.open(manifest_id, read)
        pages = manifest.pages()
    except _TROUBLE:
        return
    for index, page in enumerate(pages):
        if page.id in wanted:
            yield Use(chunk=page.id, what=LIST_OF_CONTENTS)
        try:
            entries = manifest.page(index)
        except _TROUBLE:
            continue
        for entry in entries:
            yield from _in_entry(entry, wanted, read)


def _in_entry(entry: ManifestEntry, wanted: Container[bytes], read: Callable[[ChunkId], bytes]) -> Iterator[Use]:
    yield from _in_content(entry.path, CONTENT, None, entry.content, wanted, read)
    for stream in entry.streams:
        yield from _in_content(entry.path, STREAM, stream.name, stream.content, wanted, read)
    values = [value for _name, value in entry.attributes] + [value for _dialect, value in entry.acls]
    for value in values:
        if isinstance(value, ContentRef):
            yield from _in_content(entry.path, ATTRIBUTE, None, value, wanted, read)


def _in_content(
    path: bytes,
    what: str,
    stream: bytes | None,
    content: ContentRef,
    wanted: Container[bytes],
    read: Callable[[ChunkId], bytes],
) -> Iterator[Use]:
    for _size, _count, chunk in list_rows(content):
        if chunk in wanted:
            yield Use(chunk=chunk, what=LIST_OF_CONTENTS, path=path, stream=stream)
    offset = 0
    try:
        for length, chunk in read_chunks(content, read):
            if chunk in wanted:
                yield Use(chunk=chunk, what=what, path=path, stream=stream, offset=offset, length=length)
            offset += length
    except _TROUBLE:
        return
