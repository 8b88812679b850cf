"""Nobody gets past the gate who may not: every endpoint, every kind of caller; sizes, media types, shapes."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import SupportsIndex

import pytest
from starlette.routing import Route

from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.requests import read_signed_time
from haulage.server.app import ENDPOINTS, create_app
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from tests.server.asgi import Served, ask

FEED = "/hop/v1/feed?epoch=0&stream=0&sequence=0&wait=0"


def _concrete(path: str) -> str:
    return path.replace("{id}", "HQ100001").replace("{code}", "CHI").replace("{", "").replace("}", "")


def _body(endpoint: Endpoint) -> bytes:
    return b"{}" if endpoint.body is not None or endpoint.media_type is not None else b""


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {"Content-Type": endpoint.media_type or "application/json"} if _body(endpoint) else {}


def test_every_route_of_the_application_is_an_endpoint_with_a_permission(served: Served) -> None:
    routes = {(method, route.path) for route in served.app.routes if isinstance(route, Route) for method in route.methods or ()}
    assert routes == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    assert len(served.app.routes) == len(ENDPOINTS)


def test_what_is_open_to_anybody_is_this_and_no_more() -> None:
    opened = {endpoint.path for endpoint in ENDPOINTS if endpoint.permission is Permission.OPEN}
    assert opened == {"/healthz", "/trust/root", "/hop/v1/claim"}


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.permission.role is not None], ids=lambda e: f"{e.method} {e.path}"
)
def test_b71_nothing_that_needs_a_role_without_a_token(served: Served, endpoint: Endpoint) -> None:
    target, body = _concrete(endpoint.path), _body(endpoint)
    for headers in (
        {},
        {"Authorization": "Bearer haulage_" + "A" * 43},
        {"Authorization": f"Basic {served.token}"},
        {"Authorization": "Bearer "},
        {"Cookie": f"token={served.token}"},
        served.signed(endpoint.method, target, body),
    ):
        reply = served.ask(endpoint.method, target, headers={**_headers(endpoint), **headers}, body=body)
        assert reply.status == 401
        assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.permission is Permission.SITE], ids=lambda e: f"{e.method} {e.path}"
)
def test_b71_no_site_endpoint_without_a_childs_signature(served: Served, endpoint: Endpoint) -> None:
    target, body = _concrete(endpoint.path), _body(endpoint)
    for headers in (
        {},
        {"Authorization": f"Bearer {served.token}"},
        served.signed(endpoint.method, target, body, key=SigningKey.generate()),
        served.signed(endpoint.method, target, body, sender="HQ1"),
        served.signed(endpoint.method, target, body, sender="ZZZ"),
    ):
        reply = served.ask(endpoint.method, target, headers={**_headers(endpoint), **headers}, body=body)
        assert reply.status == 403


def test_the_child_itself_is_let_in(served: Served) -> None:
    assert served.ask("GET", FEED, headers=served.signed("GET", FEED)).status in (200, 204)


def test_b73_a_request_counts_once_for_one_target_one_body_one_receiver(served: Served) -> None:
    headers = served.signed("GET", FEED)
    assert served.ask("GET", FEED, headers=headers).status in (200, 204)
    assert served.ask("GET", FEED, headers=headers).code == "request-replayed"
    other = FEED.replace("sequence=0", "sequence=1")
    assert served.ask("GET", other, headers=served.signed("GET", FEED)).code == "bad-request-signature"
    elsewhere = served.signed("GET", FEED, receiver="LA1")
    assert served.ask("GET", FEED, headers=elsewhere).code == "request-for-another-site"
    lines = {"Content-Type": "application/vnd.haulage.lines"}
    swapped = served.ask("POST", "/hop/v1/report", headers={**lines, **served.signed("POST", "/hop/v1/report")}, body=b"x\n")
    assert swapped.code == "bad-request-signature"


def test_b73_a_skewed_request_learns_the_servers_signed_time(served: Served) -> None:
    real = served.clock
    served.clock = _Ahead()  # type: ignore[assignment]
    try:
        headers = served.signed("GET", FEED)
    finally:
        served.clock = real
    reply = served.ask("GET", FEED, headers=headers)
    assert (reply.status, reply.code) == (403, "clock-skew")
    keys = [served.opened.site_key.public]
    told = read_signed_time(reply.json["signed_time"].encode(), site=served.service.code, nonce=headers["haulage-nonce"], keys=keys)
    assert abs((told - real.now()).total_seconds()) < 60


class _Ahead:
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


@pytest.mark.parametrize(
    "media", ["application/x-yaml", "text/xml", "multipart/form-data; boundary=x", "application/x-python-pickle", ""]
)
def test_b75_only_the_one_media_type_is_read(served: Served, media: str) -> None:
    reply = served.admin("POST", "/api/v1/packages", {"name": "a", "source": "/b"}, headers={"Content-Type": media})
    assert (reply.status, reply.code) == (415, "wrong-media-type")


def test_b75_no_coded_body(served: Served) -> None:
    coded = {"Content-Encoding": "gzip"}
    assert served.admin("POST", "/api/v1/packages", {"name": "a", "source": "/b"}, headers=coded).status == 415


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc", "HQ100001%00", "%EF%BC%8E%EF%BC%8E", "%5C%5Chost%5Cshare", "hq100001", "HQ1000010", "'--"]
)
def test_b63_ids_are_parsed_before_anything_else(served: Served, name: str) -> None:
    for tail in ("", "/status", "/versions"):
        reply = served.admin("GET", f"/api/v1/packages/{name}{tail}")
        assert reply.status in (400, 404)
        assert reply.code in ("bad-package-id", "no-such-resource")
    assert served.admin("DELETE", f"/api/v1/sites/{name}").status in (400, 404)


def test_b64_unknown_doubled_and_senseless_parameters_are_refused(served: Served) -> None:
    for query in ("sort=id;drop", "limit=1&limit=2", "limit=abc", "limit=0", "limit=999999"):
        assert served.admin("GET", f"/api/v1/packages?{query}").status == 400
    assert served.admin("GET", "/api/v1/site?x=1").code == "bad-query"


def test_b65_a_forged_host_is_used_nowhere(served: Served) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil.example"}
    told = served.admin("GET", "/api/v1/site", headers=forged)
    assert "evil" not in told.body.decode()
    assert told.json["url"] == served.service.url()


def test_b71_a_role_in_the_body_is_an_unknown_field(served: Served) -> None:
    reply = served.admin("POST", "/api/v1/packages", {"name": "a", "source": "/b", "role": "admin"})
    assert (reply.status, reply.code) == (400, "bad-body")


def test_a_body_beyond_its_bound_is_refused_announced_or_not(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    announced = served.ask("POST", "/api/v1/packages", headers={**headers, "Content-Length": str(1 << 40)}, body=b"{}")
    assert announced.code == "body-too-large"
    dripped = served.ask("POST", "/api/v1/packages", headers=headers, body=[b" " * 65_536] * 20)
    assert (dripped.status, dripped.code) == (413, "body-too-large")


def test_b61_a_body_is_read_from_a_proven_child_only(served: Served) -> None:
    """The code of a child is no secret: it must not be enough to make the server hold megabytes."""
    target, lines = "/hop/v1/report", {"Content-Type": "application/vnd.haulage.lines"}
    forged = served.signed("POST", target, b"x", key=SigningKey.generate())
    pieces = _Counted([b"x" * 65_536] * 4)
    reply = served.ask("POST", target, headers={**lines, **forged}, body=pieces)
    assert (reply.status, pieces.read) == (403, 0)


class _Counted(list[bytes]):
    """A body of pieces that counts how many were asked for."""

    read = 0

    def pop(self, index: SupportsIndex = -1) -> bytes:
        self.read += 1
        return super().pop(index)


def test_where_no_body_belongs_none_is_taken(served: Served) -> None:
    assert served.ask("GET", "/healthz", body=b"x").status == 413


def test_unknown_paths_and_methods_are_problems_too(served: Served) -> None:
    assert served.admin("GET", "/nothing").code == "no-such-resource"
    assert served.admin("POST", "/api/v1/site").code == "method-not-allowed"
    assert served.ask("GET", "/openapi.json").status == 404


def test_an_unexpected_error_tells_nothing_of_itself(served: Served) -> None:
    def fail(_call: Call) -> Answer:
        raise RuntimeError("inner secret")

    broken = Endpoint(method="GET", path="/broken", permission=Permission.OPEN, act=fail, summary="")
    app = create_app(served.service, [broken])
    reply = asyncio.run(ask(app, "GET", "/broken"))
    assert (reply.status, reply.code) == (500, "defect")
    assert "secret" not in reply.body.decode()


def test_the_api_describes_itself(served: Served) -> None:
    described = served.admin("GET", "/api/v1/openapi.json").json
    assert described["openapi"].startswith("3.1")
    programs = {one.path for one in ENDPOINTS if one.path.startswith("/api/")}
    assert set(described["paths"]) == programs | {"/healthz", "/metrics"}
