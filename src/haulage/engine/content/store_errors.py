"""What a chunk store says when it cannot do what was asked: one place, so that every store says it alike."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from haulage.base.errors import ConflictError, HaulageError, IntegrityError, NotFoundError, TransferError, UsageError
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pack import MAX_CHUNK_BYTES

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MEDIUM = {errno.EIO, errno.EILSEQ, errno.EUCLEAN, errno.EBADMSG, errno.ENODATA, errno.EREMOTEIO, errno.ENXIO}
"""What a disk or file system says of bytes it cannot give back. Everything else (no descriptor, no memory, no right) says nothing
about the bytes, and must not make a good chunk count as damaged (F62)."""


def chunk_missing(chunk: ChunkId) -> HaulageError:
    """The chunk is not held."""
    return NotFoundError(
        "chunk-missing",
        f"Chunk {chunk.hex()} is not in the store.",
        "Run 'haulage store check'; content is fetched again from the parent when a version is verified.",
    )


def chunk_damaged(chunk: ChunkId, where: str, cause: str) -> HaulageError:
    """The chunk is held but its bytes are wrong."""
    return IntegrityError(
        "chunk-damaged",
        f"Chunk {chunk.hex()} in {where} is damaged: {cause}.",
        "Run 'haulage store check' to see all damage; look at the disk's own health.",
    )


def session_ended(owner: str) -> HaulageError:
    """A write session was used after its end."""
    return ConflictError("session-ended", f"The write session {owner!r} has ended.", "Begin a new one.")


def store_closed(where: str) -> HaulageError:
    """The store was used after ``close``."""
    return ConflictError("store-closed", f"The store {where} is closed.", "Open it again.")


def require_chunk_size(size_bytes: int) -> None:
    """Raises UsageError ``chunk-too-large``."""
    if size_bytes > MAX_CHUNK_BYTES:
        raise UsageError(
            "chunk-too-large", f"A chunk of {size_bytes} bytes exceeds the limit of {MAX_CHUNK_BYTES}.", "Cut it smaller."
        )


def is_medium_fault(error: OSError) -> bool:
    """Whether the bytes themselves are out of reach, and not only this try to read them."""
    return error.errno in _MEDIUM


def _room(path: str) -> str:
    """What is free where a file stands or should stand; nothing where even that cannot be said."""
    while path:
        with contextlib.suppress(OSError):
            facts = os.statvfs(path)
            return f", {facts.f_bavail * facts.f_frsize} bytes are free"
        if path == os.path.dirname(path):
            break
        path = os.path.dirname(path)
    return ""


@contextlib.contextmanager
def naming(path: str, doing: str) -> Iterator[None]:
    """Turn the operating system's errors into a TransferError that names the path: ``disk-full`` or ``store-io``."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        if error.errno in _FULL:
            raise TransferError(
                "disk-full", f"Cannot {doing} {path}: {cause}{_room(path)}.", "Free space there; the work resumes."
            ) from error
        raise TransferError("store-io", f"Cannot {doing} {path}: {cause}.", "Look at the disk and its permissions.") from error
