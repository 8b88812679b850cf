"""The calls made before a site belongs to a hierarchy, and the URLs they go to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import IntegrityError, NotAllowedError
from haulage.engine.links.exchange import server_url
from haulage.engine.links.joining import fetch_root, send_claim
from haulage.engine.links.loop import LoopThread
from haulage.engine.protocol.asks import Pending
from haulage.engine.protocol.codec import encode
from haulage.engine.trust.root import root_digest
from tests.engine.links.peer import (
    AUTHORITY,
    Peer,
    Script,
    http,
    problem,
    refusal,
)


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
