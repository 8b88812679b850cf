"""The diagnosis page: paste a log, an error or a status message, and see which articles are likely about it, and why."""

from __future__ import annotations

import msgspec

from haulage.console.article_view import Helps
from haulage.console.knowledge import Library
from haulage.console.page import Page, Shown, Visit
from haulage.engine.search.model import Hit, Part

PAGE_HITS = 10
TEXT_CHARACTERS = 64 * 1024
WHERE: dict[Part, str] = {
    Part.NUMBER: "its number",
    Part.TITLE: "title",
    Part.PROBLEM: "symptoms",
    Part.WORDS: "keywords and codes",
    Part.REST: "text",
}


class Asked(msgspec.Struct, frozen=True):
    """A short text may come in the address."""

    text: str = ""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Words of the text, and where the article has them."""

    where: str
    words: tuple[str, ...]


class Likely(msgspec.Struct, frozen=True, kw_only=True):
    """One article, with why."""

    hit: Hit
    reasons: tuple[Reason, ...]
    helps: Helps | None


class DiagnoseView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    text: str
    likely: tuple[Likely, ...]


def diagnose_page(library: Library) -> Page:
    """The page."""

    def show(visit: Visit) -> Shown:
        asked = visit.query.text if visit.query is not None else ""
        text = visit.form.get("text", asked)[:TEXT_CHARACTERS]
        if not text.strip():
            return Shown(title="Diagnose", view=DiagnoseView(text="", likely=()))
        likely = tuple(_likely(hit, helps) for hit, helps in library.diagnose(text, PAGE_HITS))
        return Shown(title="Diagnose", view=DiagnoseView(text=text, likely=likely))

    return Page(path="/diagnose", template="diagnose.html", show=show, query=Asked, place="diagnose", takes_form=True)


def _likely(hit: Hit, helps: Helps | None) -> Likely:
    found: dict[Part, list[str]] = {}
    for why in hit.why:
        found.setdefault(why.part, []).append(why.text)
    reasons = tuple(Reason(where=WHERE[part], words=tuple(dict.fromkeys(found[part]))) for part in Part if part in found)
    return Likely(hit=hit, reasons=reasons, helps=helps)
