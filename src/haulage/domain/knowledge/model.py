"""Articles as a site keeps them, as values. Pure; what an article says is the matter of ``engine/articles``."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

PRODUCT = ""
"""The owner of the articles that come with Haulage itself: no site, so they are never replicated."""
DERIVATION = 1
"""Rises when articles must be read anew because reading them was changed; the index is made anew then, too."""


class Relation(enum.StrEnum):
    """How one article stands to another."""

    REFERENCE = "reference"
    """It names the other."""
    RESOLVED_BY = "resolved-by"
    """The other's fix also resolves what it is about."""
    CONTAINED_IN = "contained-in"
    """Its fix is part of the other's."""
    REPLACED_BY = "replaced-by"
    """Its fix is superseded by the other's."""
    CONTAINS = "contains"
    """Its fix brings the other's."""
    REPLACES = "replaces"
    """Its fix is to be taken instead of the other's."""
    REQUIRES = "requires"
    """Its fix needs the other's first."""
    FOLLOWS = "follows"
    """Its fix comes after the other's."""
    BREAKS = "breaks"
    """Its fix brings about what the other is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """The source of one article, as it was imported."""

    id: str
    form: str
    name: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Articles that travel together, their sources packed."""

    id: str
    owner: str
    revision: int
    packed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """Where one article stands, and what is known of it without reading it. ``title`` and what follows are derived: empty until
    ``derived`` is the present derivation."""

    id: str
    owner: str
    shelf: str
    place: int
    """On the shelf, from 0."""
    form: str
    name: str
    size_bytes: int
    sha256: str
    change: int
    """Rises with every change of any article; whoever keeps up remembers how far it came."""
    gone: bool = False
    derived: int = 0
    title: str = ""
    type: str = ""
    modified: str = ""
    """Date, ISO 8601; "" if not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relating:
    """One derived relation, with the sentence that says so."""

    article: str
    owner: str
    relation: Relation
    other: str
    evidence: str = ""


class ImportState(enum.Enum):
    """Where an import of articles stands."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


IMPORT_MEANING: dict[ImportState, str] = {
    ImportState.REQUESTED: "The import was asked for and starts when its turn comes.",
    ImportState.RUNNING: "Articles are being read and put on their shelves; what is there already counts as unchanged.",
    ImportState.DONE: "Every article was taken in, found unchanged, or refused with its reason in the report.",
    ImportState.FAILED: "The import ended early; the error says why. What was taken in before stays.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import at this site."""

    number: int
    source: str
    """Path on the server, or the name of what was uploaded."""
    spool: str
    """The uploaded file, removed when the import has ended; "" for a path."""
    actor: str
    state: ImportState
    asked: dt.datetime
    finished: dt.datetime | None = None
    report: dict[str, object]
    error_code: str = ""
    error_message: str = ""
    error_hint: str = ""
