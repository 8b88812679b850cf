"""The diagnosis page: paste a log, an error or a status message, and see which articles are likely about it, and why."""

from __future__ import annotations

import msgspec

from haulage.console.frame.page import Page, Shown, Visit
from haulage.console.knowledge.article_view import Helps
from haulage.console.knowledge.reading import Library
from haulage.engine.search.diagnosis import Clue, Likely
from haulage.engine.search.model import Hit

PAGE_HITS = 10
TEXT_CHARACTERS = 64 * 1024
WORDS: dict[Clue, str] = {
    Clue.MESSAGE: "status message",
    Clue.ARTICLE: "article",
    Clue.ERROR: "error",
    Clue.FILE: "file",
    Clue.COMPONENT: "component",
    Clue.VERSION: "version",
    Clue.PRODUCT: "product",
    Clue.WORDS: "words",
}


class Asked(msgspec.Struct, frozen=True):
    """A short text may come in the address."""

    text: str = ""


class Reasons(msgspec.Struct, frozen=True, kw_only=True):
    """What text and article have in common, of one kind."""

    clue: str
    texts: tuple[str, ...]


class LikelyView(msgspec.Struct, frozen=True, kw_only=True):
    """One article, how far to trust it, why, and the fix that helps."""

    hit: Hit
    certainty: str
    reasons: tuple[Reasons, ...]
    helps: Helps | None


class DiagnoseView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    text: str
    likely: tuple[LikelyView, ...]


def diagnose_page(library: Library) -> Page:
    """The page."""

    def show(visit: Visit) -> Shown:
        asked = visit.query.text if visit.query is not None else ""
        text = visit.form.get("text", asked)[:TEXT_CHARACTERS]
        if not text.strip():
            return Shown(title="Diagnose", view=DiagnoseView(text="", likely=()))
        likely = tuple(_likely(one, helps) for one, helps in library.diagnose(text, PAGE_HITS))
        return Shown(title="Diagnose", view=DiagnoseView(text=text, likely=likely))

    return Page(path="/diagnose", template="diagnose.html", show=show, query=Asked, place="diagnose", takes_form=True)


def _likely(one: Likely, helps: Helps | None) -> LikelyView:
    found: dict[Clue, list[str]] = {}
    for reason in one.reasons:
        # Words come as one list for people.
        texts = reason.text.split(", ") if reason.clue is Clue.WORDS else [reason.text]
        found.setdefault(reason.clue, []).extend(texts)
    reasons = tuple(Reasons(clue=WORDS[clue], texts=tuple(dict.fromkeys(found[clue]))) for clue in Clue if clue in found)
    return LikelyView(hit=one.hit, certainty=one.certainty.value, reasons=reasons, helps=helps)
