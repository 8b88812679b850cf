"""Signing in and out, and choosing the light. Whoever has the token of the server's home comes in with that; all others with a name
and a password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from haulage.base.errors import HaulageError
from haulage.console.frame.cookies import Light, light_cookie, no_session_cookie, session_cookie
from haulage.console.frame.page import Done, Page, Shown, Visit, Write, inward
from haulage.console.frame.rendering import address
from haulage.console.frame.sessions import Sessions
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role

Refused = Literal["", "wrong", "token", "wait", "busy"]
_REASONS: dict[str, Refused] = {"sign-in-wrong": "wrong", "too-many-tries": "wait", "too-many-requests": "busy"}
_STATUS: dict[Refused, int] = {"": 200, "wrong": 403, "token": 403, "wait": 429, "busy": 429}


class Entry(msgspec.Struct, frozen=True):
    """Where to go afterwards, and why it did not work before."""

    to: str = "/"
    refused: Refused = ""
    name: str = ""


class SignInView(msgspec.Struct, frozen=True, kw_only=True):
    """The sign-in page."""

    to: str
    refused: Refused
    name: str
    """What was given as name before, so that it need not be typed again."""
    has_users: bool
    """Without any there is only the token of the home."""
    url: str
    """Where this console is; from elsewhere the form is refused."""


def _sign_in_page(visit: Visit) -> Shown:
    asked: Entry = visit.query
    view = SignInView(
        to=inward(asked.to),
        refused=asked.refused,
        name=asked.name[:64],
        has_users=visit.service.reception.has_users(),
        url=visit.service.url(),
    )
    return Shown(title="Sign in", view=view, status=_STATUS[asked.refused])


SIGN_IN_PAGE = Page(path="/sign-in", template="sign_in.html", show=_sign_in_page, query=Entry, open=True, has_json=False)


def _light(visit: Visit) -> Done:
    chosen = visit.form.get("light", "")
    light = Light(chosen) if chosen in list(Light) else Light.AUTO
    return Done(to=inward(visit.form.get("to", "/")), cookies=(light_cookie(light),))


def sign_in_writes(sessions: Sessions) -> tuple[Write, ...]:
    """Signing in, signing out, and the light."""
    return (
        Write(path="/sign-in", act=_signer_in(sessions), open=True),
        Write(path="/sign-out", act=_signer_out(sessions), role=Role.READER),
        Write(path="/light", act=_light, open=True),
    )


def _signer_in(sessions: Sessions) -> Callable[[Visit], Done]:
    def sign_in(visit: Visit) -> Done:
        to, name = inward(visit.form.get("to", "/")), visit.form.get("name", "")
        try:
            caller = _caller(visit, name)
        except HaulageError as error:
            if error.code not in _REASONS:
                raise
            return Done(to=address("/sign-in", {"to": to, "refused": _REASONS[error.code], "name": name[:64]}))
        if caller is None:
            return Done(to=address("/sign-in", {"to": to, "refused": "token"}))
        if visit.session is not None:
            # Whoever signs in gets a session of their own, never one that was there before.
            sessions.end(visit.session)
        secret = sessions.begin(caller, address=visit.address, browser=visit.browser)
        return Done(to=to, cookies=(session_cookie(secret),))

    return sign_in


def _caller(visit: Visit, name: str) -> Caller | None:
    """Who it is; None for a token that is not the one of the home."""
    reception, secret = visit.service.reception, visit.form.get("secret", "").strip()
    if secret or not name:
        return reception.sign_in_local(secret, visit.address)
    return reception.sign_in(name, visit.form.get("password", ""), visit.address)


def _signer_out(sessions: Sessions) -> Callable[[Visit], Done]:
    def sign_out(visit: Visit) -> Done:
        assert visit.session is not None
        sessions.end(visit.session)
        return Done(to="/sign-in", cookies=(no_session_cookie(),))

    return sign_out
