"""What an article says about fixes, with the sentence it says it in: never more than a proposal until a person confirms it."""

from __future__ import annotations

import enum

import msgspec

from haulage.engine.articles.article import SectionKind
from haulage.engine.articles.levels import Level


class StatementKind(enum.StrEnum):
    """Read as: subject, kind, object."""

    CONTAINS = "contains"
    """Who applies the subject has the object's fix too."""
    LACKS = "lacks"
    """The subject does not have the object's fix, although one might think so."""
    REPLACES = "replaces"
    """The object's fix is withdrawn, or the subject is recommended instead of it."""
    FIRST_CORRECTED = "first-corrected"
    """The object's problem was first corrected in the subject, a service level."""
    REQUIRES = "requires"
    """The subject can be applied on the object only; of several objects with the same sentence any one will do."""
    FOLLOWS = "follows"
    """The subject is applied after the object."""
    BREAKS = "breaks"
    """The subject's fix brings the object's problem about; where the object has a fix, that mends it."""


class End(msgspec.Struct, frozen=True):
    """One end of a statement: an article's fix, a service level, or a level together with the article that lists its fixes."""

    article: str = ""
    level: Level | None = None

    def __str__(self) -> str:
        if self.article and self.level is not None:
            return f"{self.article} ({self.level})"
        return self.article or str(self.level)


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of one article."""

    kind: StatementKind
    subject: End
    object: End
    said_by: str
    """The article."""
    section: SectionKind
    sentence: str
    """The evidence, as written but unwrapped; of a list the sentence above it."""
