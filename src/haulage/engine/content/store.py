"""The chunk store in a folder: packs, their indexes and pins, owned by one process. Knows no manifest format, package or site."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Sizes that tests make small; what is written is readable whatever they were."""

    block_bytes: int = 4 << 20
    pack_bytes: int = 512 << 20


class LocalStore:
    """A :class:`ChunkStore` in a folder, created if it is absent or empty. Raises ConflictError ``store-in-use`` when another
    process owns it, FormatError for a format this program does not know. ``read_only`` is for offline checks."""

    def __init__(self, folder: str | os.PathLike[str], *, read_only: bool = False, settings: StoreSettings | None = None) -> None:
        raise NotImplementedError
