"""A fix as a site knows it, and what was found out about one product folder, as values. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from haulage.base.ids import PackageId
from haulage.engine.servicing.definition import Detection, FixDefinition, ProductRange, Requirements
from haulage.engine.servicing.trusted import fingerprint

BUNDLE = "bundle"
PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixFile:
    """A file of a fix that is known from an article only: no digest, so it can be looked for and not placed."""

    path: str
    version: str = ""
    bytes: int = 0
    platform: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One owner's word on a fix."""

    fix: str
    owner: str
    revision: int
    title: str
    article: str
    origin: str
    """``bundle`` or ``person``."""
    evidence: str
    supersedes: tuple[str, ...]
    contains: tuple[str, ...]
    requires: tuple[str, ...]
    files: tuple[FixFile, ...]
    document: bytes
    """The definition as the bundle carries it; empty without a bundle."""
    bundle: str
    """SHA-256 of the bundle; "" without one."""
    bundle_bytes: int
    package: PackageId | None
    """Brings the bundle."""
    signer: str
    """The public key in hexadecimal digits; "" without a bundle. It is shown to nobody: people compare fingerprints."""
    known: dt.datetime

    @property
    def signer_fingerprint(self) -> str:
        """What ``--trust`` takes and a maker tells; "" without a bundle."""
        return fingerprint(bytes.fromhex(self.signer)) if self.signer else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a product folder on a site's machine has and lacks, as it was when it was looked at."""

    root: str
    product: str
    version: str
    service_level: str
    taken: dt.datetime
    results: tuple[dict[str, object], ...] = field(default_factory=tuple)
    """``{"fix", "state", "reasons"}`` each."""


def outline(fix: Fix) -> FixDefinition:
    """A definition of a fix without a bundle, for the rules about sets of fixes: good for order and detection, not for applying."""
    versioned = [file for file in fix.files if file.version]
    return FixDefinition(
        id=fix.fix,
        title=fix.title,
        article=fix.article or None,
        product=ProductRange(id="unknown"),
        supersedes=fix.supersedes,
        contains=fix.contains,
        requires=Requirements(fixes=fix.requires),
        detect=tuple(Detection(path=file.path, versions=f">={file.version}") for file in versioned),
    )
