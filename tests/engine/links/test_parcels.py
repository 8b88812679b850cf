"""Reading a parcel from a peer that misbehaves in every way of the catalogue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from haulage.base.errors import Remedy, TransferError
from haulage.engine.links.exchange import Patience
from haulage.engine.links.https import HttpsLink
from haulage.engine.protocol.asks import Position
from tests.engine.links.peer import (
    ABORT,
    DATA,
    HANG,
    PARCEL,
    SIZE,
    Peer,
    Script,
    http,
    part,
    refusal,
)


def read(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], answer: list[bytes], offset: int = 100) -> bytes:
    return b"".join(link(peer(lambda _: answer).url).read_parcel(PARCEL, offset, SIZE, SIZE))


@pytest.mark.parametrize("offset", [0, 1, 100, SIZE - 1])
def test_a_parcel_is_read_from_any_offset(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink], offset: int) -> None:
    other = peer(lambda _: part(DATA[offset:], offset))
    assert b"".join(link(other.url).read_parcel(PARCEL, offset, SIZE, SIZE)) == DATA[offset:]
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
        error = refusal(lambda made=made, got=got: got.extend(made.read_parcel(PARCEL, 100, SIZE, SIZE)))  # type: ignore[misc]
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
    assert refusal(lambda: got.extend(made.read_parcel(PARCEL, 100, SIZE, SIZE))).code == "stalled"
    assert DATA[:50].startswith(b"".join(got))
    assert refusal(lambda: link(peer(lambda _: [HANG]).url, patience=patience).report([])).code == "stalled"


def test_a_peer_that_drips_is_noticed(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    head, _ = part(b"", 100, f"Content-Length: {SIZE - 100}")
    made = link(peer(lambda _: [head, DATA[:50], HANG]).url, patience=Patience(drip_seconds=0.0, drip_bytes=51))
    assert refusal(lambda: list(made.read_parcel(PARCEL, 100, SIZE, SIZE))).code == "stalled"


def test_an_answer_that_takes_for_ever_is_given_up(peer: Callable[[Script], Peer], link: Callable[..., HttpsLink]) -> None:
    answer = [*http(200, b"", "Transfer-Encoding: chunked"), b"1\r\n{\r\n", HANG]
    made = link(peer(lambda _: answer).url, patience=Patience(answer_seconds=0.05))
    assert refusal(lambda: made.report([])).code == "stalled"
