"""Signing in and out, and choosing the light. For now who brings the API token is the administrator; users come later."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from haulage.console.frame.cookies import Light, light_cookie, no_session_cookie, session_cookie
from haulage.console.frame.page import Done, Page, Shown, Visit, Write, inward
from haulage.console.frame.rendering import address
from haulage.console.frame.sessions import Sessions
from haulage.domain.people.model import LOCAL
from haulage.domain.people.roles import Role
from haulage.engine.trust.tokens import token_matches

_log = logging.getLogger("haulage.console")


class Entry(msgspec.Struct, frozen=True):
    """Where to go afterwards."""

    to: str = "/"
    refused: bool = False


class SignInView(msgspec.Struct, frozen=True, kw_only=True):
    """The sign-in page."""

    to: str
    refused: bool
    url: str
    """Where this console is; from elsewhere the form is refused."""


def _sign_in_page(visit: Visit) -> Shown:
    asked: Entry = visit.query
    view = SignInView(to=inward(asked.to), refused=asked.refused, url=visit.service.url())
    return Shown(title="Sign in", view=view, status=403 if asked.refused else 200)


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
        if not token_matches(visit.form.get("secret", "").strip(), visit.service.token_digest):
            _log.warning("a sign-in to the console was refused: the token is not one of this server")
            return Done(to=address("/sign-in", {"to": inward(visit.form.get("to", "/")), "refused": "true"}))
        if visit.session is not None:
            # Whoever signs in gets a session of their own, never one that was there before.
            sessions.end(visit.session)
        return Done(to=inward(visit.form.get("to", "/")), cookies=(session_cookie(sessions.begin(LOCAL)),))

    return sign_in


def _signer_out(sessions: Sessions) -> Callable[[Visit], Done]:
    def sign_out(visit: Visit) -> Done:
        assert visit.session is not None
        sessions.end(visit.session)
        return Done(to="/sign-in", cookies=(no_session_cookie(),))

    return sign_out
