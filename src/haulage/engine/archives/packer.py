"""What packs a stream: the interface that zlib, bzip2, liblzma and the sandbox have in common."""

from __future__ import annotations

from typing import Protocol


class Packer(Protocol):
    """Raw bytes in, the bytes of a stream out."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...
