"""One file against what there is: paste it, see the difference with its bytes, apply it; and what there is as such a file."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from haulage.base.errors import HaulageError
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.declared.looking import look
from haulage.domain.declared.model import REMOVES
from haulage.domain.declared.writing import declared_parts
from haulage.domain.people.roles import Role
from haulage.server.api.declared import applied, compared, comparison_of

STEPS_SHOWN = 300
TEXT_SHOWN = 200_000
"""Characters of a file that are written into a page; the whole of it comes by the command line."""

EXAMPLE = """\
format = 1

[groups]
shops = ["CHI", "LA1"]

[packages."Till software"]
source = "/srv/packages/till"
to = ["@shops"]
"""


class DeclaredPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form, and what it found."""

    text: str = ""
    publish: bool = False
    example: str = EXAMPLE
    kinds: Mapping[str, str] = msgspec.field(default_factory=lambda: {kind.value: words for kind, words in REMOVES.items()})
    error: Mapping[str, str] | None = None
    difference: Mapping[str, object] | None = None
    outcome: Mapping[str, object] | None = None
    more: int = 0
    """Steps that are not shown."""


class TextPage(msgspec.Struct, frozen=True, kw_only=True):
    """What there is as a file."""

    text: str
    whole: bool


def declared_pages() -> tuple[Page, ...]:
    """What follows from a file can be long: pages that take the file as a form."""
    return (
        Page(path="/declared/now", template="declared_now.html", show=_now, place="declared"),
        Page(
            path="/declared/applied",
            template="declared.html",
            show=_apply,
            place="declared",
            role=Role.ADMINISTRATOR,
            takes_form=True,
            has_json=False,
        ),
        Page(
            path="/declared",
            template="declared.html",
            show=_compare,
            place="declared",
            role=Role.OPERATOR,
            takes_form=True,
            has_json=False,
        ),
    )


def _now(visit: Visit) -> Shown:
    service = visit.service
    with service.core.database.reading() as tx:
        present = look(tx, service.code)
    parts, characters = [], 0
    for part in declared_parts(present):
        parts.append(part)
        characters += len(part)
        if characters > TEXT_SHOWN:
            break
    text = "".join(parts)
    view = TextPage(text=text[:TEXT_SHOWN], whole=len(text) <= TEXT_SHOWN)
    return Shown(title="What there is, as a file", view=view)


def _compare(visit: Visit) -> Shown:
    if "text" not in visit.form:
        return Shown(title="Declared", view=DeclaredPage())
    text, publish = _given(visit)
    page = DeclaredPage(text=text, publish=publish)
    try:
        found = comparison_of(visit.service, compared(visit.service, text, publish=publish))
    except HaulageError as error:
        return Shown(title="Declared", view=msgspec.structs.replace(page, error=_told(error)), status=400)
    return Shown(title="Declared", view=msgspec.structs.replace(page, **_cut("difference", found)))


def _apply(visit: Visit) -> Shown:
    if "text" not in visit.form:
        return Shown(title="Declared", view=DeclaredPage())
    text, publish = _given(visit)
    page = DeclaredPage(text=text, publish=publish)
    allowed = visit.form.get("allow_removing", "0")
    try:
        done = applied(
            visit.service,
            visit.desk,
            visit.actor,
            text,
            publish=publish,
            expected=visit.form.get("expected", ""),
            allow_removing=int(allowed) if allowed.isdecimal() and len(allowed) < 9 else 0,
            keep_going=True,
        )
    except HaulageError as error:
        return Shown(title="Declared", view=msgspec.structs.replace(page, error=_told(error)), status=409)
    return Shown(title="Applied", view=msgspec.structs.replace(page, **_cut("outcome", done)))


def _given(visit: Visit) -> tuple[str, bool]:
    """Browsers send lines with two characters at their end."""
    return visit.form["text"].replace("\r\n", "\n"), visit.form.get("publish", "") == "true"


def _cut(name: str, found: dict[str, object]) -> dict[str, object]:
    steps = found["steps"]
    assert isinstance(steps, list)
    return {name: found | {"steps": steps[:STEPS_SHOWN]}, "more": max(0, len(steps) - STEPS_SHOWN)}


def _told(error: HaulageError) -> dict[str, str]:
    return {"message": error.message, "hint": error.hint, "code": error.code}
