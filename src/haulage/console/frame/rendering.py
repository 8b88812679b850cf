"""Templates to pages. Everything is escaped unless a template's author wrote it; an unknown name is a defect, no empty string."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup

from haulage.base.text import shown
from haulage.console.frame.addresses import at_address, place_address
from haulage.console.frame.assets import Assets
from haulage.console.frame.moments import ago, duration, minute, moment
from haulage.console.frame.words import WORDS
from haulage.console.knowledge.article_view import ArticleView
from haulage.console.knowledge.markdown_html import markdown_html
from haulage.console.knowledge.prose import plain_html
from haulage.engine.articles.graph_layout import Picture
from haulage.engine.articles.graph_svg import graph_svg

TYPES = {"kbbug": "Bug", "kbinfo": "Information", "kbhowto": "How to", "kbprb": "Problem", "kbfix": "Fix", "kbfile": "File"}
"""What the archive calls the types of its articles."""

TITLE_CHARACTERS = 300
"""A title is cut there wherever it is shown (B101)."""


def make_environment(assets: Assets) -> jinja2.Environment:
    """All templates of the console."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("haulage.console", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset=assets.url, address=address, place_address=place_address, at_address=at_address, **WORDS)
    environment.filters.update(
        title=title,
        line=line,
        day=day,
        size=size,
        count=count,
        segment=segment,
        article_text=article_text,
        drawn=drawn,
        heading=heading,
        type_words=type_words,
        ago=ago,
        minute=minute,
        moment=moment,
        share=share,
        duration=duration,
    )
    return environment


def article_text(text: str, view: ArticleView) -> Markup:
    """A section of an article."""
    return markdown_html(text, view.held) if view.is_markdown else plain_html(text, view.held)


def drawn(graph: Picture) -> Markup:
    """A picture of fixes; those whose articles are here lead to them."""
    held = {box.id for box in graph.boxes if box.held and not box.center}
    return Markup(graph_svg(graph, lambda name: f"/knowledge/{segment(name)}" if name in held else None))  # noqa: S704  (escaped there)


def heading(text: str) -> str:
    """A heading: the archive writes them in capitals."""
    return title(text.capitalize() if text.isupper() and len(text) > 4 else text)


def type_words(value: str) -> str:
    """A type of article in words; what is none, as it is."""
    return TYPES.get(value.lower(), shown(value, limit=80))


def title(text: str) -> str:
    """A title from outside on one line: nothing in it turns or hides, and it ends."""
    return shown(" ".join(text.split()), limit=TITLE_CHARACTERS)


def line(text: str, limit: int = 2000) -> str:
    """Any text from outside on one line."""
    return shown(text, limit=limit)


def segment(text: str) -> str:
    """A part of a path."""
    return quote(text, safe="")


def address(path: str, query: Mapping[str, Any], **change: Any) -> str:
    """A URL with the parameters of a view, some of them changed; empty ones are left out, those of several values repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in {**query, **change}.items():
        values = value if isinstance(value, tuple | list) else (value,)
        pairs += [(name, str(one)) for one in values if one not in (None, "")]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def day(moment: dt.date | str | None) -> str:
    """A day as people write it: 7 May 2002."""
    if moment is None or moment == "":
        return ""
    if isinstance(moment, str):
        moment = dt.date.fromisoformat(moment[:10])
    return f"{moment.day} {moment:%B %Y}"


def size(size_bytes: int) -> str:
    """Bytes as people read them; the exact number belongs beside it."""
    amount = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{size_bytes} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def share(part: float, whole: float) -> float:
    """A part of a whole in percent, between 0 and 100; 0 of nothing."""
    return max(0.0, min(100.0, round(100 * part / whole, 1))) if whole else 0.0
