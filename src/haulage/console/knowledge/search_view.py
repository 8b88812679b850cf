"""What the search page shows, made from a question and its answer: every choice as a link. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from haulage.console.frame.rendering import address
from haulage.engine.search.model import Answer, Facet, Hit, Question

PATH = "/knowledge"
WORDS: dict[Facet, str] = {
    Facet.PRODUCT: "Product",
    Facet.VERSION: "Version",
    Facet.TYPE: "Type",
    Facet.YEAR: "Year",
    Facet.KEYWORD: "Keyword",
}
"""In the order of the page."""
FACET_VALUES = 15
_OPEN = frozenset({Facet.PRODUCT, Facet.VERSION, Facet.TYPE})


class Asked(msgspec.Struct, frozen=True):
    """The parameters of the page's address."""

    q: str = ""
    product: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    after: str = ""

    def question(self, limit: int) -> Question:
        """As the index takes it."""
        return Question(text=self.q, only=self.only(), limit=limit, after=self.after)

    def only(self) -> dict[Facet, tuple[str, ...]]:
        """What the search is narrowed to; a value left empty, as a form sends it, narrows nothing."""
        chosen = {facet: tuple(value for value in getattr(self, facet.value) if value) for facet in WORDS}
        return {facet: values for facet, values in chosen.items() if values}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something the search is narrowed to, and the page without it."""

    facet: str
    value: str
    without: str


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a facet: where it leads (in, or out again if it is chosen)."""

    value: str
    articles: int
    where: str
    on: bool


class FacetView(msgspec.Struct, frozen=True, kw_only=True):
    """One facet."""

    words: str
    open: bool
    values: tuple[Value, ...]


class SearchView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    text: str
    only: Mapping[str, tuple[str, ...]]
    query: Mapping[str, str | tuple[str, ...]]
    total: int
    hits: tuple[Hit, ...]
    did_you_mean: str
    loosely: bool
    chosen: tuple[Choice, ...]
    facets: tuple[FacetView, ...]
    first: str
    """The first page, if this is a later one."""
    next: str
    """The next page; "" if there is none."""


def search_view(asked: Asked, answer: Answer) -> SearchView:
    """The page for an answer."""
    only = {facet.value: values for facet, values in asked.only().items()}
    query: dict[str, str | tuple[str, ...]] = {"q": asked.q, **only}
    return SearchView(
        text=asked.q,
        only=only,
        query=query,
        total=answer.total,
        hits=answer.hits,
        did_you_mean=answer.did_you_mean,
        loosely=answer.loosely,
        chosen=tuple(
            Choice(facet=name, value=value, without=_toggled(query, name, value))
            for name, values in only.items()
            for value in values
        ),
        facets=tuple(_facet(facet, answer, query) for facet in WORDS if answer.facets.get(facet)),
        first=address(PATH, query) if asked.after else "",
        next=address(PATH, query, after=answer.next) if answer.next else "",
    )


def _facet(facet: Facet, answer: Answer, query: Mapping[str, str | tuple[str, ...]]) -> FacetView:
    chosen = query.get(facet.value, ())
    values = tuple(
        Value(value=one.value, articles=one.articles, where=_toggled(query, facet.value, one.value), on=one.value in chosen)
        for one in answer.facets[facet][:FACET_VALUES]
    )
    return FacetView(words=WORDS[facet], open=facet in _OPEN or bool(chosen), values=values)


def _toggled(query: Mapping[str, str | tuple[str, ...]], name: str, value: str) -> str:
    """The page with a value chosen, or not any more."""
    before = query.get(name, ())
    assert not isinstance(before, str)
    after = tuple(one for one in before if one != value) if value in before else (*before, value)
    return address(PATH, query, **{name: after})
