"""Writing one bundle: contents compressed as a stream, what is signed, the program beside it. Equal input makes equal bytes.

Memory is bounded whatever the contents' size: the compressor's 16 MiB dictionary, about 200 MiB in all (docs/fix-bundles.md).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import lzma
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from haulage.base import files
from haulage.base.errors import IntegrityError, UsageError
from haulage.engine.bundles.program_code import program_files
from haulage.engine.servicing import container, payload, statement, trusted
from haulage.engine.servicing.definition import FixDefinition, FixFile
from haulage.engine.servicing.statement import Statement
from haulage.engine.servicing.trusted import Signature
from haulage.engine.trust.keys import SigningKey

MOST_DICTIONARY_BYTES = 16 << 20
LEAST_DICTIONARY_BYTES = 64 << 10
PIECE_BYTES = 1 << 20
MODE = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A bundle that stands on the disk. ``digest`` is the fix by content, ``sha256`` the file."""

    path: str
    size_bytes: int
    sha256: str
    digest: str
    content_bytes: int
    plain_bytes: int
    signed_by: tuple[str, ...]


def write_bundle(
    definition: FixDefinition,
    sources: Mapping[str, str],
    path: str,
    keys: Sequence[SigningKey],
    *,
    expires: dt.datetime | None = None,
) -> Written:
    """Write the bundle of ``definition`` to ``path``, durably, in place of what is there. ``sources`` is a file for each SHA-256.

    Raises UsageError ``no-key``, IntegrityError ``source-changed``, DocumentError for a definition that no reader would take or
    beyond 4 GiB.
    """
    if not keys:
        raise UsageError("no-key", f"Nobody signs {definition.id}.", "Give --key FILE; haulage fix keys new makes one.")
    folder = os.path.dirname(os.path.abspath(path))
    with tempfile.TemporaryFile(dir=folder) as content:
        digests = _compress(definition, sources, content)
        code = {name: hashlib.sha256(data).hexdigest() for name, data in program_files().items()}
        said = Statement(definition, digests.sha256, digests.size_bytes, code, expires)
        document = statement.to_bytes(said)
        sha256 = _place(path, container.written(_members(document, keys, digests, content)))
    return Written(
        path=path,
        size_bytes=os.stat(path).st_size,
        sha256=sha256,
        digest=said.digest,
        content_bytes=digests.size_bytes,
        plain_bytes=statement.plain_size(definition),
        signed_by=tuple(key.public.id for key in keys),
    )


@dataclass(slots=True)
class _Digests:
    """What is known of the compressed stream after it was written."""

    crc: int = 0
    size_bytes: int = 0
    sha256: str = ""


def _compress(definition: FixDefinition, sources: Mapping[str, str], content: BinaryIO) -> _Digests:
    found, hasher = _Digests(), hashlib.sha256()
    compressor = lzma.LZMACompressor(
        format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=_filters(statement.plain_size(definition))
    )
    for piece in _compressed(compressor, definition, sources):
        hasher.update(piece)
        found.crc = zlib.crc32(piece, found.crc)
        found.size_bytes += len(piece)
        content.write(piece)
    found.sha256 = hasher.hexdigest()
    return found


def _compressed(compressor: lzma.LZMACompressor, definition: FixDefinition, sources: Mapping[str, str]) -> Iterator[bytes]:
    for file in statement.contents_of(definition):
        for piece in _source(file, sources):
            yield compressor.compress(piece)
    yield compressor.flush()


def _filters(plain_bytes: int) -> list[dict[str, int]]:
    """No more dictionary than there is to look back at: small bundles are opened with little memory."""
    dictionary = LEAST_DICTIONARY_BYTES
    while dictionary < min(plain_bytes, MOST_DICTIONARY_BYTES):
        dictionary *= 2
    return [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": dictionary}]


def _source(file: FixFile, sources: Mapping[str, str]) -> Iterator[bytes]:
    """The bytes of one content, which must still be what they were when the definition was made."""
    if file.sha256 not in sources:
        raise UsageError("no-content", f"There is no content for {file.path}.", "Give the folder that holds it.")
    hasher, size = hashlib.sha256(), 0
    with open(sources[file.sha256], "rb") as source:
        while piece := source.read(PIECE_BYTES):
            hasher.update(piece)
            size += len(piece)
            yield piece
    if (hasher.hexdigest(), size) != (file.sha256, file.size):
        raise IntegrityError(
            "source-changed", f"{sources[file.sha256]} changed while it was read.", "Build again when it is at rest."
        )


def _members(document: bytes, keys: Sequence[SigningKey], digests: _Digests, content: BinaryIO) -> Iterator[container.NewMember]:
    message = trusted.signed_bytes(document)
    signatures = [Signature(key.public.raw, key.sign(message)) for key in sorted(keys, key=lambda each: each.public.raw)]
    for name, data in program_files().items():
        yield container.member_of(name, data)
    yield container.member_of(payload.STATEMENT, document)
    yield container.member_of(payload.SIGNATURES, trusted.signatures_to_bytes(signatures))
    yield container.NewMember(payload.CONTENT, digests.size_bytes, digests.crc, _again(content))


def _again(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    while piece := content.read(PIECE_BYTES):
        yield piece


def _place(path: str, pieces: Iterable[bytes]) -> str:
    """New file, fsync, rename, fsync of the folder. Returns the SHA-256 of the bytes."""
    hasher = hashlib.sha256()
    unfinished = f"{path}.tmp"
    with contextlib.suppress(FileNotFoundError):
        files.unlink(unfinished)
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        try:
            for piece in pieces:
                hasher.update(piece)
                files.write_all(fd, piece)
            files.sync_file(fd)
        finally:
            os.close(fd)
        files.rename(unfinished, path)
    except BaseException:
        files.unlink(unfinished)
        raise
    files.sync_folder(os.path.dirname(os.path.abspath(path)))
    return hasher.hexdigest()
