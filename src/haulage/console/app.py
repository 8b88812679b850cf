"""The console as routes of the server: every page and write of the tables behind the gate, every error a page. Knows
no page's insides."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from haulage.base.errors import HaulageError, NotFoundError, TransferError
from haulage.console.frame.assets import Assets
from haulage.console.frame.cookies import light_of, nothing_said_cookie, said_cookie, secret_of, session_cookie
from haulage.console.frame.csv_text import csv_pieces
from haulage.console.frame.gate import Gate, SignInNeeded
from haulage.console.frame.headers import PRIVATE, SECURITY, UNCHANGING
from haulage.console.frame.live import Streams, watch
from haulage.console.frame.page import Page, Visit, Write, inward
from haulage.console.frame.painter import Painter
from haulage.console.frame.sessions import Sessions
from haulage.server.refusals import refusal, target_of
from haulage.server.service import Service

HTML = "text/html; charset=utf-8"
JSON = "application/json"
CSV = "text/csv; charset=utf-8; header=present"
EVENTS = "text/event-stream"
SIGN_IN = "/sign-in"

_log = logging.getLogger("haulage.console")
Handler = Callable[[Request], Awaitable[Response]]


class Console:
    """The console of one running site. Implements what the server's application asks of pages: ``routes`` and ``missing``."""

    def __init__(self, service: Service, sessions: Sessions, pages: Sequence[Page], writes: Sequence[Write]) -> None:
        self._service = service
        self._gate = Gate(service, sessions)
        self._assets = Assets()
        self._painter = Painter(self._assets)
        self._streams = Streams()
        self.routes: list[Route] = [
            Route("/console/{digest}/{name}", self._asset, methods=["GET"]),
        ]
        for page in pages:
            # The other forms first: a page whose address ends in a name would take them for one.
            beside = "/overview" if page.path == "/" else page.path
            if page.has_json:
                self.routes.append(Route(f"{beside}.json", self._json(page), methods=["GET"]))
            if page.rows is not None:
                self.routes.append(Route(f"{beside}.csv", self._csv(page), methods=["GET"]))
            if page.live:
                self.routes.append(Route(f"{beside}.live", self._live(page), methods=["GET"]))
            self.routes.append(Route(page.path, self._page(page), methods=["GET"]))
            if page.takes_form:
                self.routes.append(Route(page.path, self._form(page), methods=["POST"]))
        self.routes += [Route(write.path, self._write(write), methods=["POST"]) for write in writes]

    async def missing(self, request: Request) -> Response | None:
        """A page for whoever came to an address where there is nothing; None for programs, which get theirs from the server."""
        if request.method not in ("GET", "HEAD") or "text/html" not in request.headers.get("accept", ""):
            return None
        error = NotFoundError("no-such-page", "There is no page at this address.", "Start from the menu, or search.")
        return self._error_page(await self._bare(request), error)

    def _page(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit, secret = await asyncio.to_thread(self._gate.look, page, request)
            except SignInNeeded:
                return self._to_sign_in(request)
            except HaulageError as error:
                return self._error_page(await self._bare(request), error)
            response = await self._shown(page, visit)
            if secret and secret != secret_of(request):
                response.headers.append("set-cookie", session_cookie(secret))
            if visit.said:
                response.headers.append("set-cookie", nothing_said_cookie())
            return response

        return answer

    def _form(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit = await self._gate.write(page, request)
            except SignInNeeded:
                return self._to_sign_in(request)
            except HaulageError as error:
                return self._error_page(await self._bare(request), error)
            return await self._shown(page, visit)

        return answer

    def _write(self, write: Write) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit = await self._gate.write(write, request)
            except SignInNeeded:
                return self._to_sign_in(request)
            except HaulageError as error:
                return self._error_page(await self._bare(request), error)
            try:
                done = await asyncio.to_thread(write.act, visit)
            except HaulageError as error:
                return self._error_page(visit, error)
            except Exception as cause:
                return self._defect(visit, cause)
            response = RedirectResponse(done.to, status_code=303, headers=PRIVATE)
            for cookie in (*done.cookies, *((said_cookie(done.said),) if done.said else ())):
                response.headers.append("set-cookie", cookie)
            return response

        return answer

    def _json(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit = await asyncio.to_thread(self._gate.look_as_program, page, request)
                shown = await asyncio.to_thread(page.show, visit)
            except HaulageError as error:
                return refusal(error)
            return Response(msgspec.json.encode(shown.view), status_code=shown.status, headers=PRIVATE, media_type=JSON)

        return answer

    def _csv(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            assert page.rows is not None
            try:
                visit = await asyncio.to_thread(self._gate.look_as_program, page, request)
                rows = await asyncio.to_thread(page.rows, visit)
            except HaulageError as error:
                return refusal(error)
            name = request.url.path.strip("/").replace("/", "-") or "table.csv"
            named = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-_."))
            headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{visit.service.code}-{named}"'}
            return StreamingResponse(csv_pieces(rows), headers=headers, media_type=CSV)

        return answer

    def _live(self, page: Page) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                visit, secret = await asyncio.to_thread(self._gate.look, page, request)
                if visit.session is None:
                    raise SignInNeeded
                self._streams.enter(visit.session.token)
            except SignInNeeded:
                return Response(b"", status_code=204, headers=PRIVATE)  # tells the browser to ask no more
            except HaulageError as error:
                return refusal(error)
            seen = visit.at(_plain_target(visit.target))

            def render() -> str | None:
                if not self._gate.may_still(page, secret):
                    return None
                return self._painter.live(page, seen, page.show(seen))

            events = self._counted(visit.session.token, render)
            response = StreamingResponse(events, headers=PRIVATE | {"X-Accel-Buffering": "no"}, media_type=EVENTS)
            if secret != secret_of(request):
                response.headers.append("set-cookie", session_cookie(secret))
            return response

        return answer

    async def _counted(self, session: str, render: Callable[[], str | None]) -> AsyncIterator[bytes]:
        try:
            async for event in watch(render, self._service.bells):
                yield event
        except HaulageError:
            return  # what it was about is gone; the page says so when it is loaded anew
        finally:
            self._streams.leave(session)

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
        if shown.to:
            return RedirectResponse(inward(shown.to), status_code=303, headers=PRIVATE)
        body = self._painter.page(page.template, visit, shown, place=page.place, page=page)
        return Response(body, status_code=shown.status, headers=PRIVATE, media_type=HTML)

    def _error_page(self, visit: Visit, error: HaulageError) -> Response:
        status, body = self._painter.error(visit, error)
        return Response(body, status_code=status, headers=PRIVATE, media_type=HTML)

    def _defect(self, visit: Visit, cause: BaseException) -> Response:
        """What it was stands in the log alone."""
        _log.error("defect on the page %s", visit.target[:200], exc_info=cause)
        hint = "Please report it with the server's log of this moment."
        body = self._painter.error(visit, TransferError("defect", "The server met an unexpected error.", hint))[1]
        return Response(body, status_code=500, headers=PRIVATE, media_type=HTML)

    def _to_sign_in(self, request: Request) -> Response:
        target = target_of(request.scope).decode("latin-1") if request.method == "GET" else "/"
        where = SIGN_IN if target == "/" else f"{SIGN_IN}?{urlencode({'to': target})}"
        return RedirectResponse(where, status_code=303, headers=PRIVATE)

    async def _bare(self, request: Request) -> Visit:
        """For an error before there is a visit."""
        session = await asyncio.to_thread(self._gate.session_of, request)
        return Visit(service=self._service, session=session, path={}, light=light_of(request))


def _plain_target(target: str) -> str:
    """The address of the page whose live part is asked for."""
    path, mark, query = target.partition("?")
    plain = path.removesuffix(".live")
    return f"{'/' if plain == '/overview' else plain}{mark}{query}"
