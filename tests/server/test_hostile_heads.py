"""Heads of requests as an enemy writes them, at a real socket: each is refused, none is read two ways, others are served."""

from __future__ import annotations

import select
import socket
import ssl

import pytest

from haulage.engine.trust.certificates import unverified_context
from tests.server.live import Live, head, rest_of

CHUNKED = "Transfer-Encoding: chunked"
EMPTY = b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["Content-Length: 2", "Content-Length: 3"], 400),
        (["Content-Length: 2, 2"], 400),
        (["Content-Length: +2"], 400),
        (["Content-Length: -1"], 400),
        (["Content-Length: 0x2"], 400),
        (["Content-Length: " + "9" * 30], 400),
        (["Content-Length: 2", CHUNKED], 411),
        ([CHUNKED, "Content-Length: 2"], 411),
        ([CHUNKED], 411),
        ([CHUNKED, CHUNKED], 411),
        (["Transfer-Encoding: gzip, chunked"], 411),
        (["Transfer-Encoding: chunked, gzip"], 400),
        (["Transfer-Encoding: xchunked"], 400),
        (["Transfer-Encoding : chunked"], 400),
    ],
    ids=str,
)
def test_b61_how_long_a_body_is_can_be_said_in_one_way(live: Live, fields: list[str], status: int) -> None:
    # What follows would be a second request to whoever read the length in the other way.
    smuggled = head("GET", "/trust/root", close=True)
    told = live.ask(live.admin("POST", "/api/v1/packages", "Content-Type: application/json", *fields, body=EMPTY + smuggled))
    assert told.status == status
    assert told.code in ("length-required", "")
    assert live.serves()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x00\x01\x02" * 100 + b"\r\n\r\n",
        b"PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\n\x00\r\nPROXY",
    ],
    ids=repr,
)
def test_b65_what_is_no_http_is_refused_and_the_connection_ended(live: Live, raw: bytes) -> None:
    assert [told.status for told in live.send(raw)] == [400]
    assert live.serves()


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (head("GET", "/healthz", *(f"X-{number}: y" for number in range(70)), close=True), 431, "head-too-large"),
        (head("GET", "/healthz", *(f"X-{number}: y" for number in range(200))), 431, ""),
        (head("GET", "/healthz", "X: " + "y" * 40_000, close=True), 431, "head-too-large"),
        (head("GET", "/healthz?" + "a" * 9000, close=True), 414, "target-too-long"),
        (head("GET", "/" + "a/" * 5000, close=True), 414, "target-too-long"),
        (head("GET", "/healthz", "Host: b", close=True), 400, "field-twice"),
        (head("GET", "/healthz", "Authorization: a", "Authorization: b", close=True), 400, "field-twice"),
        (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "host-missing"),
        (head("GET", "/healthz", "Origin: https://elsewhere.example", close=True), 403, "foreign-origin"),
        (head("GET", "/healthz", "Origin: null", close=True), 403, "foreign-origin"),
        (head("OPTIONS", "*", close=True), 404, "no-such-resource"),
        (head("OPTIONS", "/api/v1/site", "Access-Control-Request-Method: GET", close=True), 405, "method-not-allowed"),
        (head("TRACE", "/healthz", "Cookie: secret", close=True), 405, "method-not-allowed"),
        (head("A" * 3000, "/healthz", close=True), 405, "method-not-allowed"),
        (head("get", "/healthz", close=True), 405, "method-not-allowed"),
        (head("CONNECT", "169.254.169.254:80", close=True), 404, "no-such-resource"),
        (head("GET", "//healthz", close=True), 404, "no-such-resource"),
        (head("GET", "/api/../healthz", close=True), 404, "no-such-resource"),
        (head("GET", "/HEALTHZ", close=True), 404, "no-such-resource"),
        (head("GET", "/healthz/", close=True), 404, "no-such-resource"),
        (head("GET", "/healthz%00", close=True), 404, "no-such-resource"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_head_beyond_its_bounds_has_a_code(live: Live, raw: bytes, status: int, code: str) -> None:
    told = live.ask(raw)
    assert (told.status, told.code) == (status, code)
    assert live.serves()


def test_a_head_that_is_far_too_large_is_not_even_read(live: Live) -> None:
    assert {told.status for told in live.send(head("GET", "/healthz", "X: " + "y" * (8 << 20)))} <= {431}
    assert live.serves()


@pytest.mark.parametrize("dripped", [False, True])
def test_b59_a_head_that_does_not_end_is_not_waited_for(live: Live, dripped: bool) -> None:
    with live.connect() as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ")
        assert live.serves()
        wire.settimeout(0.05)
        ended = False
        while dripped and not ended:
            try:
                wire.sendall(b"y")
                ended = wire.recv(1000) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
        wire.settimeout(30)
        assert not rest_of(wire).startswith(b"HTTP/1.1 2")


def test_a_connection_without_another_request_is_ended(live: Live) -> None:
    assert [told.status for told in live.send(head("GET", "/healthz"))] == [200]


def test_b76_no_http_2_however_it_is_asked_for(live: Live) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    assert {told.status for told in live.send(preface)} <= {400}
    upgrade = ["Connection: close, Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]
    assert live.ask(head("GET", "/healthz", *upgrade)).status == 200
    context = unverified_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with live.connect(context=context) as wire:
        assert wire.selected_alpn_protocol() == "http/1.1"


def test_no_websocket(live: Live) -> None:
    fields = [
        "Connection: close, Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    assert live.ask(head("GET", "/healthz", *fields)).status == 200


def test_only_tls_1_3_is_spoken(live: Live) -> None:
    context = unverified_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        live.connect(context=context)
    with live.dial() as wire:
        wire.sendall(head("GET", "/healthz"))
        assert not rest_of(wire).startswith(b"HTTP")
    assert live.serves()


def test_b65_neither_host_nor_the_target_nor_a_proxys_fields_change_what_is_said(live: Live) -> None:
    target = "https://evil.example/api/v1/site"
    forged = ["X-Forwarded-For: 127.0.0.9", "X-Forwarded-Host: evil.example", "Forwarded: for=127.0.0.9;host=evil.example"]
    fields = [f"Authorization: Bearer {live.served.token}", *forged]
    told = live.ask(head("GET", target, *fields, close=True, host="evil.example"))
    assert told.status == 200
    assert b"evil" not in told.body
    assert live.served.service.url().encode() in told.body


@pytest.mark.parametrize(
    "name", ["%zz", "%", "%f", "%ff%fe", "\xc3\xa9", "%0d%0aSet-Cookie:%20a=b", "%00", "..%2f..%2fetc", "%2e%2e%5c"]
)
def test_b63_escapes_that_make_no_sense_name_nothing(live: Live, name: str) -> None:
    told = live.ask(live.admin("GET", f"/api/v1/packages/{name}"))
    assert told.status in (400, 404)
    assert told.code in ("bad-package-id", "no-such-resource")
    assert "set-cookie" not in dict(told.fields)


def test_an_answer_names_no_software_and_is_not_guessed_at(live: Live) -> None:
    for raw in (head("GET", "/healthz", close=True), head("GET", "/nothing", close=True), head("GET", "/", "Host: b", close=True)):
        told = live.ask(raw)
        assert told.field("server") == "haulage"
        assert told.field("x-content-type-options") == "nosniff"


def test_pipelined_requests_are_answered_in_turn(live: Live) -> None:
    count = 200
    raw = head("GET", "/healthz") * count + head("GET", "/nothing", close=True) + head("GET", "/healthz") * 5
    assert [told.status for told in live.send(raw)] == [200] * count + [404]


def test_b74_no_followers_for_a_page_from_elsewhere_even_with_the_token(live: Live) -> None:
    told = live.ask(live.admin("GET", "/api/v1/status/stream", "Origin: https://evil.example"))
    assert (told.status, told.code) == (403, "foreign-origin")
    assert live.ask(head("GET", "/api/v1/status/stream", close=True)).code == "token-missing"
    own = live.admin("GET", "/api/v1/site", f"Origin: {live.served.service.url()}")
    assert live.ask(own).status == 200


def test_a_client_that_takes_nothing_of_its_answers_is_cut(live: Live) -> None:
    """Its connection would else be held until it pleases."""
    poll = select.poll()
    with live.connect() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.setblocking(False)
        poll.register(wire, 0)
        raw = head("GET", "/trust/root") * 100
        while not poll.poll(0):
            try:
                wire.send(raw)
            except (BlockingIOError, ssl.SSLWantWriteError):
                assert poll.poll(30_000), "the server waits for ever"
            except OSError:
                break
    assert live.serves()
