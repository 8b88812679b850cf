"""Fetches published archives by name and version with the ordinary clients of this machine (pip, npm, apt-get), once, into a
folder that is not part of the project. Knows no pair and no tool.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from benchmarks.updates.pairs import Source

_LINUX = [f"--platform={each}" for each in ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")]
_PYTHON = ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]


class NotFetched(Exception):
    """A registry did not give it; the client's last words."""


def fetch(source: Source, cache: str) -> str:
    """The path of its archive, under its published name. Raises NotFetched."""
    folder = os.path.join(cache, source.scheme, f"{source.name}-{source.version}".replace("/", "_"))
    if not os.path.isdir(folder):
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        staging = tempfile.mkdtemp(dir=os.path.dirname(folder))
        try:
            _run(_command(source), staging)
            os.rename(staging, folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    found = os.listdir(folder)
    if len(found) != 1:
        raise NotFetched(f"{source}: {len(found)} files came instead of one")
    return os.path.join(folder, found[0])


def _command(source: Source) -> Sequence[str]:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest=."]
    exact = f"{source.name}=={source.version}"
    if source.scheme == "wheel":
        return [*pip, "--only-binary=:all:", *_LINUX, *_PYTHON, exact]
    if source.scheme == "winwheel":
        return [*pip, "--only-binary=:all:", "--platform=win_amd64", *_PYTHON, exact]
    if source.scheme == "sdist":
        return [*pip, "--no-binary=:all:", exact]
    if source.scheme == "npm":
        return ["npm", "pack", "--silent", f"{source.name}@{source.version}"]
    if source.scheme == "deb":
        return ["apt-get", "-q", "download", f"{source.name}={source.version}"]
    raise NotFetched(f"{source}: no registry is called {source.scheme}")


def _run(command: Sequence[str], folder: str) -> None:
    """Runs where the archive shall land: apt-get and npm know no other way."""
    if not shutil.which(command[0]):
        raise NotFetched(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotFetched(f"{' '.join(command[-2:])}: {(done.stderr.strip() or 'not fetched')[-300:]}")
