"""A definition of a fix as its article and others' words suggest it, for a person to confirm: never more than a proposal. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from haulage.engine.articles.article import Article, Product
from haulage.engine.articles.file_tables import FileTable
from haulage.engine.articles.statement import Statement, StatementKind

_INSTALLER = r"\b{}(?:_\w+)?\.exe\b"
_SERVICE = re.compile(r"\bSMS_[A-Z][A-Za-z_]+\b")
_LACKING_DIGEST = "The article gives no digest: files are found by version, and placed from a bundle only."


class FixProposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a fix from text. Ids are of articles; levels are as :class:`Level` writes itself."""

    id: str
    article: str
    title: str
    products: tuple[Product, ...]
    tables: tuple[FileTable, ...]
    """One for each language or level; each names its files with versions and sizes."""
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """Fixes that must be there before."""
    requires_levels: tuple[str, ...] = ()
    """Any one of these will do."""
    after: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    """Articles on the problems it brings about; their own fixes mend them."""
    mends: tuple[str, ...] = ()
    """Fixes whose damage this one repairs."""
    superseded_by: tuple[str, ...] = ()
    contained_in: tuple[str, ...] = ()
    """Fixes, rollups and levels that have it."""
    services: tuple[str, ...] = ()
    """Services the article names; which of them must stop, a person says."""
    evidence: tuple[Statement, ...] = ()
    open_questions: tuple[str, ...] = ()
    """What a person has to settle, a sentence each."""


def is_fix(article: Article, tables: tuple[FileTable, ...], said: Iterable[Statement]) -> bool:
    """Whether an article describes something that can be installed: it lists files, names its installer, or is said to contain or
    replace fixes."""
    if tables:
        return True
    installer = re.compile(_INSTALLER.format(re.escape(article.id)), re.IGNORECASE)
    if installer.search(article.body()):
        return True
    kinds = (StatementKind.CONTAINS, StatementKind.REPLACES)
    return any(one.kind in kinds and one.subject.article == article.id for one in said)


def propose(article: Article, tables: tuple[FileTable, ...], said: Iterable[Statement]) -> FixProposal:
    """A proposal for the fix of ``article`` from its own tables and from all statements (its own and others') that name it."""
    about = [one for one in said if article.id in (one.subject.article, one.object.article)]
    ours = {kind: _names(article.id, about, kind, subject=True) for kind in StatementKind}
    theirs = {kind: _names(article.id, about, kind, subject=False) for kind in StatementKind}
    levels, fixes = _split(ours[StatementKind.REQUIRES])
    first = theirs[StatementKind.FIRST_CORRECTED]
    return FixProposal(
        id=article.id,
        article=article.id,
        title=article.title,
        products=article.products,
        tables=tables,
        contains=ours[StatementKind.CONTAINS],
        lacks=ours[StatementKind.LACKS],
        supersedes=ours[StatementKind.REPLACES],
        requires=fixes,
        requires_levels=levels,
        after=ours[StatementKind.FOLLOWS],
        breaks=ours[StatementKind.BREAKS],
        mends=theirs[StatementKind.BREAKS],
        superseded_by=theirs[StatementKind.REPLACES],
        contained_in=tuple(dict.fromkeys((*theirs[StatementKind.CONTAINS], *first))),
        services=tuple(dict.fromkeys(_SERVICE.findall(article.body()))),
        evidence=tuple(about),
        open_questions=tuple(_questions(tables, ours, theirs)),
    )


def _names(own: str, about: list[Statement], kind: StatementKind, *, subject: bool) -> tuple[str, ...]:
    """The other ends of statements of one kind in which ``own`` is the subject, or the object."""
    found = []
    for one in about:
        mine, other = (one.subject, one.object) if subject else (one.object, one.subject)
        if one.kind is kind and mine.article == own:
            found.append(other.article or str(other.level))
    return tuple(dict.fromkeys(found))


def _split(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Levels and fixes apart."""
    fixes = tuple(one for one in names if re.fullmatch(r"[A-Z]+-?[0-9]+", one))
    return tuple(one for one in names if one not in fixes), fixes


def _questions(
    tables: tuple[FileTable, ...], ours: dict[StatementKind, tuple[str, ...]], theirs: dict[StatementKind, tuple[str, ...]]
) -> Iterable[str]:
    if tables:
        yield _LACKING_DIGEST
    else:
        yield "The article lists no files."
    if len(tables) > 1:
        yield f"There are {len(tables)} tables of files, for several levels or languages: which one is meant?"
    both = sorted(set(ours[StatementKind.CONTAINS]) & set(theirs[StatementKind.CONTAINS]))
    if both:
        yield f"It is said to contain {', '.join(both)} and to be contained in it: which one is the later?"
    if len(ours[StatementKind.REQUIRES]) > 1:
        yield "Of the levels it requires any one is taken to do."
