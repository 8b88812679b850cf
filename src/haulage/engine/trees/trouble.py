"""The errors that reading and writing a tree may raise, each naming the path, the stream and the cause (Q316316)."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from haulage.base.errors import FormatError, NotFoundError, Remedy, TransferError
from haulage.engine.trees.paths import shown

NOT_DURABLE = "not-durable"
"""Among the facts of an error: what was written before must not be taken over."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What a file system says that has no room left, or none for this user."""


def cause_of(error: OSError) -> str:
    """The operating system's reason in words, never a bare number."""
    return os.strerror(error.errno) if error.errno else str(error)


def unreadable(path: bytes, error: OSError, stream: bytes | None = None) -> TransferError:
    """The source would not give what it holds."""
    return TransferError(
        "source-unreadable",
        f"Cannot read {shown(path, stream)}: {cause_of(error)}.",
        "Give the server's account read access to it, or mend the disk; the version before stays served.",
    )


def source_missing(where: str) -> NotFoundError:
    """The source is not where the package says."""
    return NotFoundError("source-missing", f"There is no folder {where} to read.", "Mend the path, or mount what should be there.")


def changed(path: bytes, what: str, stream: bytes | None = None) -> TransferError:
    """The source moved under the reader."""
    return TransferError(
        "source-changed",
        f"{shown(path, stream)} changed while it was read: {what}.",
        "Publish again when nobody writes to the source.",
    )


def unsupported(found: Sequence[tuple[bytes, str]], more: bool) -> FormatError:
    """Things below the source that are neither file, folder nor symlink, or lie on another file system; none was opened."""
    listed = ", ".join(f"{shown(path)} ({what})" for path, what in found)
    return FormatError(
        "source-unsupported",
        f"The source holds what cannot be in a package: {listed}{' and more' if more else ''}.",
        "Move it out of the source, or give each file system its own package.",
        remedy=Remedy.WAIT_FOR_PERSON,
    )


def unwritable(path: bytes, error: OSError, stream: bytes | None = None) -> TransferError:
    """The place would not take what it was given."""
    if error.errno in FULL:
        return TransferError(
            "disk-full", f"Cannot write {shown(path, stream)}: {cause_of(error)}.", "Free space at the place; the work resumes."
        )
    return TransferError(
        "place-unwritable",
        f"Cannot write {shown(path, stream)}: {cause_of(error)}.",
        "Check space and access at the place.",
    )


def not_durable(error: OSError) -> TransferError:
    """What was written did not reach the disk, and nobody can say which part of it: none of it may be taken for written."""
    full = error.errno in FULL
    return TransferError(
        "disk-full" if full else "not-durable",
        f"The place could not make durable what it took: {cause_of(error)}.",
        "Free space there; the work resumes." if full else "Look at its disk. All of it is written anew by itself.",
        facts={NOT_DURABLE: "yes"},
    )


def foreign_sidecar(why: str, code: str = "sidecar-malformed") -> FormatError:
    """The ``.haulage-tree`` at the root is not one this program can trust; it is refused, never guessed."""
    return FormatError(
        code,
        f"The folder .haulage-tree at the root of this tree cannot be used: {why}.",
        "Write the tree afresh from its package, or move .haulage-tree away to read the plain files alone.",
        remedy=Remedy.WAIT_FOR_PERSON,
    )
