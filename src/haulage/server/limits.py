"""How much one client may take of a server before it is refused or cut. The defaults fit a site with some hundred children; only
the number of connections an address may hold is a setting."""

from __future__ import annotations

import logging
import resource
from dataclasses import dataclass

FILES_MOST = 65_536
FILES_SCARCE = 16_384
"""With fewer a flood takes all of them before it is seen, and then the HTTP server accepts nothing until the flood ends."""
_log = logging.getLogger("haulage.server")
_FILES_KEPT = 1024
"""Open files that connections must leave for the store, the database and the jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is waited for, and how much is taken."""

    connections: int = 8192
    per_address: int = 512
    head_seconds: float = 30.0
    """For a whole request head, and between two requests of a connection."""
    head_fields: int = 64
    head_bytes: int = 32 * 1024
    target_bytes: int = 8192
    body_stall_seconds: float = 20.0
    """Without a single byte of a body that is due."""
    body_bytes_per_second: int = 1024
    """A body that comes slower than this, the stall apart, is not waited for."""
    unread_seconds: float = 60.0
    """For a client to take what was sent to it."""
    refusals_per_minute: int = 120
    """So many are logged one by one, the rest counted."""


def limits_for(per_address: int, open_files: int) -> Limits:
    """The limits where so many files may be open."""
    connections = min(Limits().connections, max(open_files // 2, open_files - _FILES_KEPT))
    return Limits(connections=connections, per_address=min(per_address, max(1, connections // 2)))


def raise_open_files() -> int:
    """Each connection is an open file, and what a shell allows by default is few: take what the system grants; how many that is."""
    granted = _granted()
    if granted < FILES_SCARCE:
        _log.warning("the system grants %d open files; a flood of connections needs more to be withstood: raise the limit", granted)
    return granted


def _granted() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MOST if hard == resource.RLIM_INFINITY else min(hard, FILES_MOST)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return FILES_MOST if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return soft
    return most
