"""An article as the index takes it. Pure: an article in, an entry out."""

from __future__ import annotations

from haulage.engine.articles.article import Article, SectionKind
from haulage.engine.search.model import Entry

_PROBLEM = (SectionKind.SYMPTOMS, SectionKind.CAUSE, SectionKind.SUMMARY)


def entry_of(article: Article) -> Entry:
    """What of an article is searched, shown with a hit, and counted."""
    problem = "\n\n".join(filter(None, (article.section(kind) for kind in _PROBLEM)))
    rest = "\n\n".join(
        f"{one.heading}\n{one.whole()}"
        for one in article.sections
        if one.kind not in _PROBLEM and one.kind is not SectionKind.STATUS
    )
    keywords = _once((*article.keywords, *article.technology))
    declared = (*article.errors, *article.components, *(str(number) for number in article.messages))
    return Entry(
        id=article.id,
        digest=article.source.sha256,
        title=article.title,
        problem=problem,
        rest="\n\n".join(filter(None, (rest, article.section(SectionKind.STATUS), article.leftover))),
        words=" ".join((*keywords, *article.query_words, *declared)),
        products=_once(tuple(product.name for product in article.products)),
        versions=_once(tuple(version for product in article.products for version in product.versions)),
        keywords=keywords,
        type=article.type,
        modified=article.modified.isoformat() if article.modified else "",
        messages=article.messages,
    )


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
