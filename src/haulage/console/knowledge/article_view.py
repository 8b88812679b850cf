"""What the article page shows, made from an article and how it stands to others. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from haulage.engine.articles.article import Article, Form, Product, Subsection
from haulage.engine.articles.fix_graph import Edge, FixGraph
from haulage.engine.articles.graph_layout import Picture, picture


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Another article beside this one."""

    id: str
    title: str
    held: bool
    """Whether it is here; only then it can be opened."""
    evidence: str = ""
    """The sentence that says so."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """``over`` contains or replaces ``under``."""

    under: str
    over: str
    how: str
    """``contained-in`` or ``replaced-by``."""
    said_by: str
    """``bundle``, ``person`` or ``text``."""
    evidence: str


class Helps(msgspec.Struct, frozen=True, kw_only=True):
    """The fix that helps with an article's problem now."""

    fix: str
    title: str
    own: bool
    """It is the article's own, and nothing replaces it."""
    known: bool
    """The site has a definition of it, which has a page."""
    here: bool
    """Its bundle is at this site."""
    run: str
    """Where the bundle lies for whoever runs it; "" if it must be extracted first."""
    package: str
    states: tuple[str, ...]
    """What it was found to be, and where."""
    chain: tuple[Step, ...]
    held: tuple[str, ...]
    """Articles of the chain that can be opened."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A section with the name it is reached by."""

    anchor: str
    kind: str
    heading: str
    text: str
    subsections: tuple[Subsection, ...]


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """How an article stands to others, as the tables say."""

    titles: Mapping[str, str]
    """Of all articles named here that are held."""
    references: Sequence[tuple[str, str]] = ()
    """(id, title as written) of what it names."""
    referenced_by: Sequence[str] = ()
    resolves: Sequence[str] = ()
    """What its fix also resolves."""
    recommended: Sequence[str] = ()
    """Articles whose fix its own text recommends instead, most recommended first."""
    edges: Sequence[Edge] = ()
    """Of fixes, also those further away."""
    below_left_out: int = 0
    """Fixes it contains that are not among the edges: a picture of hundreds shows nothing."""
    helps: Helps | None = None


class ArticleView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    id: str
    title: str
    owner: str
    form: str
    type: str
    products: tuple[Product, ...]
    operating_systems: tuple[str, ...]
    created: str
    modified: str
    messages: tuple[int, ...]
    errors: tuple[str, ...]
    keywords: tuple[str, ...]
    sections: tuple[Part, ...]
    helps: Helps | None
    recommended: tuple[Link, ...]
    references: tuple[Link, ...]
    referenced_by: tuple[Link, ...]
    fixes: tuple[Link, ...]
    picture: Picture | None
    """None if nothing stands beside it."""
    leftover: str
    notice: str
    held: tuple[str, ...]
    """Articles named in the text that can be opened."""

    @property
    def is_markdown(self) -> bool:
        """Whether the sections are Markdown; otherwise they are the archive's text."""
        return self.form == Form.MARKDOWN


def article_view(article: Article, around: Around, *, owner: str = "") -> ArticleView:
    """The page of an article."""
    written = {one.target: one.title for one in article.references} | dict(around.references)
    titles = {**around.titles, article.id: article.title}
    drawn = picture(FixGraph(edges=tuple(around.edges), titles=titles, cut=around.below_left_out), article.id)
    return ArticleView(
        id=article.id,
        title=article.title,
        owner=owner,
        form=article.source.form,
        type=article.type,
        products=article.products,
        operating_systems=article.operating_systems,
        created=article.created.isoformat() if article.created else "",
        modified=article.modified.isoformat() if article.modified else "",
        messages=article.messages,
        errors=article.errors,
        keywords=article.keywords,
        sections=tuple(
            Part(anchor=f"part-{at}", kind=one.kind, heading=one.heading, text=one.text, subsections=one.subsections)
            for at, one in enumerate(article.sections)
        ),
        helps=around.helps,
        recommended=tuple(_link(other, written.get(other, ""), around) for other in around.recommended),
        references=tuple(_link(other, title, around) for other, title in written.items()),
        referenced_by=tuple(_link(other, "", around) for other in around.referenced_by),
        fixes=tuple(_link(other, "", around) for other in around.resolves),
        picture=drawn if len(drawn.boxes) > 1 else None,
        leftover=article.leftover,
        notice=article.notice,
        held=tuple(around.titles),
    )


def _link(other: str, title: str, around: Around) -> Link:
    return Link(id=other, title=around.titles.get(other, title), held=other in around.titles)
