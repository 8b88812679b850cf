"""The HTTPS link: its promises, its proofs, its clock, and peers that are not what they should be."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import FormatError, HaulageError, NotFoundError, Remedy, TransferError
from haulage.engine.links.https import HttpsLink
from haulage.engine.links.link import Link
from haulage.engine.links.loop import LoopThread
from haulage.engine.protocol.asks import Pending, Position, Want
from haulage.engine.protocol.codec import decode, encode
from haulage.engine.protocol.lines import join_lines, split_lines
from haulage.engine.trust.certificates import make_authority
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.requests import ClockSkewError, NonceCache, body_digest, signed_time, verify_request
from tests.engine.links.peer import (
    ABORT,
    AUTHORITY,
    CHI,
    CHI_KEY,
    DATA,
    HANG,
    HQ1,
    HQ1_KEY,
    NOW,
    PARCEL,
    SIZE,
    WANT,
    Peer,
    Request,
    Script,
    http,
    part,
    problem,
    refusal,
)
from tests.engine.links.promises import LinkPromises, Parent


class TestPromises(LinkPromises):
    """The suite, over real TLS."""

    @pytest.fixture
    def link(self, parent: Parent, peer: Callable[[Script], Peer], loop: LoopThread) -> Iterator[Link]:
        made = HttpsLink(
            url=peer(served(parent)).url,
            site=CHI,
            peer=HQ1,
            key=CHI_KEY,
            peer_keys=lambda: [HQ1_KEY.public],
            authority_pem=AUTHORITY.certificate_pem,
            clock=SystemClock(),
            loop=loop,
        )
        yield made
        made.close()


def served(parent: Parent) -> Script:
    """The suite's parent behind the paths of the format."""

    def script(request: Request) -> list[bytes]:
        parts = urlsplit(request.target)
        if parts.path == "/hop/v1/feed":
            query = {name: int(value) for name, value in parse_qsl(parts.query)}
            found = parent.feed(Position(epoch=query["epoch"], stream=query["stream"], sequence=query["sequence"]))
            if not found and query["wait"]:
                parent.waiting.set()
                return [HANG]
            return http(200, join_lines(found)) if found else http(204)
        if parts.path == "/hop/v1/report":
            return http(200, encode(parent.report(split_lines(request.body))))
        if parts.path == "/hop/v1/want":
            answer = parent.want(decode(request.body, Want))
            return http(200, answer) if isinstance(answer, bytes) else http(202, encode(answer))
        return ranged(parent, parts.path.rpartition("/")[2], request.headers)

    return script


def ranged(parent: Parent, parcel: str, headers: dict[str, str]) -> list[bytes]:
    """As a static file server does it: an end beyond the file is brought back to the file's."""
    try:
        data = parent.parcel(parcel)
    except HaulageError as error:
        return problem(error, 404)
    first, last = (int(end) for end in headers["range"].removeprefix("bytes=").split("-"))
    last = min(last, len(data) - 1)
    return http(206, data[first : last + 1], f'ETag: "{parcel}"', f"Content-Range: bytes {first}-{last}/{len(data)}")


