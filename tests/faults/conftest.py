"""Small file systems for tests that fill them."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers import need

MIB = 1 << 20


class SmallDisk:
    """A file system in memory of a fixed size, mounted at ``path``."""

    def __init__(self, path: Path, size_mib: int) -> None:
        self.path = path
        path.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(path)], check=True)

    @property
    def filler(self) -> Path:
        return self.path / "somebody else's file"

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Take the space, as another program would. A server that writes meanwhile makes it full the sooner."""
        facts = os.statvfs(self.path)
        free = facts.f_bavail * facts.f_frsize - leave_bytes
        with open(self.filler, "ab", buffering=0) as file:
            for _piece in range(free // 65_536):
                try:
                    file.write(bytes(65_536))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def make_room(self) -> None:
        self.filler.unlink()

    def remount(self, how: str) -> None:
        """``ro`` or ``rw``; a disk with errors does this by itself."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.path)], check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], SmallDisk]]:
    """Makes them; they are gone after the test. Needs root."""
    need("mount")
    made: list[SmallDisk] = []

    def make(size_mib: int) -> SmallDisk:
        disk = SmallDisk(tmp_path / f"disk {len(made)}", size_mib)
        made.append(disk)
        return disk

    yield make
    for disk in made:
        disk.unmount()
