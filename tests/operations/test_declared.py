"""Files applied to a simulated hierarchy, on each kind of database: what a file says is there afterwards, and once is enough."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.domain.declared.comparing import Comparison, compare
from haulage.domain.declared.looking import look
from haulage.domain.declared.problems import Problems
from haulage.domain.declared.reading import read_declared
from haulage.domain.declared.writing import declared_text
from haulage.operations.declared import Outcome, apply_comparison
from tests.domain.worlds import ACTOR, HQ1, Lab, lab

FIRST = """\
format = 1
[points."CHI/p"]
url = "folder:/CHI/p"
[points."LA1/p"]
url = "folder:/LA1/p"
[groups]
shops = ["CHI/p", "LA1/p"]
west = ["LA1"]
[packages.demo]
source = "memory:demo"
to = ["@shops", "HQ1"]
"""
SECOND = """\
format = 1
[manage]
remove = ["assignments", "members", "points", "groups", "packages"]
[points."CHI/p"]
url = "folder:/CHI/p"
[groups]
shops = ["CHI/p"]
[packages.demo]
keep = 5
streams = "refuse"
to = ["@shops"]
[packages.other]
source = "memory:demo"
"""


@pytest.fixture
def here() -> Iterator[Lab]:
    with lab() as made:
        made.source(b"first")
        yield made


def text_of(here: Lab) -> str:
    with here.core(HQ1).database.reading() as tx:
        return declared_text(look(tx, HQ1))


def compared(here: Lab, text: str) -> Comparison:
    with here.core(HQ1).database.reading() as tx:
        present = look(tx, HQ1)
    return compare(read_declared(text), present, Problems(text))


def applied(here: Lab, text: str) -> list[Outcome]:
    return list(apply_comparison(here.desk(HQ1), ACTOR, compared(here, text)))


def test_q281754_what_a_file_says_is_there_and_applied_again_nothing_is_done(here: Lab) -> None:
    for text in (FIRST, SECOND):
        outcomes = applied(here, text)
        assert [one.error for one in outcomes] == [None] * len(outcomes)
        assert all(one.done for one in outcomes)
        assert compared(here, text).steps == ()
        assert compared(here, text_of(here)).steps == ()
        assert applied(here, text) == []
    assert len(here.said(HQ1, 30024)) == 2
    with here.core(HQ1).database.reading() as tx:
        present = look(tx, HQ1)
    demo, other = present.packages.values()
    assert (demo.keep, demo.streams, list(demo.direct), list(demo.groups)) == (5, "refuse", [], ["shops"])
    assert (set(present.points), set(present.groups), other.name) == ({"CHI/p"}, {"shops"}, "other")


def test_a_file_brings_content_to_places_and_takes_it_away(here: Lab) -> None:
    (package,) = {one.package for one in applied(here, FIRST) if one.package is not None}
    here.publish(package)
    here.settle()
    assert here.row(package, "LA1/p").present == 1
    applied(here, SECOND)
    here.settle()
    assert here.row(package, "CHI/p").present == 1
    assert here.row(package, "LA1").state.value == "removed"
