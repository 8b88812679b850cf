"""Captures a folder of as many small files as its argument says, which the operating system only pretends to have, and prints the
files of the manifest and the most memory this process had, in KiB: run it with COUNT and an empty FOLDER."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from haulage.base.clock import SystemClock
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.store import LocalStore
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.oscalls import OsCalls

SIZE = 24


@dataclass(slots=True)
class Name:
    """One item of a listing."""

    name: str

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        """Never a folder."""
        del follow_symlinks
        return False


class Listing:
    """What ``scandir`` gives for the one folder."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> Iterator[Name]:
        return (Name(f"file-{number:09}.txt") for number in range(self._count))

    def __exit__(self, *_error: object) -> None:
        pass


def calls(count: int, folder: str) -> OsCalls:
    """A system in which ``folder`` holds so many files of ``SIZE`` bytes, each another content."""
    path = os.path.join(folder, "one")
    with open(path, "wb") as file:
        file.write(bytes(SIZE))
    os.utime(path, ns=(1, 1))
    status, numbers = os.stat(path), itertools.count()

    def opened(name: bytes | str, flags: int, *arguments: Any, **options: Any) -> int:
        pretended = isinstance(name, bytes) and name.startswith(b"file-")
        return os.open(path, flags) if pretended else os.open(name, flags, *arguments, **options)

    def stat_of(name: bytes | str, **options: Any) -> os.stat_result:
        return status if isinstance(name, bytes) and name.startswith(b"file-") else os.stat(name, **options)

    return OsCalls(
        scandir=lambda _fd: Listing(count),
        open=opened,
        stat=stat_of,
        pread=lambda _fd, _size, _offset: b"content %015d\n" % next(numbers),
        listxattr=lambda *_arguments, **_options: [],
    )


def most_memory_kib() -> int:
    """Of this program alone; ``getrusage`` counts what the process was before it became this program, too."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def main(count: int, folder: str) -> None:
    """Capture and print."""
    os.makedirs(os.path.join(folder, "source"))
    system = calls(count, folder)
    with contextlib.closing(LocalStore(os.path.join(folder, "store"))) as store:
        reader = LocalReader(os.path.join(folder, "source"), calls=system)
        report = capture(reader, store, SystemClock(), options=CaptureOptions(threads=1))
    print(report.manifest.totals.files, most_memory_kib())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
