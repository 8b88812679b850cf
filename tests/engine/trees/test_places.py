"""The shared suite, run by every kind of place: memory, disk, tmpfs, sidecar only, and places that refuse things."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryWriter
from haulage.engine.trees.model import ReadPolicy, TreeReader, TreeWriter
from haulage.engine.trees.oscalls import OsCalls
from tests.engine.trees.suite import PlaceSuite


def refuse(number: int) -> Callable[..., Any]:
    def call(*_arguments: object, **_options: object) -> Any:
        raise OSError(number, os.strerror(number))

    return call


class TestMemory(PlaceSuite):
    def writer(self) -> TreeWriter:
        self.made = MemoryWriter()
        return self.made

    def reader(self, policy: ReadPolicy | None = None) -> TreeReader:
        return MemoryReader(self.made.tree, policy)


class LocalSuite(PlaceSuite):
    calls = OsCalls()
    sidecar_only = False
    forbidden: Callable[[bytes], bool] | None = None

    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> Iterator[None]:
        self.base = self.choose(tmp_path)
        self.count = 0
        yield
        if self.base != str(tmp_path):
            shutil.rmtree(self.base, ignore_errors=True)

    def choose(self, tmp_path: Path) -> str:
        return str(tmp_path)

    def writer(self) -> TreeWriter:
        self.count += 1
        self.root = os.path.join(self.base, f"tree{self.count}")
        forbidden = type(self).forbidden
        return LocalWriter(self.root, sidecar_only=self.sidecar_only, forbidden_names=forbidden, calls=self.calls)

    def reader(self, policy: ReadPolicy | None = None) -> TreeReader:
        return LocalReader(self.root, policy)


class TestDisk(LocalSuite):
    pass


class TestSharedMemory(LocalSuite):
    def choose(self, tmp_path: Path) -> str:
        if not os.access("/dev/shm", os.W_OK):
            pytest.skip("no tmpfs at /dev/shm")
        return tempfile.mkdtemp(dir="/dev/shm")


class TestSidecarOnly(LocalSuite):
    sidecar_only = True


class TestNoAttributes(LocalSuite):
    calls = replace(OsCalls(), setxattr=refuse(errno.ENOTSUP), removexattr=refuse(errno.ENOTSUP))


class TestUnprivileged(LocalSuite):
    """No owner but one's own, no ACL, no capability."""

    calls = replace(OsCalls(), chown=refuse(errno.EPERM))


class TestPoorest(LocalSuite):
    """Like FAT: no links, modes, owners or attributes, and times of two seconds."""

    @staticmethod
    def coarse(where: Any, ns: tuple[int, int], **options: Any) -> None:
        os.utime(where, ns=tuple(value // 2_000_000_000 * 2_000_000_000 for value in ns), **options)  # type: ignore[arg-type]

    calls = OsCalls(
        setxattr=refuse(errno.ENOTSUP),
        chown=refuse(errno.EPERM),
        chmod=refuse(errno.EPERM),
        link=refuse(errno.EPERM),
        symlink=refuse(errno.EPERM),
        utime=coarse,
    )

    @staticmethod
    def forbidden(name: bytes) -> bool:
        return any(c in name for c in b'<>:"|?*\\') or name.endswith((b".", b" ")) or not name.isascii()


class TestForbiddenNames(LocalSuite):
    """Names without a small letter are not wanted at this place."""

    @staticmethod
    def forbidden(name: bytes) -> bool:
        return name.upper() == name
