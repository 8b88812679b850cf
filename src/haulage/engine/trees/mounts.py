"""Which mount points lie below a folder, bind mounts of the same file system included (they share its device number)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of the table: which part of which file system is seen where."""

    device: bytes
    part: bytes
    point: bytes
    kind: bytes = b""
    """The file system's name: ext4, cifs, fuse.sshfs."""


def parse_mounts(table: bytes) -> list[Mount]:
    """The text of ``/proc/self/mountinfo``, in its order. Pure."""
    rows = [line.split(b" ") for line in table.splitlines()]
    return [Mount(device=row[2], part=_plain(row[3]), point=_plain(row[4]), kind=_kind(row)) for row in rows if len(row) > 4]


def _kind(row: list[bytes]) -> bytes:
    """After a lone hyphen, which ends optional fields of any number."""
    at = row.index(b"-", 6) + 1 if b"-" in row[6:] else len(row)
    return row[at] if at < len(row) else b""


def _plain(escaped: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), escaped)


def _mounts() -> list[Mount]:
    try:
        with open("/proc/self/mountinfo", "rb") as table:
            return parse_mounts(table.read())
    except OSError:
        return []


def is_far(path: bytes) -> bool:
    """Whether a path lies on a file system that answers from elsewhere, so that several calls at once take no longer than one."""
    real = os.path.realpath(path)
    best: Mount | None = None
    for mount in _mounts():
        holds = real == mount.point or real.startswith(mount.point.rstrip(b"/") + b"/")
        if holds and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best is not None and best.kind.startswith(_FAR)


_FAR = (b"cifs", b"smb", b"nfs", b"fuse", b"9p", b"ceph", b"gluster", b"afs", b"lustre")


def behind_mounts(real: bytes, mounts: list[Mount] | None = None) -> tuple[bytes, bytes] | None:
    """The device and the path in its file system that a real path stands for: bind mounts of one folder give the same answer."""
    best: Mount | None = None
    for mount in _mounts() if mounts is None else mounts:
        holds = real == mount.point or real.startswith(mount.point.rstrip(b"/") + b"/")
        if holds and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    if best is None:
        return None
    return best.device, best.part.rstrip(b"/") + b"/" + real[len(best.point.rstrip(b"/")) :].lstrip(b"/")


def mounts_below(root: bytes) -> frozenset[bytes]:
    """Paths, relative to ``root``, at which something is mounted; empty where the kernel does not tell."""
    real = os.path.realpath(root).rstrip(b"/") + b"/"
    points = [mount.point for mount in _mounts()]
    return frozenset(point[len(real) :] for point in points if point.startswith(real) and len(point) > len(real))
