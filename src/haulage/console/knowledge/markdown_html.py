"""The text of one's own articles as HTML: Markdown with HTML off, then through a sanitiser that knows only these tags. No
picture is ever loaded, and only plain web addresses are links."""

from __future__ import annotations

from collections.abc import Collection

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from haulage.console.knowledge.prose import NAMED
from haulage.engine.articles.markdown import parser

_TAGS = {
    "p", "ul", "ol", "li", "pre", "code", "em", "strong", "a", "blockquote", "hr", "br",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


def markdown_html(text: str, held: Collection[str]) -> Markup:
    """A section. ``held`` are the articles that are here: their ids become links."""
    made = _parser(held).render(text)
    # Cleaned last: whatever made it, only these tags leave.
    clean = nh3.clean(made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow")
    # What may be scrolled must be reached by keyboard. In clean HTML these five characters are this element and nothing else.
    return Markup(clean.replace("<pre>", '<pre tabindex="0">'))  # noqa: S704


def _parser(held: Collection[str]) -> MarkdownIt:
    made = parser().disable("image")
    made.core.ruler.push("articles", lambda state: _link_articles(state, held))
    made.core.ruler.push("headings", _lower_headings)
    return made


def _link_articles(state: StateCore, held: Collection[str]) -> None:
    """Ids of articles within words become links; within code and within links they stay words."""
    for token in state.tokens:
        if token.type != "inline" or not token.children:
            continue
        within, children = 0, []
        for child in token.children:
            within += child.nesting if child.type.startswith("link_") else 0
            children += _split(child, held) if child.type == "text" and not within else [child]
        token.children = children


def _split(text: Token, held: Collection[str]) -> list[Token]:
    found = []
    for at, piece in enumerate(NAMED.split(text.content)):
        words = Token("text", "", 0, content=piece)
        if at % 2 and piece in held:
            found += [Token("link_open", "a", 1, attrs={"href": f"/knowledge/{piece}"}), words, Token("link_close", "a", -1)]
        elif piece:
            found.append(words)
    return found


def _lower_headings(state: StateCore) -> None:
    """The page has the first two levels of headings."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
