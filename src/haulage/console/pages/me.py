"""Oneself: what one may do, one's password, and the browsers one is signed in with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from haulage.base.errors import ConflictError
from haulage.console.frame.cookies import no_session_cookie, session_cookie
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.sessions import Sessions
from haulage.console.pages.settings import PLACE
from haulage.console.pages.users import passwords_differ
from haulage.domain.people import records, views
from haulage.domain.people.roles import Role
from haulage.operations import people

ME = "/settings/me"


class MePage(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks."""

    me: Mapping[str, object]
    sessions: Sequence[Mapping[str, object]]
    has_password: bool


def me_pages() -> tuple[Page, ...]:
    """The one page."""
    return (Page(path=ME, template="me.html", show=_show, place=PLACE),)


def me_writes(sessions: Sessions) -> tuple[Write, ...]:
    """What everybody may do with what is their own."""
    return (
        Write(path=f"{ME}/password", act=_password(sessions), role=Role.READER),
        Write(path=f"{ME}/sessions", act=_end_sessions, role=Role.READER),
    )


def _show(visit: Visit) -> Shown:
    caller, own = visit.caller, visit.session.id if visit.session is not None else ""
    with visit.service.core.database.reading() as tx:
        user = records.find_user(tx, caller.name) if caller.is_user else None
        view = MePage(
            me=views.me_view(tx, caller),
            sessions=[views.session_view(one, own) for one in records.list_sessions(tx, caller.name)],
            has_password=user is not None and bool(user.password_hash),
        )
    return Shown(title=caller.name, view=view)


def _password(sessions: Sessions) -> Callable[[Visit], Done]:
    def act(visit: Visit) -> Done:
        caller, form = visit.caller, visit.form
        if not caller.is_user:
            raise ConflictError("no-password", f"{caller.name} is no user and has no password.", "The token of the home stays.")
        if form.get("password", "") != form.get("again", ""):
            raise passwords_differ()
        visit.service.reception.check(caller.name, form.get("old", ""), visit.address)
        reach = people.set_password(visit.desk, caller.name, caller.name, form.get("password", ""))
        # Every session ended with the old password; this browser gets one of its own.
        secret = sessions.begin(caller, address=visit.address, browser=visit.browser)
        others = max(0, reach.sessions - 1)
        said = "Your password is another one now" + (f"; {others} other sessions ended." if others else ".")
        return Done(to=ME, said=said, cookies=(session_cookie(secret),))

    return act


def _end_sessions(visit: Visit) -> Done:
    assert visit.session is not None
    one = visit.form.get("session", "")
    count = people.end_sessions(visit.desk, visit.caller, visit.caller.name, one or None)
    if not one or one == visit.session.id:
        return Done(to="/sign-in", cookies=(no_session_cookie(),))
    return Done(to=ME, said=f"Ended: {count} of your sessions.")
