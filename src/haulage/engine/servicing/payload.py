"""A bundle's parts read and proved: who signed what, and every content's hash and size, before one byte of it is written anywhere.

Knows no product and no step. Contents: one LZMA stream (.xz) of all contents one after another, each once (docs/fix-bundles.md).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import lzma
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import BinaryIO

from haulage.engine.servicing import statement, trusted
from haulage.engine.servicing.container import Container, damaged
from haulage.engine.servicing.definition import FixDefinition, FixFile
from haulage.engine.servicing.statement import Statement
from haulage.engine.servicing.trusted import TrustedKey

STATEMENT = "fix/statement.json"
SIGNATURES = "fix/signatures.json"
CONTENT = "fix/content.xz"
CODE = ("__main__.py", "haulage/")
"""How the names of program files begin."""
MOST_CODE_BYTES = 4 << 20
DECODER_BYTES = 80 << 20
"""Memory the decoder may take; the builder stays far below it."""
PIECE_BYTES = 1 << 20


class Payload:
    """An open bundle. Its statement is read when it is opened; nothing else is believed before it was asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._container = Container(file)
        self._statement_bytes = self._container.read(STATEMENT, statement.MOST_BYTES)
        self.statement: Statement = statement.from_bytes(self._statement_bytes)
        self._check_names()

    @property
    def definition(self) -> FixDefinition:
        """The fix; to be trusted after :meth:`check_signed` only."""
        return self.statement.definition

    @property
    def digest(self) -> str:
        """SHA-256 of the definition: the same fix, whoever built the file."""
        return self.statement.digest

    def signers(self) -> tuple[bytes, ...]:
        """Keys whose signature over the statement is right; none of them need be trusted."""
        signatures = trusted.signatures_from_bytes(self._container.read(SIGNATURES, trusted.MOST_BYTES))
        return trusted.signers(self._statement_bytes, signatures)

    def check_signed(self, keys: Iterable[TrustedKey], roles: Iterable[str], now: dt.datetime) -> tuple[TrustedKey, ...]:
        """Who is answerable. Raises RefusedError ``unsigned``, ``not-trusted``, ``wrong-role``, ``expired`` (B90)."""
        found = trusted.authorised(self.signers(), keys, roles, now)
        trusted.check_not_expired(self.statement.expires, now)
        return found

    def check_content(self) -> None:
        """Read the whole stream, compare every hash and size, write nothing (Q287990). Raises DocumentError ``damaged-bundle``."""
        hasher = hashlib.sha256()
        size = 0
        for piece in self._container.pieces(CONTENT):
            hasher.update(piece)
            size += len(piece)
        if (hasher.hexdigest(), size) != (self.statement.content_sha256, self.statement.content_size):
            raise damaged("its content is not what was signed")
        for _, pieces in self.contents({file.sha256 for file in statement.contents_of(self.definition)}):
            for _piece in pieces:
                pass

    def check_code(self) -> None:
        """Compare the program files with what was signed. Raises DocumentError ``damaged-bundle``."""
        for name in self._container.members:
            if name.startswith(CODE):
                found = hashlib.sha256(self._container.read(name, MOST_CODE_BYTES)).hexdigest()
                if self.statement.code.get(name) != found:
                    raise damaged(f"{name} is not what was signed")

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Each wanted SHA-256 with its bytes, in the order of the stream; pieces must be read before the next is asked for. A
        content is checked when its last piece has been taken; at the end of the last the stream must end too.

        Raises DocumentError ``damaged-bundle``.
        """
        left = set(wanted)
        stream = _Stream(self._container.pieces(CONTENT))
        for file in statement.contents_of(self.definition):
            pieces = stream.file(file)
            if file.sha256 in left:
                left.discard(file.sha256)
                yield file.sha256, pieces
            for _piece in pieces:
                pass
        stream.end()

    def _check_names(self) -> None:
        named = set(self._container.members)
        wanted = {STATEMENT, SIGNATURES, CONTENT, *self.statement.code}
        if named != wanted:
            raise damaged(f"{min(named ^ wanted)[:60]} is missing or too many")
        if not all(name.startswith(CODE) for name in self.statement.code):
            raise damaged("it counts something as program code that is none")


class _Stream:
    """The decompressed stream, taken only as far as files are known to reach, from a decoder with bounded memory."""

    def __init__(self, compressed: Iterator[bytes]) -> None:
        self._compressed = compressed
        self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=DECODER_BYTES)

    def file(self, file: FixFile) -> Iterator[bytes]:
        """The next ``file.size`` bytes, checked against its hash at the end."""
        hasher, left = hashlib.sha256(), file.size
        while left:
            piece = self._next(min(left, PIECE_BYTES))
            hasher.update(piece)
            left -= len(piece)
            yield piece
        if hasher.hexdigest() != file.sha256:
            raise damaged(f"the content of {file.path} does not have its hash")

    def end(self) -> None:
        """The stream must have ended where the last content does."""
        while not self._decoder.eof:
            if self._decode(1):
                raise damaged("its content holds more than its files")
        if self._decoder.unused_data or next(self._compressed, b""):
            raise damaged("bytes lie behind its content")

    def _next(self, most: int) -> bytes:
        while True:
            piece = self._decode(most)
            if piece:
                return piece
            if self._decoder.eof:
                raise damaged("its content ends early")

    def _decode(self, most: int) -> bytes:
        data = b""
        if self._decoder.needs_input:
            data = next(self._compressed, b"")
            if not data:
                raise damaged("its content ends early")
        try:
            return self._decoder.decompress(data, most)
        except (lzma.LZMAError, MemoryError, EOFError):
            raise damaged("its content cannot be decompressed") from None


def roles_for(definition: FixDefinition, protected: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What the signers must be trusted for: fixes, and each role that a product asks for files below some path (B96)."""
    asked = [trusted.FIX_ROLE]
    for prefix, role in protected:
        folder = prefix.rstrip("/").casefold() + "/"
        if any((file.path.casefold() + "/").startswith(folder) for file in definition.files):
            asked.append(role)
    return tuple(dict.fromkeys(asked))
