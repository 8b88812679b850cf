"""Tokens: one's own, and for administrators those of everybody; making one, which is told once, and withdrawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.errors import HaulageError, UsageError
from haulage.console.frame.asking import CONFIRM, Asked, Reach
from haulage.console.frame.moments import moment
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import segment
from haulage.console.pages.settings import PLACE
from haulage.console.pages.users import trouble
from haulage.domain.people import records, views
from haulage.domain.people.roles import Role, role_of
from haulage.engine.database.transaction import Transaction
from haulage.operations import people

LIST, ADD, ONE = "/settings/tokens", "/settings/tokens/add", "/settings/tokens/{token}"
SITE = "the site"
LIVES: Sequence[tuple[str, str]] = (("7", "a week"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))


class TokensQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The list's address."""

    q: str = ""
    owner: str = ""


class TokensPage(msgspec.Struct, frozen=True, kw_only=True):
    """The list with its filter."""

    tokens: Sequence[Mapping[str, object]]
    known: int
    query: Mapping[str, object]
    owners: Sequence[str]
    """Whose there are; empty for whoever sees only their own."""


class AddPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form, or once the token that was made."""

    name: str = ""
    role: str = Role.READER.value
    owner: str = ""
    days: str = "90"
    roles: Sequence[tuple[str, str]] = ()
    owners: Sequence[str] = ()
    lives: Sequence[tuple[str, str]] = LIVES
    error: Mapping[str, str] | None = None
    made: Mapping[str, object] | None = None
    secret: str = ""


def token_pages() -> tuple[Page, ...]:
    """The form before the token: their addresses are alike."""
    return (
        Page(path=ADD, template="token_add.html", show=_add, place=PLACE, takes_form=True, has_json=False),
        Page(path=f"{ONE}/withdraw", template=CONFIRM, show=_ask_withdraw, place=PLACE),
        Page(path=LIST, template="tokens.html", show=_list, query=TokensQuery, place=PLACE, rows=_rows),
    )


def token_writes() -> tuple[Write, ...]:
    """Everybody may withdraw their own."""
    return (Write(path=f"{ONE}/withdraw", act=_withdraw, role=Role.READER),)


def _seen(tx: Transaction, visit: Visit) -> list[Mapping[str, object]]:
    """What whoever looks may see."""
    caller = visit.caller
    if caller.role >= Role.ADMINISTRATOR:
        return [views.token_view(token) for token in records.list_tokens(tx)]
    return [views.token_view(token) for token in records.list_tokens(tx, caller.name)] if caller.is_user else []


def _fits(row: Mapping[str, object], asked: TokensQuery) -> bool:
    owned = asked.owner in ("", row["owner"] or SITE)
    return owned and asked.q.strip().casefold() in f"{row['name']} {row['id']} {row['owner']}".casefold()


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    with visit.service.core.database.reading() as tx:
        found = _seen(tx, visit)
    return iter([row for row in found if _fits(row, visit.query)])


def _list(visit: Visit) -> Shown:
    asked: TokensQuery = visit.query
    with visit.service.core.database.reading() as tx:
        found = _seen(tx, visit)
    owners = sorted({str(row["owner"] or SITE) for row in found}) if visit.caller.role >= Role.ADMINISTRATOR else []
    query = {name: value for name, value in msgspec.to_builtins(asked).items() if value}
    shown = [row for row in found if _fits(row, asked)]
    return Shown(title="Tokens", view=TokensPage(tokens=shown, known=len(found), query=query, owners=owners))


def _add(visit: Visit) -> Shown:
    form, caller = visit.form, visit.caller
    roles = [(role.value, role.words) for role in Role if role <= caller.role]
    owners: list[str] = []
    if caller.role >= Role.ADMINISTRATOR:
        with visit.service.core.database.reading() as tx:
            owners = [user.name for user in records.list_users(tx)]
    blank = AddPage(roles=roles, owners=owners, owner=caller.name if caller.is_user else "")
    if not form:
        return Shown(title="Make a token", view=blank)
    owner = form.get("owner", "") if owners else caller.name if caller.is_user else ""
    typed = msgspec.structs.replace(
        blank,
        name=form.get("name", "")[:400],
        role=form.get("role", "") if form.get("role") in dict(roles) else Role.READER.value,
        owner=owner if owner in owners else "",
        days=form.get("days", "") if form.get("days") in dict(LIVES) else "90",
    )
    try:
        if form.get("days") not in dict(LIVES):
            raise UsageError("bad-days", "That is not one of the lengths of life.", "Choose one of the list.")
        made = people.create_token(
            visit.desk,
            caller,
            name=form.get("name", ""),
            role=role_of(form.get("role", "")),
            owner=owner,
            days=float(form["days"]),
        )
    except HaulageError as error:
        return Shown(title="Make a token", view=msgspec.structs.replace(typed, error=trouble(error)), status=400)
    view = msgspec.structs.replace(blank, made=views.token_view(made.token), secret=made.secret)
    return Shown(title="A new token", view=view)


def _withdraw(visit: Visit) -> Done:
    token = people.withdraw_token(visit.desk, visit.caller, visit.path["token"])
    return Done(to=LIST, said=f"Token {token.id} ({token.name}) counts no more.")


def _ask_withdraw(visit: Visit) -> Shown:
    with visit.service.core.database.reading() as tx:
        found = next((row for row in _seen(tx, visit) if row["id"] == visit.path["token"]), None)
    if found is None:
        raise people.no_such_token(visit.path["token"])
    used = f"It was last used on {moment(str(found['used']))}" if found["used"] else "It was never used"
    view = Asked(
        title=f"Withdraw token {found['id']}",
        words=f"{found['name']}, for {found['owner'] or SITE}, with the role {found['role']}.",
        reach=[Reach(text=f"{used}. Whatever still uses it is refused at once.")],
        action=f"{LIST}/{segment(str(found['id']))}/withdraw",
        button="Withdraw this token",
        back=LIST,
        dangerous=True,
    )
    return Shown(title=f"Withdraw {found['id']}", view=view)
