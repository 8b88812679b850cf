"""The header of either form of the archive, and an article put together from header and body. Must not know how one is spelt."""

from __future__ import annotations

import datetime as dt
import re

import msgspec

from haulage.base.text import shown
from haulage.engine.articles.article import MOST_TITLE_CHARACTERS, Article, Form, Product, Source
from haulage.engine.articles.body import Body, body
from haulage.engine.articles.keywords import keywords
from haulage.engine.articles.lines import tidy
from haulage.engine.articles.oddity import Oddities, OddityKind
from haulage.engine.articles.references import references
from haulage.engine.articles.sections import sections
from haulage.engine.articles.versions import platforms

MONTHS = {
    name: number
    for number, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1)
}
_DATE = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")
_NAMED = re.compile(r"(Q[0-9]{4,7})\.[A-Za-z]{3,4}", re.IGNORECASE)
_KNOWN = ("Keywords", "Technology", "Version", "Issue type", "Solution Type")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a header as written, "" where missing."""

    id: str
    date: str
    title: str
    product: str
    versions: str
    systems: str
    keywords: str
    tags: tuple[str, ...]
    others: dict[str, str]
    strange: tuple[str, ...]
    """Lines that are no field."""
    title_width: int | None
    """Where this form cuts titles, if it does."""


def article_of(
    form: Form, header: Header, lines: list[str], name: str, sha256: str, size_bytes: int, oddities: Oddities
) -> Article:
    """The article of a header and the lines below it."""
    below = body(lines, oddities)
    parts = sections(below.text, oddities)
    others = {**header.others, **{key: value for key, value in below.footer.items() if key not in _KNOWN}}
    leftover = [*header.strange, *below.leftover]
    _note(header, others, leftover, name, oddities)
    return Article(
        id=header.id,
        title=_title(header, oddities),
        products=_products(header, below, oddities),
        platforms=platforms(header.versions or below.footer.get("Version", "")),
        operating_systems=tuple(dict.fromkeys((*_listed(header.systems), *below.applies.systems))),
        sections=parts,
        keywords=keywords(header.keywords, below.footer.get("Keywords"), oddities),
        technology=tuple(below.footer.get("Technology", "").split()),
        query_words=below.query_words,
        tags=header.tags,
        type=below.footer.get("Issue type", ""),
        solution=below.footer.get("Solution Type", ""),
        modified=_date(header.date, oddities),
        references=references(parts, header.id, oddities),
        headers=tuple(others.items()),
        leftover=tidy(leftover),
        notice=below.notice,
        source=Source(form=form, name=name, sha256=sha256, size_bytes=size_bytes),
    )


def title_of(text: str, oddities: Oddities) -> str:
    """A title fit to be one line anywhere: spaces are single, what controls or reverses a line is escaped, its length bounded."""
    title = " ".join(text.split())
    if not title:
        oddities.add(OddityKind.NO_TITLE)
    if len(title) > MOST_TITLE_CHARACTERS:
        oddities.add(OddityKind.TITLE_TOO_LONG, f"{len(title)} characters")
        title = title[:MOST_TITLE_CHARACTERS]
    return title if title.isprintable() else shown(title.replace("\u00a0", " "), limit=MOST_TITLE_CHARACTERS)


def _title(header: Header, oddities: Oddities) -> str:
    title = title_of(header.title, oddities)
    if header.title_width is not None and len(title) >= header.title_width:
        oddities.add(OddityKind.TITLE_CUT_THERE, title[-20:])
    return title


def _products(header: Header, below: Body, oddities: Oddities) -> tuple[Product, ...]:
    """The products below the header, which have versions; without any, those of the header, which have not."""
    found = below.applies.products or tuple(Product(name=one) for one in _listed(header.product))
    if not found:
        oddities.add(OddityKind.NO_PRODUCT)
    if not header.versions.strip(" :") and not any(one.versions for one in found):
        oddities.add(OddityKind.NO_VERSIONS)
    return found


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(";") if one.strip()]


def _date(text: str, oddities: Oddities) -> dt.date | None:
    found = _DATE.fullmatch(text.strip())
    try:
        if found is not None:
            return dt.date(int(found[3]), MONTHS[found[2].upper()], int(found[1]))
    except (KeyError, ValueError):
        pass
    oddities.add(OddityKind.NO_DATE, text)
    return None


def _note(header: Header, others: dict[str, str], leftover: list[str], name: str, oddities: Oddities) -> None:
    """Note what is odd about a header and what was left over."""
    named = _NAMED.fullmatch(name.rpartition("/")[2])
    if named is not None and named[1].upper() != header.id:
        oddities.add(OddityKind.OTHER_NAME, f"{name} holds {header.id}")
    if others:
        oddities.add(OddityKind.UNKNOWN_FIELD, next(iter(others)))
    if leftover:
        oddities.add(OddityKind.LEFTOVER, leftover[0])
