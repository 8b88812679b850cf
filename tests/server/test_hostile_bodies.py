"""Bodies and ranges as an enemy sends them, at a real socket: too long, too slow, without end, of another kind, for ever deeper."""

from __future__ import annotations

import json
import logging

import pytest

from haulage.base.clock import SystemClock
from haulage.base.log import JsonLines
from haulage.engine.protocol import lines
from tests.server.asgi import PARCEL_BYTES
from tests.server.live import Live, head, rest_of

PACKAGES, JSON = "/api/v1/packages", "Content-Type: application/json"
REPORT = "/hop/v1/report"


def _signed(live: Live, method: str, target: str, body: bytes, *fields: str) -> bytes:
    proof = [f"{name}: {value}" for name, value in live.served.signed(method, target, body).items()]
    return head(method, target, *proof, *fields, close=True)


def test_b51_a_body_that_stops_halfway_is_not_waited_for(live: Live) -> None:
    told = live.ask(live.admin("POST", PACKAGES, JSON, "Content-Length: 100", body=b'{"name"', close=False))
    assert (told.status, told.code) == (408, "body-too-slow")
    assert live.serves()


def test_b51_a_body_that_drips_is_not_waited_for(live: Live) -> None:
    """Each byte comes in time, the whole does not."""
    with live.connect() as wire:
        wire.sendall(live.admin("POST", PACKAGES, JSON, "Content-Length: 1000", close=False))
        wire.settimeout(0.1)
        data = b""
        while not data:
            wire.sendall(b" ")
            try:
                data = wire.recv(65_536)
            except TimeoutError:
                continue
        wire.settimeout(30)
        data += rest_of(wire)
    assert data.startswith(b"HTTP/1.1 408 ")
    assert b"body-too-slow" in data


def test_b51_an_endless_body_is_not_begun(live: Live) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    raw = live.admin("POST", PACKAGES, JSON, "Transfer-Encoding: chunked", body=chunk * 200, close=False)
    assert {told.code for told in live.send(raw)} <= {"length-required"}
    assert live.serves()


def test_a_client_that_leaves_in_mid_body_leaves_nothing(live: Live) -> None:
    with live.connect() as wire:
        wire.sendall(live.admin("POST", PACKAGES, JSON, "Content-Length: 100", body=b"{"))
    assert live.serves()


@pytest.mark.parametrize("length", ["1048577", "1000000000000000"])
def test_b61_a_body_over_its_limit_is_refused_before_it_comes(live: Live, length: str) -> None:
    told = live.ask(live.admin("POST", PACKAGES, JSON, f"Content-Length: {length}", "Expect: 100-continue", close=False))
    assert (told.status, told.code) == (413, "body-too-large")


def test_b61_where_no_body_belongs_none_is_read(live: Live) -> None:
    told = live.ask(head("GET", "/healthz", "Content-Length: 1", close=False))
    assert (told.status, told.code) == (413, "body-too-large")


def test_nobody_is_told_to_go_on_who_has_no_business_here(live: Live) -> None:
    expecting = [JSON, "Content-Length: 2", "Expect: 100-continue"]
    assert [told.status for told in live.send(head("POST", PACKAGES, *expecting))] == [401]
    assert [told.status for told in live.send(head("POST", REPORT, *expecting))] == [403]


@pytest.mark.parametrize(
    "media",
    [
        "multipart/form-data; boundary=x",
        "application/x-yaml",
        "application/xml",
        "application/x-python-serialize",
        "application/json, text/xml",
        "text/json",
        "APPLICATION/X-JAVA-SERIALIZED-OBJECT",
        "",
    ],
)
def test_b75_bodies_of_other_kinds_are_not_decoded(live: Live, media: str) -> None:
    told = live.ask(live.admin("POST", PACKAGES, f"Content-Type: {media}", "Content-Length: 2", body=b"{}"))
    assert (told.status, told.code) == (415, "wrong-media-type")


def test_b67_a_hundred_thousand_parts_are_one_body_of_the_wrong_kind(live: Live) -> None:
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' for _ in range(100_000))
    giant = b"--x\r\nContent-Disposition: " + b"a" * 900_000 + b"\r\n\r\n--x--"
    for body in (parts, giant):
        media = "Content-Type: multipart/form-data; boundary=x"
        told = live.send(live.admin("POST", PACKAGES, media, f"Content-Length: {len(body)}", body=body, close=False))
        assert {one.code for one in told} <= {"body-too-large", "wrong-media-type"}
    assert live.serves()


