"""Answers as an enemy writes them, or a broken proxy: fields twice, heads without end, lengths said two ways. Each ends in an error
that is worth a retry, in bounded time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from haulage.base.errors import Remedy
from haulage.engine.links.exchange import Patience
from haulage.engine.links.https import HttpsLink
from haulage.engine.protocol.asks import Position
from tests.engine.links.peer import DATA, HANG, PARCEL, SIZE, WANT, Peer, Request, Script, http, part, refusal

START = Callable[[Script], Peer]
LINK = Callable[..., HttpsLink]


def _read(peer: START, link: LINK, answer: list[bytes], patience: Patience | None = None) -> bytes:
    return b"".join(link(peer(lambda _: answer).url, patience=patience).read_parcel(PARCEL, 100, SIZE, SIZE))


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("Content-Encoding: identity\r\nContent-Encoding: gzip", "encoded-answer"),
        ("Content-Encoding: identity, gzip", "encoded-answer"),
        ("Content-Encoding: identity\r\nContent-Encoding: identity", ""),
        (f'ETag: "{"cd" * 32}"', "bad-answer"),
        (f'ETag: W/"{PARCEL}"', "bad-answer"),
        (f"Content-Range: bytes 0-{SIZE - 101}/{SIZE}", "bad-answer"),
        ("Content-Type: application/octet-stream\r\nContent-Type: multipart/byteranges; boundary=x", "bad-answer"),
    ],
)
def test_b55_b52_b53_a_field_that_comes_twice_must_say_the_same(peer: START, link: LINK, field: str, code: str) -> None:
    answer = part(DATA[100:], 100, field)
    if code:
        assert refusal(lambda: _read(peer, link, answer)).code == code
    else:
        assert _read(peer, link, answer) == DATA[100:]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, "range-ignored"),
        (201, "peer-failed"),
        (207, "peer-failed"),
        (416, "wrong-range"),
    ],
)
def test_b52_only_a_206_is_a_part(peer: START, link: LINK, status: int, code: str) -> None:
    """Not even a 200 that brings just what was asked for."""
    error = refusal(lambda: _read(peer, link, part(DATA[100:], 100, status=status)))
    assert error.code == code
    assert error.remedy is Remedy.RETRY


HEADS = {
    "a giant field": [b"HTTP/1.1 206 X\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"],
    "a giant reason": [b"HTTP/1.1 206 " + b"y" * 100_000 + b"\r\n\r\n"],
    "very many fields": [b"HTTP/1.1 206 X\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"],
    "lengths that differ": [b"HTTP/1.1 206 X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"],
    "a length below zero": [b"HTTP/1.1 206 X\r\nContent-Length: -5\r\n\r\n"],
    "a length and chunks": [b"HTTP/1.1 206 X\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    "a size that is none": [b"HTTP/1.1 206 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    "a line that is folded": [b"HTTP/1.1 206 X\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"],
    "a NUL": [b"HTTP/1.1 206 X\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"],
    "another protocol": [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "HTTP/2": [b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 10],
    "nothing": [b""],
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_b51_a_head_that_is_none_is_an_error_of_the_way(peer: START, link: LINK, head: list[bytes]) -> None:
    patience = Patience(stall_seconds=2.0)
    error = refusal(lambda: _read(peer, link, head, patience))
    assert error.family == "transfer"
    assert error.remedy is Remedy.RETRY
    assert len(error.message) < 1000
    assert error.message.isprintable()


def test_b51_preliminary_answers_without_end_are_given_up(peer: START, link: LINK) -> None:
    endless = [b"HTTP/1.1 102 Processing\r\n\r\n" * 100, HANG]
    patience = Patience(answer_seconds=0.3, stall_seconds=30.0)
    assert refusal(lambda: _read(peer, link, endless, patience)).family == "transfer"
    assert refusal(lambda: link(peer(lambda _: endless).url, patience=patience).want(WANT)).family == "transfer"


def test_b51_a_head_that_drips_is_given_up_though_it_never_stalls(peer: START, link: LINK) -> None:
    """Without an end in sight for the head no bound on silence helps: it never is silent for long."""
    made = link(peer(_drip).url, patience=Patience(answer_seconds=0.3, stall_seconds=30.0))
    assert refusal(lambda: list(made.read_parcel(PARCEL, 100, SIZE, SIZE))).code == "stalled"


def _drip(_request: Request) -> list[bytes]:
    return [b"HTTP/1.1 206 X\r\nX: y", HANG]


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest", "file:///etc/passwd", "//host/share", "/hop/v1/feed"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_b68_no_redirect_is_followed(peer: START, link: LINK, status: int, location: str) -> None:
    other = peer(lambda _: http(status, b"", f"Location: {location}"))
    assert refusal(lambda: link(other.url).feed(Position(), 0)).code == "redirected"
    assert len(other.asked) == 1


def test_b70_a_cookie_is_not_kept(peer: START, link: LINK) -> None:
    other = peer(lambda _: http(204, b"", "Set-Cookie: a=b"))
    made = link(other.url)
    made.feed(Position(), 0)
    made.feed(Position(), 0)
    assert "cookie" not in other.asked[1].headers
