"""What an import came across, counted: forms, sections, oddities, statements, and what was not taken. Nothing is dropped without a
line in it; lists are bounded, counts are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

from haulage.base.errors import HaulageError
from haulage.base.text import shown
from haulage.engine.articles.article import Article
from haulage.engine.articles.reading import Reading

MOST_LISTED = 200
_LACKS: dict[str, Callable[[Article], bool]] = {
    "title": lambda article: not article.title,
    "products": lambda article: not article.products,
    "versions": lambda article: not (article.platforms or any(one.versions for one in article.products)),
    "date": lambda article: article.modified is None and article.created is None,
    "sections": lambda article: not any(one.heading for one in article.sections),
    "text": lambda article: not article.sections,
}


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One line about one file: refused, or odd."""

    name: str
    kind: str
    """The error's code, or the oddity."""
    detail: str


class ImportReport:
    """Collects while articles are read. ``lacking`` is counted for every article, whether its form is odd or not."""

    def __init__(self) -> None:
        self.files = 0
        self.size_bytes = 0
        self.forms: Counter[str] = Counter()
        self.sections: Counter[str] = Counter()
        self.lacking: Counter[str] = Counter()
        self.oddities: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.references = 0
        self.with_tables = 0
        self.table_rows = 0
        self.refused_files: list[Remark] = []
        self.odd_files: list[Remark] = []

    def file(self, size_bytes: int) -> None:
        """A file was come across, whatever becomes of it."""
        self.files += 1
        self.size_bytes += size_bytes

    def refuse(self, name: str, error: HaulageError) -> None:
        """A file that was not taken, and why."""
        self.refused[error.code] += 1
        if len(self.refused_files) < MOST_LISTED:
            self.refused_files.append(Remark(name=shown(name, limit=300), kind=error.code, detail=shown(error.message, limit=300)))

    def take(self, name: str, reading: Reading) -> None:
        """An article that was read."""
        article = reading.article
        self.forms[article.source.form] += 1
        self.sections.update({one.kind.value for one in article.sections})
        self.lacking.update(what for what, lacks in _LACKS.items() if lacks(article))
        self.references += len(article.references)
        self.statements.update(one.kind.value for one in reading.statements)
        self.with_tables += bool(reading.tables)
        self.table_rows += sum(len(one.files) for one in reading.tables)
        for oddity in reading.oddities:
            self.oddities[oddity.kind] += 1
            if len(self.odd_files) < MOST_LISTED:
                self.odd_files.append(Remark(name=shown(name, limit=300), kind=oddity.kind, detail=shown(oddity.detail)))

    def counts(self) -> dict[str, object]:
        """Everything as plain values, to be stored and shown."""
        return {
            "files": self.files,
            "bytes": self.size_bytes,
            "forms": dict(self.forms),
            "sections": dict(self.sections.most_common()),
            "lacking": {what: self.lacking[what] for what in _LACKS},
            "references": self.references,
            "oddities": dict(self.oddities.most_common()),
            "statements": dict(self.statements.most_common()),
            "articles_with_file_tables": self.with_tables,
            "files_in_tables": self.table_rows,
            "refused": dict(self.refused.most_common()),
            "refused_files": [msgspec.to_builtins(one) for one in self.refused_files],
            "odd_files": [msgspec.to_builtins(one) for one in self.odd_files],
        }
