"""The search page keeps all of itself in its address."""

from __future__ import annotations

from haulage.console.frame.page import read_query
from haulage.console.knowledge.search_view import Asked, search_view
from haulage.engine.search.model import Answer, Count, Facet, Question

FACETS = {
    Facet.PRODUCT: (Count(value="Press & Co", articles=3), Count(value="Other", articles=1)),
    Facet.YEAR: (Count(value="2002", articles=4),),
}


def asked(**given: object) -> Asked:
    return Asked(**given)  # type: ignore[arg-type]


def test_a_question_goes_to_the_index_as_it_was_asked() -> None:
    query = read_query([("q", "a b"), ("product", "P"), ("product", "R"), ("after", "x"), ("unknown", "1")], Asked)
    assert query.question(20) == Question(text="a b", only={Facet.PRODUCT: ("P", "R")}, limit=20, after="x")


def test_an_empty_value_is_no_facet() -> None:
    query = read_query([("q", "a"), ("product", ""), ("year", ""), ("year", "2002")], Asked)
    assert query.question(20).only == {Facet.YEAR: ("2002",)}
    view = search_view(query, Answer(hits=(), total=4, facets=FACETS))
    assert [(one.facet, one.value) for one in view.chosen] == [("year", "2002")]


def test_a_value_leads_in_and_a_chosen_one_out_again() -> None:
    view = search_view(asked(q="x", year=("2002",)), Answer(hits=(), total=4, facets=FACETS))
    products, years = view.facets
    assert products.values[0].where == "/knowledge?q=x&year=2002&product=Press+%26+Co"
    assert not products.values[0].on
    assert (years.values[0].on, years.values[0].where) == (True, "/knowledge?q=x")
    assert [(one.facet, one.value, one.without) for one in view.chosen] == [("year", "2002", "/knowledge?q=x")]


def test_a_chosen_facet_stands_open() -> None:
    closed = search_view(asked(), Answer(hits=(), total=4, facets=FACETS))
    opened = search_view(asked(year=("2002",)), Answer(hits=(), total=4, facets=FACETS))
    assert [facet.open for facet in closed.facets] == [True, False]
    assert [facet.open for facet in opened.facets] == [True, True]


def test_pages_follow_each_other_with_everything_chosen() -> None:
    view = search_view(asked(q="x", product=("P",), after="20"), Answer(hits=(), total=99, facets={}, next="40"))
    assert (view.first, view.next) == ("/knowledge?q=x&product=P", "/knowledge?q=x&product=P&after=40")
    assert search_view(asked(q="x"), Answer(hits=(), total=9, facets={})).first == ""
