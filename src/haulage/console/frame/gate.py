"""Who may see a page and do a thing: the one way from a request to a checked visit. No page gets past it.

Reading needs a session, or an API token for what is asked as JSON. Writing needs a session, the token of that session in the form,
and that the browser says the form came from this very server.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from haulage.base.errors import HaulageError, NotAllowedError, TransferError, UsageError
from haulage.console.frame.cookies import light_of, said_of, secret_of
from haulage.console.frame.page import FORM_MAX_BYTES, Page, Visit, Write, read_query
from haulage.console.frame.sessions import Session, Sessions, same_token
from haulage.domain.people.model import Caller
from haulage.server.gate import caller_of, require
from haulage.server.refusals import target_of
from haulage.server.service import Service

FORM = "application/x-www-form-urlencoded"
FIELDS_MOST = 100
TOKEN_FIELD = "token"  # noqa: S105


class SignInNeeded(Exception):
    """Nobody is signed in, or not any more; not an error, but a way to the sign-in page."""


class Gate:
    """Of one running site."""

    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._service = service
        self.sessions = sessions

    def look(self, page: Page, request: Request) -> tuple[Visit, str]:
        """Somebody wants to see a page; returns the visit and the session's secret from now on ("" without one). Raises
        SignInNeeded, NotAllowedError ``role-too-low``, UsageError."""
        session, secret = self._session(request)
        self._require(page, session, f"GET {page.path}")
        query = read_query(request.query_params.multi_items(), page.query)
        return self._visit(request, session, query=query), secret

    def look_as_program(self, page: Page, request: Request) -> Visit:
        """Somebody wants a page's view as JSON: a browser that is signed in, or a program with an API token. Raises NotAllowedError
        ``token-missing``, ``token-wrong``, ``role-too-low``."""
        session, _secret = self._session(request)
        caller = session.caller if session is not None else caller_of(self._service, request)
        require(self._service, caller, page.role, f"GET {page.path}")
        query = read_query(request.query_params.multi_items(), page.query)
        return self._visit(request, session, query=query, program=caller if session is None else None)

    async def write(self, way: Write | Page, request: Request) -> Visit:
        """Somebody sends a form. Raises SignInNeeded, NotAllowedError ``foreign-form``, ``form-too-old``,
        ``role-too-low``, UsageError."""
        self._require_own_page(request)
        session, _secret = await asyncio.to_thread(self._session, request)
        await asyncio.to_thread(self._require, way, session, f"POST {way.path}")
        form = await _read_form(request)
        if session is not None and not way.open and not same_token(session, form.get(TOKEN_FIELD, "")):
            raise NotAllowedError(
                "form-too-old", "This form belongs to an earlier session.", "Go back, load the page anew, and send it again."
            )
        return self._visit(request, session, form=form)

    def may_still(self, page: Page, secret: str) -> bool:
        """Whether the secret a page was opened with still shows it. Does not count as use: a window left open ends in time."""
        session = self.sessions.peek(secret)
        return session is not None and session.role >= page.role

    def session_of(self, request: Request) -> Session | None:
        """Whose request it is, if anybody's."""
        return self._session(request)[0]

    def _session(self, request: Request) -> tuple[Session | None, str]:
        secret = secret_of(request)
        found = self.sessions.find(secret) if secret else None
        return found if found is not None else (None, "")

    def _require_own_page(self, request: Request) -> None:
        """The server's bounds refuse a foreign Origin; a form without any, or that a browser calls foreign, is refused here."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
        if origin != self._service.url() or site != "same-origin":
            raise NotAllowedError(
                "foreign-form", "This form did not come from a page of this server.", f"Open the console at {self._service.url()}."
            )

    def _require(self, way: Page | Write, session: Session | None, what: str) -> None:
        if way.open:
            return
        if session is None:
            raise SignInNeeded
        require(self._service, session.caller, way.role, what)

    def _visit(
        self,
        request: Request,
        session: Session | None,
        *,
        query: object = None,
        form: dict[str, str] | None = None,
        program: Caller | None = None,
    ) -> Visit:
        return Visit(
            service=self._service,
            session=session,
            path=request.path_params,
            query=query,
            form=form or {},
            target=target_of(request.scope).decode("latin-1"),
            light=light_of(request),
            said=said_of(request) if session is not None else "",
            address=request.client.host if request.client is not None else "",
            browser=request.headers.get("user-agent", ""),
            program=program,
        )


async def _read_form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise UsageError("wrong-media-type", f"A form comes as {FORM}.", "Use the form of the page.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > FORM_MAX_BYTES:
                raise _too_large()
    except ClientDisconnect:
        raise TransferError("client-left", "The client left before its request was whole.", "") from None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MOST, errors="replace")
    except ValueError:
        raise UsageError("bad-body", "The form makes no sense.", "Use the form of the page.") from None
    return dict(pairs)


def _too_large() -> HaulageError:
    return UsageError("body-too-large", f"The form is larger than the {FORM_MAX_BYTES} bytes it may have.", "Paste a shorter text.")
