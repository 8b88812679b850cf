"""The first address, which leads to the first page there is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from haulage.console.frame.headers import PRIVATE

FIRST = "/knowledge"


async def first(_request: Request) -> Response:
    """To the first page."""
    return RedirectResponse(FIRST, status_code=303, headers=PRIVATE)
