"""What somebody means who typed a few letters: the one thing they name exactly, or a few best matches of each kind. Bounded,
whatever was typed."""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Callable, Sequence

import msgspec

from haulage.base.errors import HaulageError
from haulage.base.ids import GroupName, SiteCode, group_name, is_group, is_point, package_id, place, site_of, version_ref
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.fixes import records as fixes
from haulage.domain.groups import records as groups
from haulage.domain.knowledge import records as knowledge
from haulage.domain.reporting.finding import records
from haulage.domain.transit import records as transit
from haulage.engine.articles.article import article_id
from haulage.engine.database.transaction import Transaction
from haulage.engine.search.model import Answer, Question
from haulage.engine.status import catalogue

MOST = 8
"""Matches of each kind that are shown."""
CHARACTERS = 200
"""What is longer is no name of anything; it is cut there."""
WORDS = 8
_AT = re.compile(r"([A-Za-z0-9]{8})(?::[0-9]+)?\s*(?:@|\s+at\s+)\s*(\S+)")


class Kind(enum.Enum):
    """What can be named exactly."""

    PACKAGE = "package"
    VERSION = "version"
    PACKAGE_AT = "package-at"
    SITE = "site"
    POINT = "point"
    GROUP = "group"
    NUMBER = "number"
    ARTICLE = "article"
    FIX = "fix"


class Exactly(msgspec.Struct, frozen=True, kw_only=True):
    """The thing that was named; ``name`` in its one spelling, ``more`` the version's number or the place."""

    kind: Kind
    name: str
    more: str = ""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Something whose name is like what was typed."""

    id: str
    name: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found; with ``exactly`` nothing else was looked for."""

    q: str
    exactly: Exactly | None = None
    packages: Sequence[Match] = ()
    sites: Sequence[Match] = ()
    points: Sequence[str] = ()
    groups: Sequence[str] = ()
    numbers: Sequence[Match] = ()
    articles: Sequence[Match] = ()
    articles_ready: bool = True
    """False while the index of articles cannot be asked."""

    @property
    def nothing(self) -> bool:
        """Whether nothing is like it."""
        return not (self.packages or self.sites or self.points or self.groups or self.numbers or self.articles)


def find(tx: Transaction, here: SiteCode, typed: str, search: Callable[[Question], Answer]) -> Found:
    """The thing that is meant, or what is like it. Nothing for nothing."""
    q = " ".join(typed.split())[:CHARACTERS]
    if not q:
        return Found(q="")
    exactly = named(tx, here, q)
    if exactly is not None:
        return Found(q=q, exactly=exactly)
    words = q.split(" ")[:WORDS]
    articles, ready = _articles(search, q)
    return Found(
        q=q,
        packages=[Match(id=id_, name=name) for id_, name in records.packages_like(tx, words, MOST)],
        sites=[Match(id=code, name=name) for code, name in records.sites_like(tx, words, MOST)],
        points=records.points_like(tx, words, MOST),
        groups=records.groups_like(tx, here, [word.removeprefix("@") or word for word in words], MOST),
        numbers=_numbers(words),
        articles=articles,
        articles_ready=ready,
    )


def named(tx: Transaction, here: SiteCode, q: str) -> Exactly | None:
    """The one thing of this very name that there is; letters of either case. A site goes before a number of three digits."""
    for look in (_package_at, _package, _place, _group, _number, _article):
        with contextlib.suppress(HaulageError):
            found = look(tx, here, q)
            if found is not None:
                return found
    return None


def _package_at(tx: Transaction, _here: SiteCode, q: str) -> Exactly | None:
    parts = _AT.fullmatch(q)
    if parts is None:
        return None
    package, where = package_id(parts[1].upper()), place(_spelled(parts[2]))
    known = catalog.find_package(tx, package)
    if known is None:
        return None
    meant = where in known.assignments or transit.find_shipment(tx, package, where) is not None
    return Exactly(kind=Kind.PACKAGE_AT, name=package, more=where) if meant else None


def _package(tx: Transaction, _here: SiteCode, q: str) -> Exactly | None:
    package, number = version_ref(q.upper())
    if catalog.find_package(tx, package) is None:
        return None
    if number is not None and catalog.find_version(tx, package, number) is not None:
        return Exactly(kind=Kind.VERSION, name=package, more=str(number))
    return Exactly(kind=Kind.PACKAGE, name=package)


def _place(tx: Transaction, _here: SiteCode, q: str) -> Exactly | None:
    where = place(_spelled(q))
    if is_point(where):
        return Exactly(kind=Kind.POINT, name=where) if estate.find_point(tx, where) is not None else None
    return Exactly(kind=Kind.SITE, name=where) if estate.find_site(tx, site_of(where)) is not None else None


def _spelled(where: str) -> str:
    """A site's code is in capitals; a point's name is as it is."""
    code, slash, point = where.partition("/")
    return f"{code.upper()}{slash}{point}"


def _group(tx: Transaction, here: SiteCode, q: str) -> Exactly | None:
    if not is_group(q):
        return None
    name: GroupName = group_name(q.lower())
    return Exactly(kind=Kind.GROUP, name=name) if groups.find_group(tx, here, name) is not None else None


def _number(_tx: Transaction, _here: SiteCode, q: str) -> Exactly | None:
    known = q.isdecimal() and q.isascii() and len(q) < 10 and int(q) in catalogue.MESSAGES
    return Exactly(kind=Kind.NUMBER, name=str(int(q))) if known else None


def _article(tx: Transaction, _here: SiteCode, q: str) -> Exactly | None:
    name = article_id(f"Q{q}" if q.isdecimal() else q)
    if knowledge.articles_of(tx, [name]):
        return Exactly(kind=Kind.ARTICLE, name=name)
    return Exactly(kind=Kind.FIX, name=name) if fixes.find_fixes(tx, name) else None


def _numbers(words: Sequence[str]) -> list[Match]:
    small = [word.lower() for word in words]
    every = catalogue.MESSAGES.values()
    said = [one for one in every if all(word in one.name or word in str(one.number) for word in small)]
    return [Match(id=str(one.number), name=one.name.replace("-", " ")) for one in said[:MOST]]


def _articles(search: Callable[[Question], Answer], q: str) -> tuple[list[Match], bool]:
    try:
        hits = search(Question(text=q, limit=MOST)).hits
    except HaulageError:
        return [], False
    return [Match(id=hit.id, name=hit.title) for hit in hits], True
