"""Tables of files in every shape the archive has them in."""

from __future__ import annotations

import datetime as dt

import pytest

from haulage.engine.articles.file_tables import FileFact, FileTable, file_tables, row, unread_rows
from haulage.engine.articles.reading import read
from haulage.testing.archive_article import ArchiveArticle

D = dt.date(2001, 3, 1)
TABLE = """The English version of this fix for SMS 2.0 Service Pack 3 (SP3) should have these attributes or later:

   Date         Time   Version        Size       File name     Platform
   ---------------------------------------------------------------------
   01-Mar-2001  21:45  2.0.1493.3269  2,436,880  Basesvr.dll   Alpha
   10-May-2002  23:51                     1,193  Update.sql

   01-Mar-2001  21:45  2.0.1493.3269  1,583,008  Basesvr.dll   INTEL

The files below are for another level, Service Pack 4:

   Date         Time   Version        Size       File name     Platform
   ---------------------------------------------------------------------
   01-Mar-2001  21:45  2.0.1493.4000  1,583,008  Basesvr.dll   INTEL
"""


def tables(text: str) -> tuple[FileTable, ...]:
    return file_tables(read(ArchiveArticle(sections={"RESOLUTION": text}).as_text(), "a").article)


def test_tables_with_their_introduction_and_level() -> None:
    first, second = tables(TABLE)
    assert (str(first.level), str(second.level)) == ("2.0 SP3", "SP4")
    assert first.introduction.startswith("The English version")
    assert first.files == (
        FileFact(name="Basesvr.dll", version="2.0.1493.3269", size_bytes=2436880, date=D, time="21:45", platform="Alpha"),
        FileFact(name="Update.sql", size_bytes=1193, date=dt.date(2002, 5, 10), time="23:51"),
        FileFact(name="Basesvr.dll", version="2.0.1493.3269", size_bytes=1583008, date=D, time="21:45", platform="INTEL"),
    )


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (
            "08/23/99  11:06p    115,040  Ad_adm.dll       I386       2.00.1380.1018",
            FileFact(
                name="Ad_adm.dll",
                version="2.00.1380.1018",
                size_bytes=115040,
                date=dt.date(1999, 8, 23),
                time="11:06p",
                platform="I386",
            ),
        ),
        (
            "04/22/98   08:18 PM        182KB      Climonnt.exe (Alpha)",
            FileFact(name="Climonnt.exe", rough_size="182KB", date=dt.date(1998, 4, 22), time="08:18PM", platform="Alpha"),
        ),
        (
            "3/2/99   1:03PM      283,104 bytes   Inv32cli.exe   Intel",
            FileFact(name="Inv32cli.exe", size_bytes=283104, date=dt.date(1999, 3, 2), time="1:03PM", platform="Intel"),
        ),
        (
            "03/23/2000  09:27p  786      649,488  Sightnt.dll   alpha",
            FileFact(
                name="Sightnt.dll", version="786", size_bytes=649488, date=dt.date(2000, 3, 23), time="09:27p", platform="alpha"
            ),
        ),
        (
            "5/6/99   6:30pm   1.2(build 786)     469,936   Pcmwin32.exe   x86",
            FileFact(
                name="Pcmwin32.exe",
                version="1.2(build786)",
                size_bytes=469936,
                date=dt.date(1999, 5, 6),
                time="6:30pm",
                platform="x86",
            ),
        ),
        ("Replace the Basesvr.dll file in the folder", None),
        ("1/16/2001 2:27:39 PM  Card at index 1 is not valid for assignment  CliEx32.dll  429", None),
        ("31-Feb-2001 x.dll", None),
        ("", None),
    ],
)
def test_rows(line: str, fact: FileFact | None) -> None:
    assert row(line) == fact


def test_a_row_that_is_not_understood_is_told() -> None:
    text = "Files:\n\n   01-Mar-2001  21:45  Basesvr.dll  one two three four five six seven eight nine\n"
    article = read(ArchiveArticle(sections={"STATUS": text}).as_text(), "a").article
    assert file_tables(article) == ()
    assert len(unread_rows(article)) == 1