@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'{"name":[', b'{"x":{"y":'])
def test_a_body_nested_without_end_is_senseless(live: Live, opened: bytes) -> None:
    body = opened * (1_000_000 // len(opened))
    told = live.ask(live.admin("POST", PACKAGES, JSON, f"Content-Length: {len(body)}", body=body))
    assert (told.status, told.code) == (400, "bad-body")
    assert live.serves()


def test_a_report_nested_without_end_is_refused(live: Live) -> None:
    body = b"[" * 1_000_000 + b"\n"
    media = f"Content-Type: {lines.MEDIA_TYPE}"
    told = live.ask(_signed(live, "POST", REPORT, body, media, f"Content-Length: {len(body)}") + body)
    assert 400 <= told.status < 500
    assert told.code
    assert live.serves()


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=" + ",".join("0-0" for _ in range(5000)),
        "bytes=0-,0-,0-",
        "bytes=" + "9" * 400 + "-",
        "bytes=-" + "9" * 400,
        "bytes=5-1",
        "bytes=a-b",
        "bytes=-",
        "items=0-5",
        "bytes=0-18446744073709551616",
        "bytes=\xb2-\xb3",
    ],
    ids=lambda asked: asked[:24],
)
def test_b52_absurd_ranges_get_the_whole_once(live: Live, parcel: str, asked: str) -> None:
    """Never several parts: that is how a small request makes a large answer."""
    told = live.ask(_signed(live, "GET", f"/hop/v1/parcels/{parcel}", b"", f"Range: {asked}"))
    assert told.status == 200
    assert told.body == PARCEL_BYTES


def test_b52_two_ranges_are_no_range_to_guess_from(live: Live, parcel: str) -> None:
    told = live.ask(_signed(live, "GET", f"/hop/v1/parcels/{parcel}", b"", "Range: bytes=0-1", "Range: bytes=5-6"))
    assert (told.status, told.code) == (400, "field-twice")


def test_log_injection_every_refusal_is_one_line_and_nothing_in_it_is_believed(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "haulage.server")
    nasty = "%0d%0a%7b%22time%22:%22x%22%7d%1b[2J%E2%80%AE"
    live.ask(live.admin("GET", f"/api/v1/{nasty}?{nasty}", f"User-Agent: {nasty}"))
    live.ask(live.admin("DELETE", f"/api/v1/sites/{nasty}"))
    rows = [record for record in caplog.records if record.getMessage().startswith("refused ")]
    assert len(rows) == 2
    for record in rows:
        written = JsonLines(SystemClock()).format(record)
        message = json.loads(written)["message"]
        assert message.isprintable()
        assert "127.0.0.1" in message
        assert "\n" not in written


def test_every_refusal_at_the_socket_is_one_line_in_the_log(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "haulage.server")
    live.ask(head("GET", "/healthz", "Transfer-Encoding: chunked", close=True))
    live.ask(head("GET", "/api/v1/site", close=True))
    live.ask(live.admin("POST", PACKAGES, JSON, "Content-Length: 9", body=b"{", close=False))
    codes = [record.args[-1] for record in caplog.records if record.getMessage().startswith("refused ")]  # type: ignore[index]
    assert codes == ["length-required", "token-missing", "body-too-slow"]


def test_b73_a_signed_request_counts_once_for_one_target_and_one_body(live: Live) -> None:
    target = "/hop/v1/feed?epoch=0&stream=0&sequence=0&wait=0"
    raw = _signed(live, "GET", target, b"")
    assert live.ask(raw).status in (200, 204)
    assert live.ask(raw).code == "request-replayed"
    assert live.ask(_signed(live, "GET", target, b"").replace(b"wait=0", b"wait=1")).code == "bad-request-signature"
    assert live.ask(_signed(live, "GET", target, b"").replace(b"GET /", b"GET https://a/")).status in (200, 204)
    body, media = b"", f"Content-Type: {lines.MEDIA_TYPE}"
    swapped = _signed(live, "POST", REPORT, body, media, "Content-Length: 2") + b"x\n"
    assert live.ask(swapped).code == "bad-request-signature"
    doubled = _signed(live, "GET", target, b"", "haulage-from: CHI")
    assert live.ask(doubled).code == "request-unsigned"
