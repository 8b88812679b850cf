"""Which mount points lie below a folder, bind mounts of the same file system included (they share its device number)."""

from __future__ import annotations

import os
import re

_ESCAPE = re.compile(rb"\\([0-7]{3})")


def parse_mount_points(table: bytes) -> list[bytes]:
    """The mount points in the text of ``/proc/self/mountinfo``. Pure."""
    points = []
    for line in table.splitlines():
        fields = line.split(b" ")
        if len(fields) > 4:
            points.append(_ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), fields[4]))
    return points


def mounts_below(root: bytes) -> frozenset[bytes]:
    """Paths, relative to ``root``, at which something is mounted; empty where the kernel does not tell."""
    try:
        with open("/proc/self/mountinfo", "rb") as table:
            points = parse_mount_points(table.read())
    except OSError:
        return frozenset()
    real = os.path.realpath(root).rstrip(b"/") + b"/"
    return frozenset(point[len(real) :] for point in points if point.startswith(real) and len(point) > len(real))
