"""Reading in another process gives what reading here gives, in order, and outlives it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from haulage.base.errors import FormatError
from haulage.engine.articles import read_ahead as room
from haulage.engine.articles.archive import Found
from haulage.engine.articles.read_ahead import Read, read_ahead
from haulage.engine.articles.reading import read
from haulage.testing.archive_article import ArchiveArticle


def files(count: int, start: int = 500_000) -> list[Found]:
    made = (ArchiveArticle(id=f"Q{start + number}", sections={"STATUS": "See Q500002. " * 40}) for number in range(count))
    return [Found(name=f"{one.id}.TXT", data=one.as_text()) for one in made]


def test_many_articles_come_back_in_order_as_if_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BATCH_BYTES", 5000)
    refused = Found(name="link", refused=FormatError("link", "link is a link."))
    given = [*files(20), refused, Found(name="junk", data=b"no article"), *files(3, 600_000)]
    back = list(read_ahead(iter(given)))
    assert [one.name for one in back] == [one.name for one in given]
    for one in back:
        if isinstance(one, Read):
            assert one.reading == read(one.data, one.name)
    assert {one.name: one.refused.code for one in back if one.refused} == {"link": "link", "junk": "not-an-article"}
    assert sum(isinstance(one, Read) for one in back) == 23


def test_what_ends_the_source_is_raised_after_what_came_before_it() -> None:
    def source() -> Iterator[Found]:
        yield from files(2)
        raise FormatError("bad-archive", "It broke.")

    back: list[str] = []
    with pytest.raises(FormatError, match="It broke"):
        back.extend(one.name for one in read_ahead(source()))
    assert back == ["Q500000.TXT", "Q500001.TXT"]


def test_an_article_that_ends_the_process_is_refused_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    deadly = (
        "import os, haulage.engine.articles.read_ahead as room\n"
        "usual = room.read\n"
        "room.read = lambda data, name: os._exit(9) if name.startswith('deadly') else usual(data, name)\n"
        "room.main()\n"
    )
    monkeypatch.setattr(room, "_COMMAND", (*room._COMMAND[:2], "-c", deadly))
    given = [*files(3), Found(name="deadly.TXT", data=b"x"), *files(2, 600_000)]
    back = list(read_ahead(iter(given)))
    assert [one.refused.code if one.refused else "" for one in back] == ["", "", "", "article-ends-reader", "", ""]


def test_a_process_that_was_killed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BATCH_BYTES", 1)
    reader = room._Reader()
    os.kill(reader._process.pid, signal.SIGKILL)
    reader._process.wait()
    given = files(2)
    reader.begin(given)
    assert [isinstance(one, Read) for one in reader.finished(given)] == [True, True]
    reader.close()


def test_whoever_stops_early_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    process = room._started()
    monkeypatch.setattr(room, "_started", lambda: process)
    ahead = read_ahead(iter(files(5)))
    next(ahead)
    assert process.poll() is None
    ahead.close()  # type: ignore[attr-defined]
    assert process.poll() is not None


def test_i23_what_is_known_by_its_bytes_is_passed_on_in_its_place_and_not_read() -> None:
    given = files(4)
    known = {given[1].data, given[3].data}
    back = list(read_ahead(iter(given), known.__contains__))
    assert [one.name for one in back] == [one.name for one in given]
    assert [isinstance(one, Read) for one in back] == [True, False, True, False]
    assert [one.data for one in back] == [one.data for one in given]
