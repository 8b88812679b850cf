"""What an article is, whatever form it came in. Must not know files, archives, tables or an index.

An article is kept whole: every line of its source that is not part of a named field stands in a section, in the notice, or in
``leftover``. What one reads out of the text beyond that (statements about fixes, file tables, signatures) is derived, and can be
derived again at any time.
"""

from __future__ import annotations

import datetime as dt
import enum
import re

import msgspec

from haulage.base.errors import UsageError

MOST_TITLE_CHARACTERS = 1000
"""A longer title is cut there, and the cut reported; the archive's own stop at about 63 or, in references, 200."""
MOST_SOURCE_BYTES = 4 << 20
"""The longest article of the archive has less than 512 KiB."""

_ID = re.compile(r"([A-Za-z]{1,8})(-?)([0-9]{1,7})")


class Form(enum.StrEnum):
    """The form an article came in."""

    ARCHIVE_TEXT = "archive-text"
    """A file with headers from the KnowledgeBase Archive."""
    ARCHIVE_WEB = "archive-web"
    """The text of a page of the KnowledgeBase Archive."""
    MARKDOWN = "markdown"
    """An article of one's own: TOML front matter and Markdown."""


class SectionKind(enum.StrEnum):
    """What a section is about; the order is the order of reading."""

    OPENING = "opening"
    """What stands before the first heading."""
    SUMMARY = "summary"
    SYMPTOMS = "symptoms"
    CAUSE = "cause"
    RESOLUTION = "resolution"
    WORKAROUND = "workaround"
    STATUS = "status"
    MORE_INFORMATION = "more-information"
    REFERENCES = "references"
    OTHER = "other"
    """A heading of the author's own."""


class Subsection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a section under a heading of its own."""

    heading: str
    text: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A section in reading order. ``text`` is what stands before the first subsection; lines end with ``\\n``, no tabs; in an
    article of the archive indented lines are as wide as the author made them, in one's own the text is Markdown."""

    kind: SectionKind
    heading: str
    """As written; "" for the opening."""
    text: str
    subsections: tuple[Subsection, ...] = ()

    def whole(self) -> str:
        """The text with its subsections and their headings, for searching and reading."""
        parts = [self.text, *(f"{one.heading}\n\n{one.text}" for one in self.subsections)]
        return "\n\n".join(part for part in parts if part)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product the article applies to, with the versions named beside it."""

    name: str
    versions: tuple[str, ...] = ()
    """As written, one each: ``2.0``, ``1.2 SP4``. Empty: none was named."""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says of versions: ``winnt:3.5,3.51`` is platform ``winnt`` with two versions."""

    name: str
    """"" where the header names no platform."""
    versions: tuple[str, ...] = ()


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Another article named in this one."""

    target: str
    """Its id."""
    title: str
    """Its title as written here, unwrapped; "" where only the id stands."""
    section: SectionKind
    """Where it was first named."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where an article came from."""

    form: Form
    name: str
    """The path within what was imported, or the file's name."""
    sha256: str
    """Of the bytes as found, hexadecimal: the same digest is the same article, unchanged."""
    size_bytes: int


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One article. Nothing in it is trusted: text is text, to be escaped where it is shown."""

    id: str
    title: str
    products: tuple[Product, ...] = ()
    platforms: tuple[Platform, ...] = ()
    operating_systems: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    keywords: tuple[str, ...] = ()
    technology: tuple[str, ...] = ()
    """Keywords that stand for products (``kbSMS200SP3``)."""
    query_words: tuple[str, ...] = ()
    """Words its author added for searching only."""
    tags: tuple[str, ...] = ()
    """Where the archive filed it (``sms``)."""
    type: str = ""
    """``kbbug``, ``kbinfo``, ``kbhowto``, ``kbprb``, …; "" where not told."""
    solution: str = ""
    """``kbfix``, ``kbpending``, …; "" where not told."""
    created: dt.date | None = None
    modified: dt.date | None = None
    references: tuple[Reference, ...] = ()
    """Each target once, in order of first mention."""
    resolved_by: tuple[str, ...] = ()
    """Articles whose fix also resolves this one's problem, most recommended first, as its own text or front matter says."""
    messages: tuple[int, ...] = ()
    """Numbers of status messages the article says it is about."""
    errors: tuple[str, ...] = ()
    """Error codes and phrases the article says it is about, as written. Only one's own articles declare messages and errors;
    of others the index finds them in the text."""
    components: tuple[str, ...] = ()
    """Components named by the front matter of one's own articles."""
    headers: tuple[tuple[str, str], ...] = ()
    """Named fields of header and footer that have no place above (``Hardware``), name and value as written."""
    leftover: str = ""
    """Lines that could not be understood; they are text, searched and shown like any other."""
    notice: str = ""
    """The publisher's notice at the end. There are few different ones: keep each once."""
    source: Source

    def section(self, kind: SectionKind) -> str:
        """The text of all sections of one kind; "" without one."""
        return "\n\n".join(one.whole() for one in self.sections if one.kind is kind)

    def body(self) -> str:
        """Everything a reader reads, headings included, notice and headers not."""
        parts = [f"{one.heading}\n\n{one.whole()}" if one.heading else one.whole() for one in self.sections]
        return "\n\n".join([*parts, self.leftover] if self.leftover else parts)


def article_id(text: str) -> str:
    """The id in its one spelling: letters (upper case), perhaps a dash, a number; ``q316316`` is ``Q316316``.

    Raises :class:`UsageError` for anything else."""
    found = _ID.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            "bad-article-id", f"{text[:80]!r} is not the id of an article.", "Use letters and a number, such as Q316316."
        )
    letters, dash, number = found.groups()
    return f"{letters.upper()}{dash}{number}"
