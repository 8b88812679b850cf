"""The HTTP application: every endpoint of the contract behind the gate, every error a problem document. Opens nothing."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from haulage.base.errors import HaulageError
from haulage.engine.trust.requests import ClockSkewError
from haulage.server.api import (
    backups,
    content,
    declared,
    fixes,
    glance,
    groups,
    hop,
    knowledge,
    matrix,
    metrics,
    notifiers,
    overview,
    packages,
    people,
    points,
    server,
    sites,
    status,
    store,
    transfers,
)
from haulage.server.bounds import Bounds
from haulage.server.description import describe
from haulage.server.endpoint import JSON, Answer, Endpoint
from haulage.server.gate import admit
from haulage.server.limits import Limits
from haulage.server.refusals import Refuser, defect, no_such_method, no_such_resource
from haulage.server.service import Service

ENDPOINTS: tuple[Endpoint, ...] = (
    *server.ENDPOINTS,
    *sites.ENDPOINTS,
    *packages.ENDPOINTS,
    *matrix.ENDPOINTS,
    *points.ENDPOINTS,
    *groups.ENDPOINTS,
    *declared.ENDPOINTS,
    *status.ENDPOINTS,
    *store.ENDPOINTS,
    *knowledge.ENDPOINTS,
    *fixes.ENDPOINTS,
    *backups.ENDPOINTS,
    *content.ENDPOINTS,
    *hop.ENDPOINTS,
    *people.ENDPOINTS,
    *metrics.ENDPOINTS,
    *transfers.ENDPOINTS,
    *notifiers.ENDPOINTS,
    *glance.ENDPOINTS,
    *overview.ENDPOINTS,
)

CURSOR_HEADER = "Haulage-Cursor"


class Pages(Protocol):
    """Pages for people, beside the endpoints for programs; they keep their own gate."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What has an address."""
        ...

    async def missing(self, request: Request) -> Response | None:
        """A page that says there is nothing; None if the request is a program's."""
        ...


def create_app(
    service: Service, endpoints: Sequence[Endpoint] = ENDPOINTS, limits: Limits | None = None, pages: Pages | None = None
) -> FastAPI:
    """The application of one site."""
    limits = limits or Limits()
    refuser = Refuser(service.clock, lines_per_minute=limits.refusals_per_minute)
    app = FastAPI(title="Haulage", version=service.version, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for endpoint in endpoints:
        app.add_api_route(
            endpoint.path,
            _handler(service, endpoint, refuser),
            methods=[endpoint.method],
            response_model=None,
            include_in_schema=False,
        )
    app.state.description = functools.cache(lambda: describe(endpoints, service.version))
    app.router.routes.extend(pages.routes if pages is not None else ())
    app.add_exception_handler(HTTPException, _http_exception(refuser, pages))
    app.add_middleware(_Shield)
    app.add_middleware(Bounds, limits=limits, own_url=service.url, refuser=refuser)
    return app


class _Shield:
    """Whatever a handler did not catch becomes a problem document without inner text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as cause:
            if scope["type"] != "http" or started:
                raise
            await defect(scope["method"], scope["path"], cause)(scope, receive, send)


def _handler(service: Service, endpoint: Endpoint, refuser: Refuser) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            call = await admit(service, endpoint, request)
            if inspect.iscoroutinefunction(endpoint.act):
                answer = await endpoint.act(call)
            else:
                answer = cast("Answer | Response", await asyncio.to_thread(endpoint.act, call))
        except ClockSkewError as error:
            return refuser.refuse(request.scope, error, signed_time=service.sign_time(error.nonce))
        except HaulageError as error:
            return refuser.refuse(request.scope, error)
        except Exception as cause:
            return defect(request.method, request.url.path, cause)
        return answer if isinstance(answer, Response) else _encoded(answer)

    return handle


def _encoded(answer: Answer) -> Response:
    headers = {"Cache-Control": "no-store", **answer.headers}
    if answer.cursor is not None:
        headers[CURSOR_HEADER] = answer.cursor
    body = b"" if answer.status == 204 else msgspec.json.encode(answer.value)
    return Response(body, status_code=answer.status, headers=headers, media_type=None if answer.status == 204 else JSON)


def _http_exception(refuser: Refuser, pages: Pages | None) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            return refuser.refuse(request.scope, no_such_method(request.method, request.url.path))
        page = await pages.missing(request) if pages is not None and not request.url.path.startswith("/api/") else None
        if page is not None:
            return page
        return refuser.refuse(request.scope, no_such_resource(request.url.path))

    return answer
