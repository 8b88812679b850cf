"""Canonical MessagePack: every value has exactly one encoding, and what is not that encoding is refused.

No floats, no extension types, no nil keys; map keys are text in byte order; integers, lengths and headers in their shortest form.
Knows no document; bounds on bytes and depth hold for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from haulage.base.errors import FormatError

Value: TypeAlias = "bool | int | bytes | str | list[Value] | dict[str, Value] | None"

MAX_DEPTH = 16
SMALL_BYTES = 256 * 1024
"""Values take up to 64 times their encoding in memory, so larger documents are first held against their shape."""
AGAIN = "Get it again from a trusted site."
"""The hint for documents that no honest writer made."""

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_DECODER = msgspec.msgpack.Decoder()


def encode(value: object) -> bytes:
    """The one encoding of a value. Raises FormatError ``not-canonical`` for values that have none."""
    try:
        _refuse_foreign(value, 0)
        return _ENCODER.encode(value)
    except (TypeError, UnicodeEncodeError, OverflowError, msgspec.EncodeError) as error:
        raise _refusal("document", str(error)) from error


def decode(data: bytes | memoryview, *, max_bytes: int, what: str, shape: msgspec.msgpack.Decoder[Any] | None = None) -> Value:
    """The value of a canonical encoding. ``what`` names the document in errors; ``shape`` decodes what is known of it, and nothing
    else: with it a large document costs no more memory than an honest one.

    Raises FormatError ``too-large``, or ``not-canonical`` for anything an honest writer would have written differently: floats,
    repeated or unsorted keys, long forms, trailing bytes, broken text, deep nesting.
    """
    if len(data) > max_bytes:
        raise FormatError(
            "too-large", f"A {what} of {len(data)} bytes is over the limit of {max_bytes}.", "Get it again from a trusted site."
        )
    if shape is not None and len(data) > SMALL_BYTES:
        _check_shape(data, shape, what)
    try:
        value = _DECODER.decode(data)
        _refuse_foreign(value, 0)
        same = _ENCODER.encode(value) == data
    except RecursionError:
        raise _refusal(what, "it is nested too deeply") from None
    except (msgspec.DecodeError, TypeError, UnicodeError, ValueError, OverflowError) as error:
        raise _refusal(what, str(error)) from error
    if not same:
        raise _refusal(what, "it is not in canonical form")
    checked: Value = value
    return checked


def _check_shape(data: bytes | memoryview, shape: msgspec.msgpack.Decoder[Any], what: str) -> None:
    try:
        known = _ENCODER.encode(shape.decode(data))
    except RecursionError:
        raise _refusal(what, "it is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
        raise _refusal(what, str(error)) from error
    if len(data) - len(known) > SMALL_BYTES:
        raise FormatError("too-large", f"Most of a {what} of {len(data)} bytes is not known here.", AGAIN)


def _refuse_foreign(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TypeError("it is nested too deeply")
    if value is None or isinstance(value, (bool, int, bytes, str)):
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            _refuse_foreign(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError("a key is not text")
            _refuse_foreign(item, depth + 1)
    else:
        raise TypeError(f"it holds a {type(value).__name__}")


def _refusal(what: str, why: str) -> FormatError:
    return FormatError("not-canonical", f"A {what} breaks the canonical encoding: {why}.", AGAIN)


def document(value: Value, *, kind: str, newest: int, critical: frozenset[str]) -> dict[str, Value]:
    """The fields of a versioned document: a map with ``kind``, ``format`` and the names in ``crit`` that a reader must know.

    Raises FormatError ``wrong-kind``, and ``format-too-new`` when a newer Haulage is needed (unknown critical field or version).
    """
    if not isinstance(value, dict) or value.get("kind") != kind:
        raise FormatError("wrong-kind", f"This is not a {kind}.", "Check what was given.")
    number = take_int(value, "format", kind)
    if number < 1:
        raise FormatError("bad-field", f"A {kind} has format {number}.", AGAIN)
    names = take_list(value, "crit", kind, default=[])
    if not all(isinstance(name, str) for name in names):
        raise bad_field(kind, "crit")
    unknown = [str(name) for name in names if name not in critical]
    if number > newest or unknown:
        reason = f"uses {', '.join(unknown)[:200]}" if unknown else f"has format {number}; this Haulage reads up to {newest}"
        raise FormatError("format-too-new", f"A {kind} needs a newer Haulage: it {reason}.", "Upgrade Haulage at this site.")
    return value


def take_int(fields: Mapping[str, Value], name: str, what: str, *, most: int = 2**63 - 1) -> int:
    """A whole number from 0 to ``most``."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise bad_field(what, name)
    return value


def take_bytes(fields: Mapping[str, Value], name: str, what: str, *, length: int | None = None) -> bytes:
    """Bytes, of exactly ``length`` if given."""
    value = fields.get(name)
    if not isinstance(value, bytes) or (length is not None and len(value) != length):
        raise bad_field(what, name)
    return value


def take_list(fields: Mapping[str, Value], name: str, what: str, *, default: list[Value] | None = None) -> list[Value]:
    """A list; ``default`` if the field is absent."""
    value = fields.get(name, default)
    if not isinstance(value, list):
        raise bad_field(what, name)
    return value


def bad_field(what: str, name: str) -> FormatError:
    """A field is absent, of the wrong type, or out of range."""
    return FormatError(
        "bad-field", f"Field {name!r} of a {what} is missing or has a value it cannot have.", "Get it again from a trusted site."
    )