def test_feed_report_and_want_speak_their_formats(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    pending = Pending(reason="building", retry_after_seconds=5)
    answers = {
        "/hop/v1/feed?epoch=1&stream=2&sequence=3&wait=0": http(200, b'{"a":1}\n{"b":2}\n'),
        "/hop/v1/report": http(200, encode(Position(epoch=1, stream=2, sequence=4))),
        "/hop/v1/want": http(202, encode(pending)),
        "/hop/v1/claim": http(200, b'{"d":4}\n'),
    }
    other = peer(lambda request: answers[request.target])
    made = link(other.url)
    assert made.feed(Position(epoch=1, stream=2, sequence=3), 0.0) == [b'{"a":1}', b'{"b":2}']
    assert made.report([b'{"c":3}', b"{}"]) == Position(epoch=1, stream=2, sequence=4)
    made.claim(b'{"claim":1}')
    assert made.want(WANT) == pending
    answers["/hop/v1/want"] = http(200, b'{"signed":"offer"}')
    assert made.want(WANT) == b'{"signed":"offer"}'
    assert [request.body for request in other.asked] == [b"", b'{"c":3}\n{}\n', b'{"claim":1}', encode(WANT), encode(WANT)]
    assert other.connections == 1


def test_a_feed_without_news_is_empty(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    assert link(peer(lambda _: http(204)).url).feed(Position(), 25.9) == []


def test_every_request_is_signed_for_the_peer(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    def script(request: Request) -> list[bytes]:
        if request.method == "GET":
            return part(DATA, 0) if "parcels" in request.target else http(204)
        return http(200, encode(Position()))

    other = peer(script)
    made = link(other.url)
    made.feed(Position(), 0)
    made.report([b"{}"])
    made.want(WANT)
    list(made.read_parcel(PARCEL, 0, SIZE, SIZE))
    nonces = NonceCache(started=NOW - dt.timedelta(hours=1))
    for request in other.asked:
        sender = verify_request(
            request.method,
            request.target,
            body_digest(request.body),
            request.headers,
            receiver=HQ1,
            keys_of=lambda _: [CHI_KEY.public],
            now=dt.datetime.now(dt.UTC),
            nonces=nonces,
        )
        assert sender == CHI
    assert len(other.asked) == 4


def test_nobody_there_is_said_with_the_hop_named(link: Callable[..., HttpsLink]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{holder.getsockname()[1]}"
        error = refusal(lambda: link(url).report([]))
    assert (error.code, error.remedy) == ("unreachable", Remedy.RETRY)
    assert "HQ1" in error.message
    assert url in error.message


def test_another_authority_is_not_believed(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    other = peer(lambda _: http(204))
    made = link(other.url, authority_pem=make_authority(HQ1, now=NOW).certificate_pem)
    assert refusal(lambda: made.feed(Position(), 0)).code == "tls-refused"
    assert other.asked == []


def test_f31_another_host_is_not_believed(link: Callable[..., HttpsLink], tmp_path: Path) -> None:
    other = Peer(script=lambda _: http(204), folder=tmp_path)
    other.start(host="127.0.0.2")
    assert refusal(lambda: link(other.url).feed(Position(), 0)).code == "tls-refused"
    other.stop()


def test_f32_a_certificate_that_has_ended_is_not_believed_and_tried_again(link: Callable[..., HttpsLink], tmp_path: Path) -> None:
    other = Peer(script=lambda _: http(204), folder=tmp_path)
    other.start(issued=NOW - dt.timedelta(days=6 * 365))
    error = refusal(lambda: link(other.url).feed(Position(), 0))
    assert (error.code, error.remedy) == ("tls-refused", Remedy.RETRY)
    assert "expired" in error.message
    assert other.asked == []
    other.stop()


def test_f31_a_name_that_leads_nowhere_is_said_and_tried_again(link: Callable[..., HttpsLink]) -> None:
    error = refusal(lambda: link("https://no-such-host.invalid:8444").report([]))
    assert (error.code, error.remedy) == ("unreachable", Remedy.RETRY)
    assert "no-such-host.invalid" in error.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirection_is_followed(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], status: int) -> None:
    other = peer(lambda _: http(status, b"", "Location: /elsewhere"))
    assert refusal(lambda: link(other.url).feed(Position(), 0)).code == "redirected"
    assert len(other.asked) == 1


def test_the_peers_error_comes_through_with_the_hop_named(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    sent = NotFoundError("parcel-gone", "Parcel abab is not here any more.", "Ask again.", remedy=Remedy.RETRY)
    error = refusal(lambda: link(peer(lambda _: problem(sent, 404)).url).want(WANT))
    assert isinstance(error, NotFoundError)
    assert (error.code, error.hint, error.remedy) == (sent.code, sent.hint, sent.remedy)
    assert "HQ1" in error.message
    assert sent.message in error.message


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, "usage"),
        (401, "not-allowed"),
        (403, "not-allowed"),
        (404, "not-found"),
        (429, "transfer"),
        (500, "transfer"),
        (206, "transfer"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"code":"BAD CODE","family":"integrity"}', b'{"code":1}', b"[" * 60_000])
def test_i24_an_error_page_of_something_else_is_a_plain_refusal(
    peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], status: int, family: str, body: bytes
) -> None:
    error = refusal(lambda: link(peer(lambda _: http(status, body, "Content-Type: application/problem+json")).url).report([]))
    assert error.family == family
    assert "HQ1" in error.message


def test_b101_a_peers_sentence_is_bounded_and_printable(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    sent = TransferError("busy", "a\r\n\x1b[2J\u202e" + "x" * 50_000)
    error = refusal(lambda: link(peer(lambda _: problem(sent, 503)).url).report([]))
    assert error.message.isprintable()
    assert len(error.message) < 1200


def test_a_stale_connection_is_opened_anew_with_a_fresh_proof(
    peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]
) -> None:
    def script(_: Request) -> list[bytes]:
        return [ABORT] if len(other.asked) == 2 else http(200, encode(Position()))

    other = peer(script)
    made = link(other.url)
    made.report([])
    made.report([])
    assert len(other.asked) == 3
    assert len({request.headers["haulage-nonce"] for request in other.asked}) == 3


def test_a_peer_that_always_hangs_up_is_not_asked_for_ever(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    other = peer(lambda _: [ABORT])
    assert refusal(lambda: link(other.url).report([])).code == "cut"
    assert len(other.asked) == 2


def clocked(key: SigningKey) -> Script:
    """A peer that checks times, and signs its own with ``key``."""
    nonces = NonceCache(started=NOW - dt.timedelta(hours=1))

    def script(request: Request) -> list[bytes]:
        now = dt.datetime.now(dt.UTC)
        try:
            verify_request(
                request.method,
                request.target,
                body_digest(request.body),
                request.headers,
                receiver=HQ1,
                keys_of=lambda _: [CHI_KEY.public],
                now=now,
                nonces=nonces,
            )
        except ClockSkewError as error:
            return problem(error, 401, signed_time(HQ1, error.nonce, now, key))
        return http(200, encode(Position(sequence=9)))

    return script


@pytest.mark.parametrize("hours_off", [-30, 30])
def test_i18_a_wrong_clock_loses_nothing(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], hours_off: int) -> None:
    other = peer(clocked(HQ1_KEY))
    made = link(other.url, hours_off=hours_off)
    assert made.report([]).sequence == 9
    assert made.report([]).sequence == 9
    assert len(other.asked) == 3
    assert abs(made.clock_offset_seconds + hours_off * 3600) < 60


def test_b73_a_time_that_the_peer_did_not_sign_is_not_believed(
    peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]
) -> None:
    made = link(peer(clocked(CHI_KEY)).url, hours_off=5)
    assert refusal(lambda: made.report([])).code == "clock-skew"
    assert made.clock_offset_seconds == 0


@pytest.mark.parametrize("answer", [b"", b"{", b'{"sequence":-1}', b"[]", b'{"a":1,"a":2}'])
def test_b27_malformed_answers_are_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], answer: bytes) -> None:
    with pytest.raises(FormatError):
        link(peer(lambda _: http(200, answer)).url).report([])


@pytest.mark.parametrize(
    "answer", [b"\x00\x01\x02\r\n\r\n", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 X\r\nA: " + b"x" * 100_000]
)
def test_what_is_not_http_is_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], answer: bytes) -> None:
    assert isinstance(refusal(lambda: link(peer(lambda _: [answer, ABORT]).url).report([])), TransferError)
