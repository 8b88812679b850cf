"""Verifying Ed25519 signatures with nothing but whole numbers. Strict: one encoding, no small-order points. It cannot sign.

Source: RFC 8032, sections 5.1.3 (decoding) and 5.1.7 (verifying, without the cofactor). Nothing here is secret, so nothing needs to
take constant time.
"""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # (X, Y, Z, T): x = X/Z, y = Y/Z, x*y = T/Z


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the 64-byte ``signature`` over ``message`` was made by the private half of the 32-byte ``public_key``."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r = _decoded(public_key), _decoded(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or _is_small(a) or _is_small(r):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    return _same(_times(s, BASE), _plus(r, _times(k, a)))


def is_usable_key(public_key: bytes) -> bool:
    """Whether these bytes are a public key at all: canonical, on the curve, not of small order."""
    point = _decoded(public_key) if len(public_key) == 32 else None
    return point is not None and not _is_small(point)


def _plus(p: Point, q: Point) -> Point:
    """RFC 8032, 5.1.4: complete addition, also of a point to itself."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _plus(result, point)
        point = _plus(point, point)
        factor >>= 1
    return result


def _same(p: Point, q: Point) -> bool:
    return bool((p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0)


def _is_small(point: Point) -> bool:
    """Whether eight times the point is the neutral one."""
    return _same(_times(8, point), (0, 1, 1, 0))


def _decoded(data: bytes) -> Point | None:
    """The point of 32 bytes; None for what is not the one encoding of a point on the curve."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_OF_MINUS_1 % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def _base() -> Point:
    y = 4 * pow(5, P - 2, P) % P
    x = _x_of(y, 0)
    assert x is not None
    return (x, y, 1, x * y % P)


BASE = _base()
