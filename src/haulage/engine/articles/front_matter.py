"""The front matter of one's own article: TOML between two lines of ``+++``, strictly read. Pure."""

from __future__ import annotations

import datetime as dt
import re
import tomllib

import msgspec

from haulage.base.errors import FormatError, UsageError
from haulage.engine.articles.article import MOST_TITLE_CHARACTERS, article_id

FENCE = "+++"
MOST_LINES = 500


class FrontMatter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys an own article may have; the first two it must."""

    id: str
    title: str
    products: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    """They belong to every product named."""
    messages: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    query_words: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    resolved_by: tuple[str, ...] = ()
    type: str = ""
    solution: str = ""
    created: dt.date | None = None
    modified: dt.date | None = None


KEYS = tuple(FrontMatter.__struct_fields__)


def split(lines: list[str], name: str) -> tuple[list[str], int]:
    """The lines between the fences, and the number (from 0) of the first line after them."""
    end = next((at for at in range(1, min(len(lines), MOST_LINES)) if lines[at] == FENCE), None)
    if end is None:
        raise FormatError(
            "front-matter-open", f"{name}: the front matter that starts on line 1 has no end.", f"Close it with a line {FENCE}."
        )
    return lines[1:end], end + 1


def front_matter(lines: list[str], name: str) -> FrontMatter:
    """Read the lines between the fences; line numbers in errors are those of the file.

    Raises :class:`FormatError` ``bad-front-matter``, ``unknown-key`` naming the line, ``bad-value``."""
    try:
        found = tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError("bad-front-matter", f"{name}: the front matter is no TOML: {_moved(str(error))}.") from None
    for key in found:
        if key not in KEYS:
            line = _line_of(lines, key)
            raise FormatError("unknown-key", f"{name}, line {line}: unknown key {key[:80]!r}.", f"Keys are: {', '.join(KEYS)}.")
    try:
        read = msgspec.convert(found, FrontMatter, strict=True)
    except msgspec.ValidationError as error:
        named = re.search(r"\$\.(\w+)|field `(\w+)`", str(error))
        line = _line_of(lines, (named[1] or named[2]) if named else "")
        raise FormatError("bad-value", f"{name}, line {line}: {error}.", "See docs/knowledge.md for what each key takes.") from None
    return _checked(read, lines, name)


def _checked(read: FrontMatter, lines: list[str], name: str) -> FrontMatter:
    """Ids in their one spelling, a title that is one visible line."""
    title = " ".join(read.title.split(" "))
    if not title.strip() or not title.isprintable() or len(title) > MOST_TITLE_CHARACTERS:
        raise FormatError(
            "bad-value",
            f"{name}, line {_line_of(lines, 'title')}: a title is one line of 1 to {MOST_TITLE_CHARACTERS} visible characters.",
        )
    ids = {}
    for key in ("id", "references", "resolved_by"):
        value = getattr(read, key)
        try:
            ids[key] = article_id(value) if isinstance(value, str) else tuple(map(article_id, value))
        except UsageError as error:
            raise FormatError("bad-value", f"{name}, line {_line_of(lines, key)}: {error.message}", error.hint) from None
    return msgspec.structs.replace(read, title=title.strip(), **ids)


def _line_of(lines: list[str], key: str) -> int:
    """The number of the line (from 1, in the file) that sets ``key``; that of the fence if none does."""
    spelt = re.compile(rf"\s*(?:\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(?:=|\]|\.)")
    return next((at + 2 for at, line in enumerate(lines) if spelt.match(line)), 1)


def _moved(message: str) -> str:
    """A TOML error with its line counted from the top of the file."""
    return re.sub(r"line (\d+)", lambda found: f"line {int(found[1]) + 1}", message)
