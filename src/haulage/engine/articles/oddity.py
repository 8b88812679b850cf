"""What was odd about an article's source: counted and listed by the import report. Nothing odd is a reason to drop a line."""

from __future__ import annotations

import enum

import msgspec

MOST_DETAIL_CHARACTERS = 120


class OddityKind(enum.StrEnum):
    """The value is what the report prints."""

    NOT_ASCII = "bytes above 127, read as cp1252"
    NOT_CP1252 = "bytes that are no character of cp1252"
    LINE_ENDS = "other line ends than CRLF"
    TABS = "tabs, read as columns of eight"
    CONTROL_CHARACTERS = "control characters, shown as such"
    NO_TITLE = "no title"
    TITLE_CUT_THERE = "a title as long as its header allows, perhaps cut"
    TITLE_TOO_LONG = "a title too long, cut here"
    NO_DATE = "no date, or one that is none"
    NO_PHRASE = "the phrase before the products is missing"
    NO_PRODUCT = "no product"
    NO_VERSIONS = "no versions"
    NO_SECTIONS = "no section has a heading"
    EMPTY = "no text"
    UNEVEN_RULE = "a heading whose underline is of another length"
    NO_UNDERLINE = "a heading without an underline"
    NO_FOOTER = "no footer"
    NO_NOTICE = "no publisher's notice"
    KEYWORDS_CUT = "keywords cut at the width of the header"
    KEYWORDS_GLUED = "keywords without a space between them"
    KEYWORDS_DIFFER = "keywords in the header that the footer has not"
    WRAPPED_REFERENCE = "a reference whose title goes on in the next line"
    UNKNOWN_FIELD = "a field without a place of its own"
    CONTINUED_FIELD = "a field that goes on in the next line"
    LEFTOVER = "lines that could not be understood, kept as text"
    OTHER_NAME = "the file is named after another article"


class Oddity(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of oddity in one article, with the first instance."""

    kind: OddityKind
    detail: str = ""


class Oddities:
    """Collects the oddities of one article: each kind once, with its first detail."""

    def __init__(self) -> None:
        self._found: dict[OddityKind, str] = {}

    def add(self, kind: OddityKind, detail: str = "") -> None:
        """Note ``kind``; further ones of it add nothing."""
        if kind not in self._found:
            self._found[kind] = detail[:MOST_DETAIL_CHARACTERS]

    def all(self) -> tuple[Oddity, ...]:
        """In order of discovery."""
        return tuple(Oddity(kind=kind, detail=detail) for kind, detail in self._found.items())
