"""The page Prometheus scrapes. Knows no figure."""

from __future__ import annotations

from starlette.responses import Response

from haulage.server.endpoint import Call, Endpoint, Permission


def _metrics(call: Call) -> Response:
    body, media_type = call.service.metrics.page(call.request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/metrics",
        permission=Permission.SCRAPE,
        act=_metrics,
        summary="This site's figures, as Prometheus reads them",
    ),
)
