"""The program that every bundle carries: engine/servicing as it is installed here, and the three small files around it."""

from __future__ import annotations

import functools
import importlib.resources

from haulage.engine import servicing

MAIN = b'''"""A fix as one file; run it with Python 3.9 or newer."""
import sys

if sys.version_info < (3, 9):
    sys.exit("This needs Python 3.9 or newer.")
from haulage.engine.servicing.command import run

run()
'''
ROOM = "haulage/engine/servicing/"


@functools.cache
def program_files() -> dict[str, bytes]:
    """Name in the bundle to bytes, in the order in which they stand there."""
    found = {
        "__main__.py": MAIN,
        "haulage/__init__.py": b'"""The part of Haulage that a bundle carries."""\n',
        "haulage/engine/__init__.py": b'"""The part of Haulage that a bundle carries."""\n',
    }
    room = importlib.resources.files(servicing)
    for file in sorted(room.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".py"):
            found[ROOM + file.name] = file.read_bytes()
    return found
