"""The files pages need beside themselves (style sheets, scripts, icon), read once. Their address holds a digest, so
browsers keep them for good."""

from __future__ import annotations

import hashlib
import importlib.resources
from dataclasses import dataclass

_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file."""

    data: bytes
    media_type: str


class Assets:
    """All files in ``static``, those of others among them; there is no way to any other file."""

    def __init__(self) -> None:
        self._held: dict[str, Asset] = {}
        static = importlib.resources.files("haulage.console").joinpath("static")
        for file in (*static.iterdir(), *static.joinpath("vendor").iterdir()):
            kind = file.name.rpartition(".")[2]
            if kind in _TYPES:
                self._held[file.name] = Asset(data=file.read_bytes(), media_type=_TYPES[kind])
        joined = b"".join(name.encode() + self._held[name].data for name in sorted(self._held))
        self.digest = hashlib.sha256(joined).hexdigest()[:16]

    def url(self, name: str) -> str:
        """Where a file is. Raises KeyError for one there is not: a defect of the template."""
        _there = self._held[name]
        return f"/console/{self.digest}/{name}"

    def find(self, digest: str, name: str) -> Asset | None:
        """The file at an address; None if there is none, also for the address of another version."""
        return self._held.get(name) if digest == self.digest else None
