"""Unpacks published archives with the times and modes they carry, so that two runs give the same tree. Symbolic links are left
out: several peers cannot carry them, and they weigh nothing.
"""

from __future__ import annotations

import calendar
import os
import subprocess
import tarfile
import zipfile

from benchmarks.updates.pairs import Source


def unpack(source: Source, archive: str, tree: str) -> None:
    """Put the archive's files where an installation puts them, below the tree."""
    os.makedirs(tree, exist_ok=True)
    if archive.endswith(".whl"):
        _zip(archive, tree)
    elif archive.endswith(".deb"):
        subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
        _only_files(tree)
    else:
        _tar(archive, os.path.join(tree, source.name))


def _zip(archive: str, tree: str) -> None:
    with zipfile.ZipFile(archive) as file:
        for item in file.infolist():
            path = file.extract(item, tree)
            if not item.is_dir():
                os.chmod(path, 0o755 if item.external_attr >> 16 & 0o100 else 0o644)
            moment = calendar.timegm((*item.date_time, 0, 0, 0))
            os.utime(path, (moment, moment))


def _tar(archive: str, tree: str) -> None:
    """Without the folder of its own that npm and sdists put around everything, as its name holds the version."""
    with tarfile.open(archive) as file:
        for item in file:
            _, _, inner = item.name.partition("/")
            if inner and (item.isfile() or item.isdir()):
                item.name = inner
                item.mode = 0o755 if item.mode & 0o100 or item.isdir() else 0o644
                file.extract(item, tree, filter="data")


def _only_files(tree: str) -> None:
    for at, folders, names in os.walk(tree):
        os.chmod(at, 0o755)
        for name in [*folders, *names]:
            path = os.path.join(at, name)
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.isfile(path):
                os.chmod(path, 0o755 if os.lstat(path).st_mode & 0o100 else 0o644)
