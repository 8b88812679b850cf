"""The version in the metadata file of a package: Python's METADATA, npm's package.json, NuGet's nuspec. Hostile input: bounded."""

from __future__ import annotations

import re
from typing import BinaryIO

from haulage.engine.servicing import strict_json
from haulage.engine.servicing.errors import DocumentError

MOST_BYTES = 1 << 20
MOST_HEADER_LINES = 2000

PYTHON = re.compile(r"(?:.*/)?[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO)")
NPM = re.compile(r"(?:.*/)?package\.json")
NUSPEC = re.compile(r"(?:.*/)?[^/]+\.nuspec")
NUSPEC_VERSION = re.compile(rb"<version>\s*([0-9A-Za-z.+-]{1,128})\s*</version>")


def is_known(path: str) -> bool:
    """Whether the name tells that the file is such metadata."""
    return any(form.fullmatch(path.replace("\\", "/")) for form in (PYTHON, NPM, NUSPEC))


def read(file: BinaryIO, size: int, path: str) -> tuple[str | None, str, str | None]:
    """Version text or None, the reason for none, and no identity."""
    if size > MOST_BYTES:
        return None, f"the metadata has more than {MOST_BYTES} bytes", None
    file.seek(0)
    data = file.read(MOST_BYTES)
    name = path.replace("\\", "/")
    version = _python(data) if PYTHON.fullmatch(name) else _npm(data) if NPM.fullmatch(name) else _nuspec(data)
    return version, "the metadata states no version" if version is None else "", None


def _python(data: bytes) -> str | None:
    """The one ``Version`` header before the first empty line; several make none."""
    found = []
    for line in data.split(b"\n", MOST_HEADER_LINES)[:MOST_HEADER_LINES]:
        if not line.strip():
            break
        if line.lower().startswith(b"version:"):
            found.append(line[8:].strip().decode("utf-8", "replace"))
    return found[0] if len(found) == 1 else None


def _npm(data: bytes) -> str | None:
    try:
        value = strict_json.decoded(data, "package.json", most_bytes=MOST_BYTES, canonical=False)
    except DocumentError:
        return None
    version = value.get("version") if isinstance(value, dict) else None
    return version if isinstance(version, str) else None


def _nuspec(data: bytes) -> str | None:
    """The one ``version`` element; no XML parser looks at the rest."""
    found = NUSPEC_VERSION.findall(data)
    return found[0].decode() if len(found) == 1 else None
