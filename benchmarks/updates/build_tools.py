"""Builds HDiffPatch's command line tools from the source that its Python package carries, into a folder of this benchmark's own:
no registry has them ready. Nothing of it is part of the project.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tarfile
import tempfile

from benchmarks.updates.fetch import NotFetched, fetch
from benchmarks.updates.pairs import Source

_SOURCE = Source(scheme="sdist", name="hdiffpatch", version="2.6.0")
_PROGRAMS = ("hdiffz", "hpatchz")
_LEFT_OUT = ("XXH=0", "VCD=0", "BSD=0")
"""Checksums whose source the package lacks, and the formats of other tools."""


def build_tools(tools: str, cache: str) -> None:
    """Bring hdiffz and hpatchz into a folder. Raises NotFetched: without source or compiler that peer is left out."""
    if all(os.access(os.path.join(tools, name), os.X_OK) for name in _PROGRAMS):
        return
    if not shutil.which("make") or not shutil.which("g++"):
        raise NotFetched("hdiffz is built from source, which needs make and g++")
    os.makedirs(tools, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools) as folder:
        with tarfile.open(fetch(_SOURCE, cache)) as archive:
            archive.extractall(folder, filter="data")
        top = glob.glob(f"{folder}/*/hdiffpatch/_c_src/HDiffPatch")[0]
        done = subprocess.run(["make", "-j2", *_LEFT_OUT, *_PROGRAMS], cwd=top, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotFetched(f"hdiffz could not be built: {done.stderr[-300:]}")
        for name in _PROGRAMS:
            shutil.copy2(os.path.join(top, name), tools)
