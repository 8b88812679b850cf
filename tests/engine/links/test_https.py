"""The HTTPS link against a peer that misbehaves in every way of the catalogue."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotAllowedError, NotFoundError, Remedy, TransferError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.engine.links.exchange import Patience, server_url
from haulage.engine.links.https import HttpsLink
from haulage.engine.links.joining import fetch_root, send_claim
from haulage.engine.links.link import Link
from haulage.engine.links.loop import LoopThread
from haulage.engine.protocol.asks import Pending, Position, Want
from haulage.engine.protocol.codec import decode, encode
from haulage.engine.protocol.lines import join_lines, split_lines
from haulage.engine.protocol.problems import encode_problem, problem_of
from haulage.engine.trust.certificates import make_authority
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.requests import ClockSkewError, NonceCache, body_digest, signed_time, verify_request
from haulage.engine.trust.root import root_digest
from tests.engine.links.peer import ABORT, AUTHORITY, HANG, NOW, Peer, Request, Script, http
from tests.engine.links.promises import LinkPromises, Parent

HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
CHI_KEY, HQ1_KEY = SigningKey.from_seed(b"\1" * 32), SigningKey.from_seed(b"\2" * 32)
PARCEL = "ab" * 32
DATA = bytes(range(256)) * 40
SIZE = len(DATA)
WANT = Want(package=PackageId("HQ100042"), version=VersionNumber(7), target="ab" * 32)


class OffClock(SystemClock):
    """A clock that is wrong."""

    def __init__(self, off: dt.timedelta) -> None:
        self._off = off

    def now(self) -> dt.datetime:
        return super().now() + self._off


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Callable[[Script], Peer]]:
    started: list[Peer] = []

    def start(script: Script) -> Peer:
        started.append(Peer(script=script, folder=tmp_path))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def link(loop: LoopThread) -> Iterator[Callable[..., HttpsLink]]:
    made: list[HttpsLink] = []

    def make(
        url: str, *, patience: Patience | None = None, authority_pem: str = AUTHORITY.certificate_pem, hours_off: int = 0
    ) -> HttpsLink:
        made.append(
            HttpsLink(
                url=url,
                site=CHI,
                peer=HQ1,
                key=CHI_KEY,
                peer_keys=lambda: [HQ1_KEY.public],
                authority_pem=authority_pem,
                clock=OffClock(dt.timedelta(hours=hours_off)),
                loop=loop,
                patience=patience,
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def part(data: bytes, first: int, *headers: str, status: int = 206, size: int = SIZE, etag: str = PARCEL) -> list[bytes]:
    return http(status, data, f'ETag: "{etag}"', f"Content-Range: bytes {first}-{size - 1}/{size}", *headers)


def refusal(act: Callable[[], object]) -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        act()
    return caught.value


def read(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], answer: list[bytes], offset: int = 100) -> bytes:
    return b"".join(link(peer(lambda _: answer).url).read_parcel(PARCEL, offset, SIZE))


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
    }
    other = peer(lambda request: answers[request.target])
    made = link(other.url)
    assert made.feed(Position(epoch=1, stream=2, sequence=3), 0.0) == [b'{"a":1}', b'{"b":2}']
    assert made.report([b'{"c":3}', b"{}"]) == Position(epoch=1, stream=2, sequence=4)
    assert made.want(WANT) == pending
    answers["/hop/v1/want"] = http(200, b'{"signed":"offer"}')
    assert made.want(WANT) == b'{"signed":"offer"}'
    assert [request.body for request in other.asked] == [b"", b'{"c":3}\n{}\n', encode(WANT), encode(WANT)]
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
    list(made.read_parcel(PARCEL, 0, SIZE))
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


@pytest.mark.parametrize("offset", [0, 1, 100, SIZE - 1])
def test_a_parcel_is_read_from_any_offset(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], offset: int) -> None:
    other = peer(lambda _: part(DATA[offset:], offset))
    assert b"".join(link(other.url).read_parcel(PARCEL, offset, SIZE)) == DATA[offset:]
    assert other.asked[0].headers["range"] == f"bytes={offset}-{SIZE - 1}"
    assert other.asked[0].headers["if-range"] == f'"{PARCEL}"'


def test_a_chunked_parcel_is_read(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, DATA)
    assert read(peer, link, part(body, 0, "Transfer-Encoding: chunked"), 0) == DATA


def test_b51_a_body_that_ends_early_gives_what_came_and_an_error(
    peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]
) -> None:
    endings: list[list[str]] = [[f"Content-Length: {SIZE - 100}"], ["Connection: close", "Transfer-Encoding: chunked"]]
    for headers in endings:
        body = b"a\r\n0123456789\r\n" if "chunked" in headers[-1] else b"0123456789"
        got: list[bytes] = []
        made = link(peer(lambda _, headers=headers, body=body: [*part(body, 100, *headers), ABORT]).url)  # type: ignore[misc]
        error = refusal(lambda made=made, got=got: got.extend(made.read_parcel(PARCEL, 100, SIZE)))  # type: ignore[misc]
        assert error.code == "cut"
        assert error.remedy is Remedy.RETRY
        assert b"0123456789".startswith(b"".join(got))


def test_b51_an_orderly_end_before_the_last_byte_is_a_cut(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    chunked = b"a\r\n0123456789\r\n0\r\n\r\n"
    assert refusal(lambda: read(peer, link, part(chunked, 100, "Transfer-Encoding: chunked"))).code == "cut"


def test_b51_a_parcel_without_end_is_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    endless = part(b"", 100, "Transfer-Encoding: chunked") + [b"%x\r\n%b\r\n" % (SIZE, DATA)] * 50 + [HANG]
    assert refusal(lambda: read(peer, link, endless)).code == "answer-too-large"


def test_b51_a_feed_without_end_is_refused(
    peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haulage.engine.protocol.lines.BODY_MAX_BYTES", 100_000)
    endless = http(200, b"", "Transfer-Encoding: chunked") + [b"%x\r\n%b\r\n" % (SIZE, DATA)] * 50 + [HANG]
    assert refusal(lambda: link(peer(lambda _: endless).url).feed(Position(), 0)).code == "answer-too-large"


@pytest.mark.parametrize("length", ["-1", "x", "1, 2", str(SIZE), str(SIZE - 101), "99999999999999999999999"])
def test_b51_a_wrong_content_length_is_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], length: str) -> None:
    answer = part(DATA[100:], 100, f"Content-Length: {length}")
    assert isinstance(refusal(lambda: read(peer, link, answer)), TransferError)


def test_b52_a_200_for_a_range_is_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    assert refusal(lambda: read(peer, link, http(200, DATA, f'ETag: "{PARCEL}"'))).code == "range-ignored"
    assert refusal(lambda: read(peer, link, http(200, DATA))).code == "range-ignored"


@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 101-{SIZE - 1}/{SIZE}",
        f"bytes 0-{SIZE - 1}/{SIZE}",
        f"bytes 100-{SIZE - 2}/{SIZE}",
        f"bytes 100-{SIZE - 1}/{SIZE + 1}",
        f"bytes 100-{SIZE - 1}/*",
        f"Bytes 100-{SIZE - 1}/{SIZE}",
        f"items 100-{SIZE - 1}/{SIZE}",
        "",
    ],
)
def test_b52_a_wrong_offset_is_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], content_range: str) -> None:
    answer = http(206, DATA[100:], f'ETag: "{PARCEL}"', f"Content-Range: {content_range}")
    assert refusal(lambda: read(peer, link, answer)).code == "wrong-range"


def test_b52_multipart_ranges_are_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    answer = part(DATA[100:], 100, "Content-Type: Multipart/byteranges; boundary=x")
    assert refusal(lambda: read(peer, link, answer)).code == "wrong-range"


@pytest.mark.parametrize("status", [200, 206])
def test_b53_a_parcel_that_changed_is_named_as_such(
    peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], status: int
) -> None:
    answer = part(DATA[100:], 100, status=status, etag="cd" * 32)
    assert refusal(lambda: read(peer, link, answer)).code == "parcel-changed"


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "br", "zstd"])
def test_b55_a_content_encoding_is_refused(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], coding: str) -> None:
    header = f"Content-Encoding: {coding}"
    assert refusal(lambda: read(peer, link, part(DATA[100:], 100, header))).code == "encoded-answer"
    assert refusal(lambda: link(peer(lambda _: http(200, b"{}\n", header)).url).feed(Position(), 0)).code == "encoded-answer"


def test_a_peer_that_falls_silent_is_noticed(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    patience = Patience(stall_seconds=0.05)
    head, _ = part(b"", 100, f"Content-Length: {SIZE - 100}")
    made = link(peer(lambda _: [head, DATA[:50], HANG]).url, patience=patience)
    got: list[bytes] = []
    assert refusal(lambda: got.extend(made.read_parcel(PARCEL, 100, SIZE))).code == "stalled"
    assert DATA[:50].startswith(b"".join(got))
    assert refusal(lambda: link(peer(lambda _: [HANG]).url, patience=patience).report([])).code == "stalled"


def test_a_peer_that_drips_is_noticed(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    head, _ = part(b"", 100, f"Content-Length: {SIZE - 100}")
    made = link(peer(lambda _: [head, DATA[:50], HANG]).url, patience=Patience(drip_seconds=0.0, drip_bytes=51))
    assert refusal(lambda: list(made.read_parcel(PARCEL, 100, SIZE))).code == "stalled"


def test_an_answer_that_takes_for_ever_is_given_up(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    answer = [*http(200, b"", "Transfer-Encoding: chunked"), b"1\r\n{\r\n", HANG]
    made = link(peer(lambda _: answer).url, patience=Patience(answer_seconds=0.05))
    assert refusal(lambda: made.report([])).code == "stalled"


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


def test_another_host_is_not_believed(link: Callable[..., HttpsLink], tmp_path: Path) -> None:
    other = Peer(script=lambda _: http(204), folder=tmp_path)
    other.start(host="127.0.0.2")
    assert refusal(lambda: link(other.url).feed(Position(), 0)).code == "tls-refused"
    other.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirection_is_followed(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], status: int) -> None:
    other = peer(lambda _: http(status, b"", "Location: /elsewhere"))
    assert refusal(lambda: link(other.url).feed(Position(), 0)).code == "redirected"
    assert len(other.asked) == 1


def problem(error: HaulageError, status: int, signed: bytes = b"") -> list[bytes]:
    return http(status, encode_problem(problem_of(error, status, signed_time=signed)), "Content-Type: application/problem+json")


def test_the_peers_error_comes_through_with_the_hop_named(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    sent = NotFoundError("parcel-gone", "Parcel abab is not here any more.", "Ask again.", remedy=Remedy.RETRY)
    error = refusal(lambda: read(peer, link, problem(sent, 404)))
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


def test_the_root_is_believed_by_its_digest_alone(peer: Callable[[Script], Peer], loop: LoopThread) -> None:
    other = peer(lambda _: http(200, b'{"root":1}'))
    assert fetch_root(other.url, root_digest(b'{"root":1}'), clock=SystemClock(), loop=loop) == b'{"root":1}'
    with pytest.raises(IntegrityError):
        fetch_root(other.url, "ab" * 32, clock=SystemClock(), loop=loop)
    assert [request.target for request in other.asked] == ["/trust/root"] * 2
    assert not any(name.startswith("haulage-") for name in other.asked[0].headers)


def test_a_claim_is_answered_with_definitions_or_with_patience(peer: Callable[[Script], Peer], loop: LoopThread) -> None:
    pending = Pending(reason="waiting", retry_after_seconds=2)
    answers = [http(202, encode(pending)), http(200, b"{}\n{}\n"), problem(NotAllowedError("claim-mismatch", "No."), 403)]
    other = peer(lambda _: answers.pop(0))
    pem, clock = AUTHORITY.certificate_pem, SystemClock()
    assert send_claim(other.url, b"claim", authority_pem=pem, clock=clock, loop=loop) == pending
    assert send_claim(other.url, b"claim", authority_pem=pem, clock=clock, loop=loop) == [b"{}", b"{}"]
    assert refusal(lambda: send_claim(other.url, b"claim", authority_pem=pem, clock=clock, loop=loop)).code == "claim-mismatch"
    assert [request.body for request in other.asked] == [b"claim"] * 3


@pytest.mark.parametrize(
    "url",
    ["", "http://h:1", "https://", "https://h/x", "https://h?x", "https://u@h", "https://h:0", "https://h:99999", "https://[::1"],
)
def test_b31_a_url_names_a_server_and_nothing_else(url: str) -> None:
    assert refusal(lambda: server_url(url)).code == "bad-url"


def test_a_url_is_brought_into_one_form() -> None:
    assert server_url("https://HQ.example:8440/") == "https://hq.example:8440"
    assert server_url("https://[::1]:8440") == "https://[::1]:8440"
