"""What the maker of a bundle signs: the definition, what content comes with it, which program code stands beside it. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from haulage.engine.servicing import document, strict_json, trusted
from haulage.engine.servicing.definition import FixDefinition, FixFile
from haulage.engine.servicing.document import SHA256
from haulage.engine.servicing.strict_json import Fields, bad

FORMAT = 1
MOST_BYTES = 34 << 20
MOST_CONTENT_BYTES = 1 << 42
MOST_CODE_FILES = 200


@dataclass(frozen=True)
class Statement:
    """``content_sha256`` and ``content_size`` are of the compressed stream; ``code`` is SHA-256 by name of every program file in
    the bundle; after ``expires`` it installs nothing any more."""

    definition: FixDefinition
    content_sha256: str
    content_size: int
    code: Mapping[str, str] = field(default_factory=dict)
    expires: dt.datetime | None = None

    @property
    def digest(self) -> str:
        """What the fix is called by content: SHA-256 of its definition, whoever signed and however it is compressed (B94)."""
        return hashlib.sha256(document.to_bytes(self.definition)).hexdigest()


def contents_of(definition: FixDefinition) -> tuple[FixFile, ...]:
    """The files whose contents stand in the stream, in its order: each content once, where it is named first."""
    first: dict[str, FixFile] = {}
    for file in definition.files:
        if file.carried:
            first.setdefault(file.sha256, file)
    return tuple(first.values())


def plain_size(definition: FixDefinition) -> int:
    """Bytes of the stream when it is decompressed: known before, so it can grow no further (Q287990)."""
    return sum(file.size for file in contents_of(definition))


def to_bytes(statement: Statement) -> bytes:
    """The member ``fix/statement.json``."""
    value: dict[str, Any] = {
        "format": FORMAT,
        "definition": strict_json.decoded(document.to_bytes(statement.definition), "fix", most_bytes=document.MOST_BYTES),
        "content": {"sha256": statement.content_sha256, "size": statement.content_size},
        "code": dict(statement.code),
        "expires": None if statement.expires is None else trusted.written_time(statement.expires),
    }
    return strict_json.encoded(value)


def from_bytes(data: bytes) -> Statement:
    """Raises DocumentError ``bad-document``."""
    fields = Fields(strict_json.decoded(data, "statement", most_bytes=MOST_BYTES), "statement")
    if fields.integer("format", most=1 << 31) != FORMAT:
        raise bad("statement.format", f"this reader knows format {FORMAT} only")
    content = fields.object("content")
    expires = fields.text_or_none("expires", most=20)
    statement = Statement(
        definition=document.from_value(fields.take("definition")),
        content_sha256=content.text("sha256", most=64, pattern=SHA256),
        content_size=content.integer("size", most=MOST_CONTENT_BYTES),
        code=_code(fields),
        expires=None if expires is None else trusted.parsed_time(expires, "statement.expires"),
    )
    content.done()
    fields.done()
    _check_sizes(statement.definition)
    return statement


def _code(fields: Fields) -> dict[str, str]:
    found = {}
    for name, value in fields.mapping("code", most=MOST_CODE_FILES).items():
        found[name] = strict_json.checked_text(value, f"{fields.at('code')}.{name[:60]}", most=64, pattern=SHA256)
    return found


def _check_sizes(definition: FixDefinition) -> None:
    """One content has one size, or the end of a file in the stream could not be told."""
    sizes: dict[str, int] = {}
    for file in definition.files:
        if file.carried and sizes.setdefault(file.sha256, file.size) != file.size:
            raise bad("statement.definition.files", f"{file.path[:80]!r} has another size than its content elsewhere")
    if plain_size(definition) > MOST_CONTENT_BYTES:
        raise bad("statement.definition.files", "are too large together")
