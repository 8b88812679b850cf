"""The report counts everything, lists what is bounded, and shows nothing that acts on a terminal."""

from __future__ import annotations

from haulage.base.errors import FormatError
from haulage.engine.articles.import_report import MOST_LISTED, ImportReport
from haulage.engine.articles.reading import read
from haulage.testing.archive_article import ArchiveArticle


def test_counts_by_form_section_lack_and_oddity() -> None:
    report = ImportReport()
    for data in (ArchiveArticle().as_text(), ArchiveArticle(title="", products=(), product="").as_web()):
        report.file(len(data))
        report.take("Q500001.TXT", read(data, "Q500001.TXT"))
    counts = report.counts()
    assert (counts["files"], counts["forms"]) == (2, {"archive-text": 1, "archive-web": 1})
    assert counts["sections"] == {"symptoms": 2}
    lacking = counts["lacking"]
    assert isinstance(lacking, dict)
    assert (lacking["title"], lacking["products"], lacking["sections"], lacking["date"]) == (1, 1, 0, 0)
    assert counts["oddities"] == {"no title": 1, "no product": 1, "other line ends than CRLF": 1}


def test_refusals_are_all_counted_and_boundedly_listed() -> None:
    report = ImportReport()
    for number in range(MOST_LISTED + 10):
        report.refuse(f"bad\x1b[2J{number}", FormatError("not-an-article", "No.\u202e"))
    counts = report.counts()
    assert counts["refused"] == {"not-an-article": MOST_LISTED + 10}
    listed = counts["refused_files"]
    assert isinstance(listed, list)
    assert len(listed) == MOST_LISTED
    assert all(line["name"].isprintable() and line["detail"].isprintable() for line in listed)
