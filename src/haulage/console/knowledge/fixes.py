"""The pages of fixes: which this site knows, and one of them: what is in it, what it stands to, where it may be installed."""

from __future__ import annotations

import msgspec

from haulage.base.errors import NotFoundError
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.fixes import records, views
from haulage.domain.fixes.knowing import foremost
from haulage.domain.knowledge import records as knowledge
from haulage.server.core import SiteCore

View = dict[str, object]


class FixesView(msgspec.Struct, frozen=True, kw_only=True):
    """The list, and what was found at the product folders that were looked at."""

    fixes: list[View]
    assessments: list[View]


class FixView(msgspec.Struct, frozen=True, kw_only=True):
    """One fix; ``known`` are fixes named on its page that have one themselves."""

    fix: View
    article_held: bool
    signed_by: str
    """Fingerprint of its signer, to compare with what its maker says; "" without a bundle."""
    known: tuple[str, ...]
    found: tuple[View, ...]
    """Root, state and reasons, for each product folder that was looked at."""


def fix_pages(core: SiteCore) -> tuple[Page, ...]:
    """Both pages."""

    def listed(_visit: Visit) -> Shown:
        with core.database.reading() as tx:
            looked = [views.assessment_view(one) for one in records.list_assessments(tx)]
            return Shown(title="Fixes", view=FixesView(fixes=views.list_fixes(tx, core.code), assessments=looked))

    def show(visit: Visit) -> Shown:
        name = visit.path["fix"]
        with core.database.reading() as tx:
            chosen = foremost(tx, core.code, records.find_fixes(tx, name)).get(name)
            if chosen is None:
                raise NotFoundError("no-such-fix", f"There is no fix {name} here.", "Import its bundle: haulage fix import BUNDLE")
            view = FixView(
                fix=views.show_fix(tx, core.code, chosen),
                article_held=bool(chosen.article and knowledge.articles_of(tx, [chosen.article])),
                signed_by=chosen.signer_fingerprint,
                known=tuple(one.fix for one in records.list_fixes(tx, documents=False)),
                found=tuple(
                    {"root": one.root, "state": result.get("state", ""), "reasons": result.get("reasons", [])}
                    for one in records.list_assessments(tx)
                    for result in one.results
                    if result.get("fix") == name
                ),
            )
        return Shown(title=f"Fix {chosen.fix} {chosen.title}", view=view)

    return (
        Page(path="/knowledge/fixes", template="fixes.html", show=listed, place="fixes"),
        Page(path="/fixes/{fix}", template="fix.html", show=show, place="fixes"),
    )
