"""The console as routes of the server: every page and write of the tables behind the gate, every error a page. Knows
no page's insides."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from haulage.base.errors import HaulageError, NotFoundError, TransferError
from haulage.console.frame.assets import Assets
from haulage.console.frame.cookies import light_of, secret_of, session_cookie
from haulage.console.frame.gate import Gate, SignInNeeded
from haulage.console.frame.headers import PRIVATE, SECURITY, UNCHANGING
from haulage.console.frame.page import Page, Shown, Visit, Write
from haulage.console.frame.rendering import make_environment
from haulage.console.frame.sessions import Sessions
from haulage.console.frame.start import first
from haulage.server.refusals import STATUS_OF_CODE, STATUS_OF_FAMILY, refusal, target_of
from haulage.server.service import Service

HTML = "text/html; charset=utf-8"
JSON = "application/json"
SIGN_IN = "/sign-in"

_log = logging.getLogger("haulage.console")
Handler = Callable[[Request], Awaitable[Response]]


class Console:
    """The console of one running site. Implements what the server's application asks of pages: ``routes`` and ``missing``."""

    def __init__(self, service: Service, sessions: Sessions, pages: Sequence[Page], writes: Sequence[Write]) -> None:
        self._service = service
        self._gate = Gate(service, sessions)
        self._assets = Assets()
        self._templates = make_environment(self._assets)
        self.routes: list[Route] = [
            Route("/", first, methods=["GET"]),
            Route("/console/{digest}/{name}", self._asset, methods=["GET"]),
        ]
        for page in pages:
            if page.has_json:
                self.routes.append(Route(f"{page.path}.json", self._json(page), methods=["GET"]))
            self.routes.append(Route(page.path, self._page(page), methods=["GET"]))
            if page.takes_form:
                self.routes.append(Route(page.path, self._form(page), methods=["POST"]))
        self.routes += [Route(write.path, self._write(write), methods=["POST"]) for write in writes]

    def missing(self, request: Request) -> Response | None:
        """A page for whoever came to an address where there is nothing; None for programs, which get theirs from the server."""
        if request.method not in ("GET", "HEAD") or "text/html" not in request.headers.get("accept", ""):
            return None
        error = NotFoundError("no-such-page", "There is no page at this address.", "Start from the menu, or search.")
        return self._error_page(self._bare(request), error)

    def _page(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit, secret = self._gate.look(page, request)
            except SignInNeeded:
                return self._to_sign_in(request)
            except HaulageError as error:
                return self._error_page(self._bare(request), error)
            response = await self._shown(page, visit)
            if secret and secret != secret_of(request):
                response.headers.append("set-cookie", session_cookie(secret))
            return response

        return answer

    def _form(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit = await self._gate.write(page, request)
            except SignInNeeded:
                return self._to_sign_in(request)
            except HaulageError as error:
                return self._error_page(self._bare(request), error)
            return await self._shown(page, visit)

        return answer

    def _write(self, write: Write) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit = await self._gate.write(write, request)
            except SignInNeeded:
                return self._to_sign_in(request)
            except HaulageError as error:
                return self._error_page(self._bare(request), error)
            try:
                done = await asyncio.to_thread(write.act, visit)
            except HaulageError as error:
                return self._error_page(visit, error)
            except Exception as cause:
                return self._defect(visit, cause)
            response = RedirectResponse(done.to, status_code=303, headers=PRIVATE)
            for cookie in done.cookies:
                response.headers.append("set-cookie", cookie)
            return response

        return answer

    def _json(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                shown = await asyncio.to_thread(page.show, self._gate.look_as_program(page, request))
            except HaulageError as error:
                return refusal(error)
            return Response(msgspec.json.encode(shown.view), status_code=shown.status, headers=PRIVATE, media_type=JSON)

        return answer

    async def _asset(self, request: Request) -> Response:
        asset = self._assets.find(request.path_params["digest"], request.path_params["name"])
        if asset is None:
            return Response(b"", status_code=404, headers=SECURITY)
        return Response(asset.data, headers=UNCHANGING, media_type=asset.media_type)

    async def _shown(self, page: Page, visit: Visit) -> Response:
        try:
            return await asyncio.to_thread(self._render, page, visit)
        except HaulageError as error:
            return self._error_page(visit, error)
        except Exception as cause:
            return self._defect(visit, cause)

    def _render(self, page: Page, visit: Visit) -> Response:
        shown = page.show(visit)
        return self._html(page.template, visit, shown, place=page.place)

    def _html(self, template: str, visit: Visit, shown: Shown, *, place: str = "") -> Response:
        context: dict[str, Any] = {
            "view": shown.view,
            "title": shown.title,
            "place": place,
            "site": visit.service.code,
            "version": visit.service.version,
            "signed_in": visit.session is not None,
            "token": visit.session.token if visit.session is not None else "",
            "target": visit.target,
            "light": visit.light.value,
        }
        text = self._templates.get_template(template).render(context)
        return Response(text.encode("utf-8", "replace"), status_code=shown.status, headers=PRIVATE, media_type=HTML)

    def _error_page(self, visit: Visit, error: HaulageError) -> Response:
        status = STATUS_OF_CODE.get(error.code) or STATUS_OF_FAMILY.get(error.family, 500)
        view = {"code": error.code, "message": error.message, "hint": error.hint, "status": status}
        return self._html(
            "error.html", visit, Shown(title="Not possible" if status != 404 else "Not found", view=view, status=status)
        )

    def _defect(self, visit: Visit, cause: BaseException) -> Response:
        """What it was stands in the log alone."""
        _log.error("defect on the page %s", visit.target[:200], exc_info=cause)
        error = TransferError(
            "defect", "The server met an unexpected error.", "Please report it with the server's log of this moment."
        )
        view = {"code": error.code, "message": error.message, "hint": error.hint, "status": 500}
        return self._html("error.html", visit, Shown(title="Defect", view=view, status=500))

    def _to_sign_in(self, request: Request) -> Response:
        target = target_of(request.scope).decode("latin-1") if request.method == "GET" else "/"
        where = SIGN_IN if target == "/" else f"{SIGN_IN}?{urlencode({'to': target})}"
        return RedirectResponse(where, status_code=303, headers=PRIVATE)

    def _bare(self, request: Request) -> Visit:
        """For an error before there is a visit."""
        return Visit(service=self._service, session=self._gate.session_of(request), path={}, light=light_of(request))
