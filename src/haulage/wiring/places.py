"""Where a home may lie: refused before anything is written there (B106). Knows nothing of what is in a home."""

from __future__ import annotations

import os

from haulage.base.errors import ConflictError, UsageError

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "davfs", "ncpfs", "fuse.sshfs", "fuse.davfs2", "fuse.rclone", "fuse.glusterfs"}
)
"""File systems on which SQLite's locks do not hold."""


def check_home(path: str) -> str:
    """The absolute real path of a home. Raises UsageError ``bad-home``."""
    if not path or "\0" in path:
        raise UsageError("bad-home", "No home was named.", "Give --home DIR, or set HAULAGE_HOME.")
    absolute = os.path.abspath(path)
    if os.path.islink(absolute):
        target = os.path.realpath(absolute)
        raise UsageError("bad-home", f"The home {absolute} is a link to {target}.", f"Name the folder itself: --home {target}")
    real = os.path.realpath(absolute)
    if real == "/":
        raise UsageError("bad-home", "A home cannot be the root folder /.", "Give it a folder of its own.")
    if os.path.lexists(real) and not os.path.isdir(real):
        raise UsageError("bad-home", f"{real} is not a folder.", "Give the home a folder of its own.")
    return real


def check_store(path: str) -> None:
    """Refuse a store folder that is the root or a link. Raises UsageError ``bad-store``."""
    if os.path.realpath(path) == "/":
        raise UsageError("bad-store", "The store cannot be the root folder /.", "Set [content] path to a folder of its own.")
    if os.path.islink(path):
        raise UsageError(
            "bad-store", f"The store {path} is a link to {os.path.realpath(path)}.", "Set [content] path to the folder itself."
        )


def check_not_shared(path: str, url: str) -> None:
    """Refuse a SQLite database on a network share: its locks do not hold there. Raises ConflictError ``database-on-share``."""
    if not url.startswith("sqlite:"):
        return
    kind = file_system_of(path)
    if kind in NETWORK:
        raise ConflictError(
            "database-on-share",
            f"{path} lies on a network share ({kind}), where SQLite can lose commits.",
            "Put the home on a local disk, or use PostgreSQL: [database] url.",
        )


def file_system_of(path: str, table: str = "/proc/self/mountinfo") -> str:
    """The type of the file system a path lies on, such as ``ext4``; empty where the kernel does not tell."""
    real, kind, longest = os.path.realpath(path), "", -1
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.split(" ") for line in file]
    except OSError:
        return ""
    for row in rows:
        point = row[4].encode("utf-8", "surrogateescape").decode("unicode_escape", "replace") if len(row) > 4 else ""
        within = real == point or real.startswith(point.rstrip("/") + "/")
        if point and within and len(point) >= longest and "-" in row:
            longest, kind = len(point), row[row.index("-") + 1]
    return kind
