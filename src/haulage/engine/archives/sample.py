"""A fixed sample of bytes, and the digest of what a packer makes of it: how machines tell whether their libraries agree."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from blake3 import blake3

from haulage.engine.archives.packer import Packer

_LONG_BYTES = 150 * 1024
_SHORT_BYTES = 20 * 1024


def made_of_sample(packers: Iterable[tuple[Callable[[], Packer], bool]]) -> str:
    """The digest, in hexadecimal, of what each packer makes of the sample; those with True get a longer one."""
    made = blake3()
    for fresh, long in packers:
        inner = fresh()
        data = _sample()[: _LONG_BYTES if long else _SHORT_BYTES]
        for half in (data[: len(data) // 2], data[len(data) // 2 :]):
            made.update(inner.compress(half))
        made.update(inner.flush() + b"\0")
    return made.hexdigest(length=8)


@functools.cache
def _sample() -> bytes:
    """Words, numbers and noise, with repeats near and far."""
    noise = blake3(b"sample of compression").digest(length=48 * 1024)
    words = [noise[at : at + 3 + noise[at] % 9].hex().encode()[: 2 + noise[at] % 11] for at in range(0, 4096, 16)]
    text = b" ".join(words[byte] for byte in noise[4096:20000])
    binary = b"".join(noise[at : at + 9] + bytes(3) + text[at * 3 : at * 3 + noise[at] % 40] for at in range(20000, 24000, 4))
    return (text[:60000] + noise[24000:28000] + binary + text[30000:] + bytes(3000) + binary[::-1] + noise[28000:])[:_LONG_BYTES]
