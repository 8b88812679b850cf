"""Filters as people write them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from haulage.base.errors import UsageError
from haulage.base.ids import SiteCode
from haulage.domain.telling.asked import NOBODY, Asked
from haulage.engine.status.message import MessageType, Severity, StatusFilter
from haulage.engine.status.on_server import STORE_SWEEP_REFUSED
from tests.domain.worlds import CHI, HQ1, LA1, lab

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def read(asked: Asked) -> StatusFilter:
    with lab() as world, world.core(HQ1).database.reading() as tx:
        return asked.filter(tx, NOW)


def test_words_find_the_same_in_every_database() -> None:
    with lab() as world:
        core = world.core(HQ1)
        with core.database.writing() as tx:
            for cause in ("the DISK is 100% full", 'a "quoted" word', "nothing"):
                core.journal.record(tx, STORE_SWEEP_REFUSED, cause=cause)
        with core.database.reading() as tx:
            for text, count in (("disk 100%", 1), ('"QUOTED"', 1), ("100_", 0), ("refused nothing", 0)):
                wanted = Asked(text=text, number=str(STORE_SWEEP_REFUSED.number)).filter(tx, NOW)
                assert len(core.journal.find(tx, wanted)) == count, text
            early = dataclasses.replace(StatusFilter(), since=NOW + dt.timedelta(days=36500))
            assert core.journal.find(tx, early) == []
            assert core.journal.count(tx, StatusFilter(numbers=(STORE_SWEEP_REFUSED.number, 99_999)))


def test_every_part_is_read() -> None:
    asked = Asked(
        package="HQ100001, HQ100002",
        place="CHI,LA1/SHOP",
        number="2302,2321,2302",
        severity="warning",
        type="audit,milestone",
        component="catalog",
        since="2h",
        until="2026-03-01",
        text="  disk  full ",
    )
    assert read(asked) == StatusFilter(
        packages=("HQ100001", "HQ100002"),  # type: ignore[arg-type]
        places=("CHI", "LA1/SHOP"),  # type: ignore[arg-type]
        numbers=(2302, 2321),
        at_least=Severity.WARNING,
        types=(MessageType.AUDIT, MessageType.MILESTONE),
        components=("catalog",),
        since=NOW - dt.timedelta(hours=2),
        until=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        words=("disk", "full"),
    )


def test_what_a_form_leaves_empty_narrows_nothing() -> None:
    assert read(Asked(package="", place="", severity="", since="", text=" ", below="")) == StatusFilter()


def test_at_or_below_a_site() -> None:
    assert read(Asked(below="CHI")).sites == (CHI, LA1)
    assert read(Asked(below="HQ1")).sites == ()
    assert read(Asked(below="LA1", site="HQ1")).sites == (NOBODY,)
    assert read(Asked(below="CHI", site="LA1")).sites == (LA1,)
    assert read(Asked(below="ZZZ")).sites == (SiteCode("ZZZ"),)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(number="2302;2303"), "bad-number"),
        (Asked(number="-1"), "bad-number"),
        (Asked(severity="bad"), "bad-severity"),
        (Asked(type="audit,all"), "bad-type"),
        (Asked(component="<script>"), "bad-component"),
        (Asked(since="yesterday"), "bad-moment"),
        (Asked(until="0001-01-01T00:00:00+14:00"), "bad-moment"),
        (Asked(text="x" * 201), "bad-text"),
        (Asked(text="a b c d e f g h i"), "bad-text"),
        (Asked(number=",".join(map(str, range(101)))), "too-many-values"),
        (Asked(site="CHI'"), "bad-site-code"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: Asked, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(asked)
    assert refused.value.code == code
