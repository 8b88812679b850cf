"""One article out of the bytes of one file, whatever form they are in, with everything that was odd. Must not know where the bytes
came from."""

from __future__ import annotations

import hashlib

import msgspec

from haulage.base.errors import FormatError
from haulage.engine.articles.archive_text import archive_text, is_archive_text
from haulage.engine.articles.archive_web import archive_web, is_archive_web
from haulage.engine.articles.article import Article
from haulage.engine.articles.file_tables import FileTable, file_tables
from haulage.engine.articles.lines import source_lines
from haulage.engine.articles.markdown import is_markdown, markdown
from haulage.engine.articles.oddity import Oddities, Oddity
from haulage.engine.articles.statement import Statement
from haulage.engine.articles.supersedence import resolved_by, statements


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """An article as read, what was odd about its source, and what its text says about fixes."""

    article: Article
    oddities: tuple[Oddity, ...] = ()
    statements: tuple[Statement, ...] = ()
    tables: tuple[FileTable, ...] = ()
    """Files of its fix."""


def read(data: bytes, name: str) -> Reading:
    """Read one article of any form; ``name`` is the path it came from.

    Raises :class:`FormatError` ``not-an-article`` where no form fits, ``article-too-big``, and for one's own articles the errors
    of :mod:`haulage.engine.articles.markdown`."""
    oddities = Oddities()
    sha256 = hashlib.sha256(data).hexdigest()
    if is_markdown(data):
        return Reading(article=markdown(data, name, sha256))
    lines = source_lines(data, oddities)
    if is_archive_text(lines):
        article = archive_text(lines, name, sha256, len(data), oddities)
    elif is_archive_web(lines):
        article = archive_web(lines, name, sha256, len(data), oddities)
    else:
        raise FormatError(
            "not-an-article",
            f"{name!r} is in none of the forms of an article.",
            "An article starts with a DOCUMENT header, holds an Article: line, or starts with front matter between +++ lines.",
        )
    said = statements(article)
    solved = resolved_by(article, said)
    return Reading(
        article=msgspec.structs.replace(article, resolved_by=solved) if solved else article,
        oddities=oddities.all(),
        statements=said,
        tables=file_tables(article),
    )
