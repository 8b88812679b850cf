"""Successive versions of published packages, fetched by name and version from the package index this machine uses, and unpacked
with the times their files have. Nothing fetched is kept with the project.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
import time
import zipfile


class NotFetched(Exception):
    """The index did not give it."""


def unpack(name: str, version: str, cache: str, out: str) -> None:
    """Put one version's files into a folder. Raises NotFetched."""
    with zipfile.ZipFile(_fetch(name, version, cache)) as wheel:
        for item in wheel.infolist():
            path = wheel.extract(item, out)
            moment = time.mktime((*item.date_time, 0, 0, -1))
            os.utime(path, (moment, moment))


def _fetch(name: str, version: str, cache: str) -> str:
    folder = os.path.join(cache, f"{name}-{version}")
    if not glob.glob(f"{folder}/*.whl"):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", folder]
        done = subprocess.run([*command, f"{name}=={version}"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotFetched(f"{name} {version}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'not fetched'}")
    return glob.glob(f"{folder}/*.whl")[0]
