"""How far two byte strings agree, from the front and from the back. Knows only bytes."""

from __future__ import annotations

from collections.abc import Callable

Bytes = bytes | bytearray | memoryview

_FIRST_STEP = 64
_LONGEST_STEP = 128 * 1024
"""Compared as copies: bytes compare 20 times faster than views, and copies this small stay in the cache."""


def common_prefix(a: Bytes, b: Bytes) -> int:
    """How many bytes ``a`` and ``b`` share from their beginnings on."""
    left, right = memoryview(a), memoryview(b)
    return _agreed(min(len(left), len(right)), lambda start, end: bytes(left[start:end]) == bytes(right[start:end]))


def common_suffix(a: Bytes, b: Bytes) -> int:
    """How many bytes ``a`` and ``b`` share up to their ends."""
    left, right = memoryview(a), memoryview(b)
    m, n = len(left), len(right)
    return _agreed(min(m, n), lambda start, end: bytes(left[m - end : m - start]) == bytes(right[n - end : n - start]))


def _agreed(most: int, equal: Callable[[int, int], bool]) -> int:
    """The length of agreement: by doubling steps to the first difference, then by halving."""
    done, step = 0, _FIRST_STEP
    while done < most:
        end = min(done + step, most)
        if not equal(done, end):
            break
        done, step = end, min(step * 2, _LONGEST_STEP)
    else:
        return most
    least, beyond = done, min(done + step, most)
    while beyond - least > 1:
        middle = (least + beyond) // 2
        if equal(least, middle):
            least = middle
        else:
            beyond = middle
    return least
