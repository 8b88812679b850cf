"""Canonical JSON, strictly: one encoding per value, and nothing accepted that would not be encoded the same way again.

Canonical means UTF-8, no blanks, object keys in code point order, integers only, and escapes only where JSON demands them. Pure;
knows no document, only what all documents share: a format version and the names of fields a reader must not ignore.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec

from haulage.base.errors import FormatError
from haulage.engine.protocol.fields import INTEGER_MAX, Token

FORMAT_VERSION = 1
DOCUMENT_MAX_BYTES = 16 * 1024 * 1024
DEPTH_MAX = 32
UNKNOWN_MAX_BYTES = 256 * 1024
"""Of fields in one document that are not known here. Plain values take up to thirty times their text, so what is larger is first
held against its schema, which builds nothing of what is unknown."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A record inside a document. ``crit`` names fields a reader must know; it refuses the record otherwise (B37)."""

    crit: tuple[Token, ...] = ()


class Document(Body, frozen=True, kw_only=True):
    """A record that is signed and travels by itself."""

    PAYLOAD_TYPE: ClassVar[str] = ""

    v: int = FORMAT_VERSION


class _Front(msgspec.Struct):
    v: int = FORMAT_VERSION
    crit: list[str] = []


B = TypeVar("B", bound=Body)


def encode(record: Body) -> bytes:
    """The canonical bytes of a record. Raises FormatError ``bad-document`` if it breaks its own schema, so that a site never signs
    what others refuse."""
    data = canonical(record)
    decode(data, type(record))
    return data


def decode(data: bytes, kind: type[B], *, max_bytes: int = DOCUMENT_MAX_BYTES) -> B:
    """Read a record. Unknown optional fields are ignored here, so whoever relays a document relays its bytes.
    Raises FormatError: ``bad-document`` (not canonical, out of bounds, against the schema), ``format-too-new`` (B37)."""
    if UNKNOWN_MAX_BYTES < len(data) <= max_bytes:
        _check_shape(data, kind)
    return convert(parse(data, what=kind.__name__, max_bytes=max_bytes), kind)


def _check_shape(data: bytes, kind: type[Body]) -> None:
    """Refuse a large document that is not of its kind, or mostly of something else, before it becomes plain values."""
    try:
        _check_readable(msgspec.to_builtins(msgspec.json.decode(data, type=_Front)), kind)
        known = msgspec.json.encode(msgspec.json.decode(data, type=kind))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(kind.__name__, str(error)) from None
    if len(data) - len(known) > UNKNOWN_MAX_BYTES:
        raise _bad(kind.__name__, "too much of it is not known here")


def convert(raw: object, kind: type[B]) -> B:
    """Parsed JSON to a record, by its schema. Raises like :func:`decode`."""
    if isinstance(raw, dict):
        _check_readable(raw, kind)
    try:
        record = msgspec.convert(raw, kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _bad(kind.__name__, str(error)) from None
    if not _agrees(msgspec.to_builtins(record), raw):
        raise _bad(kind.__name__, "a field is not in its canonical form")
    return record


def builtins(record: Body) -> dict[str, Any]:
    """A record as plain JSON values, to be the state of a definition."""
    plain: dict[str, Any] = msgspec.json.decode(canonical(record))
    return plain


def canonical(value: object) -> bytes:
    """The canonical bytes of JSON values or a record. Raises FormatError ``bad-document`` for lone surrogates and foreign types."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except (UnicodeEncodeError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise _bad(type(value).__name__, str(error)) from None


def parse(data: bytes, *, what: str = "document", max_bytes: int = DOCUMENT_MAX_BYTES, max_depth: int = DEPTH_MAX) -> object:
    """Canonical JSON to plain values. Refuses duplicate keys, floats, NaN, byte order marks, deep nesting and every other spelling
    but the canonical one (B27 to B30) with FormatError ``bad-document``."""
    if len(data) > max_bytes:
        raise _bad(what, f"{len(data)} bytes are more than the {max_bytes} allowed")
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(what, str(error)) from None
    _check_values(value, what, max_depth)
    if canonical(value) != data:
        raise _bad(what, "it is not in canonical form")
    return value


def _check_values(value: object, what: str, depth_left: int) -> None:
    """Only integers in range, and nesting within bounds. Recursion is bounded by ``depth_left``."""
    if isinstance(value, float):
        raise _bad(what, "it holds a number that is not an integer")
    if isinstance(value, int):
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise _bad(what, "it holds a number out of range")
    elif isinstance(value, dict | list):
        if depth_left <= 0:
            raise _bad(what, "it is nested too deeply")
        for item in value.values() if isinstance(value, dict) else value:
            _check_values(item, what, depth_left - 1)


def _check_readable(raw: dict[Any, Any], kind: type[Body]) -> None:
    version, crit = raw.get("v", FORMAT_VERSION), raw.get("crit", [])
    if issubclass(kind, Document) and isinstance(version, int) and version > FORMAT_VERSION:
        raise too_new(f"This {kind.__name__} has format {version}; formats up to {FORMAT_VERSION} are understood.")
    unknown = [name for name in crit if name not in kind.__struct_encode_fields__] if isinstance(crit, list) else []
    if unknown:
        raise too_new(f"This {kind.__name__} demands that its field {str(unknown[0])[:100]!r} is understood; it is not known here.")


def _agrees(known: object, raw: object) -> bool:
    """Whether every value that was understood stands in the source in the very same form (base64 has several)."""
    if isinstance(known, dict) and isinstance(raw, dict):
        return all(_agrees(value, raw[name]) for name, value in known.items() if name in raw)
    if isinstance(known, list | tuple) and isinstance(raw, list):
        return len(known) == len(raw) and all(map(_agrees, known, raw))
    return known == raw


def too_new(sentence: str) -> FormatError:
    """The error for what a newer Haulage made."""
    return FormatError("format-too-new", sentence, "Update Haulage at this site: the sender uses a newer version.")


def _bad(what: str, cause: str) -> FormatError:
    return FormatError(
        "bad-document", f"A {what} breaks the rules of its format: {cause[:300]}.", "It was refused whole; nothing of it was used."
    )
