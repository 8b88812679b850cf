"""Mutations that keep a document well-formed: one value replaced, taken out, doubled or swapped, then encoded canonically again.

Random bytes seldom get past a canonical encoding; these do, and reach the rules behind it. Pure, from a random number generator.
"""

from __future__ import annotations

import copy
import enum
import random
from collections.abc import Iterator
from typing import Any

import msgspec

_NUMBERS = (
    0,
    1,
    -1,
    2,
    255,
    256,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**53,
    2**63 - 1,
    2**63,
    2**64 - 1,
    -(2**31),
    -(2**63),
)
_TEXTS = (
    "", "a", "HQ1", "../../etc/passwd", "/abs", "C:\\x", "\\\\?\\UNC\\h\\s", "~", "CON", "a:b", "\u202egpj.exe",
    "e\u0301", "\0", "\n", "x" * 300, "a/b/../c", ".", "..",
    "2024-02-29T23:59:59Z", "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
)  # fmt: skip


class Coding(enum.Enum):
    """How a document is encoded."""

    BYTES = "bytes"
    JSON = "json"
    MSGPACK = "msgpack"


def mutated(data: bytes, coding: Coding, seed: int, most_bytes: int) -> bytes | None:
    """The document with some of its values changed; None if it is none, or would become too long."""
    rng = random.Random(seed)
    try:
        box = [msgspec.json.decode(data) if coding is Coding.JSON else msgspec.msgpack.decode(data)]
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            _change(box, rng)
        if coding is Coding.JSON:
            made = msgspec.json.encode(box[0], order="deterministic")
        else:  # keys stand sorted in some documents, in an order of their own in others
            made = msgspec.msgpack.encode(box[0], order=rng.choice((None, "deterministic")))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    return made if len(made) <= most_bytes else None


def _places(box: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    waiting = [box]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            yield container, key
            if isinstance(container[key], list | dict):
                waiting.append(container[key])


def _change(box: list[Any], rng: random.Random) -> None:
    places = list(_places(box))
    container, key = rng.choice(places)
    value, act = container[key], rng.randrange(8)
    if act == 0 and container is not box:
        del container[key]
    elif act == 1 and isinstance(container, list) and container is not box:
        container.insert(key, copy.deepcopy(value))
    elif act == 2:
        other, place = rng.choice(places)
        container[key] = copy.deepcopy(other[place]) if other is not box else value  # a copy: nothing may hold itself
    elif act == 3 and isinstance(value, dict):
        value[rng.choice(("crit", "v", "zz", "a", *_TEXTS))] = _foreign(rng)
    elif act == 4 and isinstance(container, list) and len(container) > 1:
        rng.shuffle(container)
    elif act == 5:
        container[key] = _foreign(rng)
    else:
        container[key] = _near(value, rng)


def _foreign(rng: random.Random) -> Any:
    """A value of any kind."""
    texts = rng.choice(_TEXTS)
    return rng.choice((rng.choice(_NUMBERS), texts, texts.encode(), b"", bytes(32), bytes(36), None, True, [], {}, [[]], 1.5))


def _near(value: Any, rng: random.Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None))
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, value * 2, rng.choice(_NUMBERS)))
    if isinstance(value, str):
        return _near_bytes(value.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "replace")
    if isinstance(value, bytes):
        return _near_bytes(value, rng)
    return value


def _near_bytes(value: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(value) + 1)
    act = rng.randrange(6)
    if act == 0:
        return value[:at]
    if act == 1:
        return value[:at] + rng.choice(_TEXTS).encode() + value[at:]
    if act == 2:
        return value * 2
    if act == 3:
        return rng.choice(_TEXTS).encode()
    return value[:at] + bytes([rng.randrange(256)]) + value[at + 1 :]
