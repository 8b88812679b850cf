"""The two calls a site makes before it belongs to a hierarchy: fetch the root, hand in its claim. Knows no home and no keys."""

from __future__ import annotations

import ssl

from haulage.base.clock import Clock
from haulage.base.errors import IntegrityError
from haulage.engine.links.exchange import Answer, Ask, Exchange, Patience
from haulage.engine.links.loop import LoopThread
from haulage.engine.protocol import lines
from haulage.engine.protocol.asks import Pending
from haulage.engine.protocol.codec import decode
from haulage.engine.trust.certificates import client_context, unverified_context
from haulage.engine.trust.root import ROOT_MAX_BYTES, root_digest

CLAIM_MEDIA_TYPE = "application/vnd.haulage.signed+json"


def fetch_root(url: str, pinned_sha256: str, *, clock: Clock, loop: LoopThread, patience: Patience | None = None) -> bytes:
    """The root of trust from the server at ``url``. Nobody's certificate is believed yet: the digest from the join string decides.
    Raises IntegrityError ``wrong-root``, TransferError, or the peer's error."""
    ask = Ask(method="GET", target="/trust/root", limit_bytes=ROOT_MAX_BYTES)
    root = _ask_once(ask, url, unverified_context(), clock, loop, patience).body
    if root_digest(root) != pinned_sha256:
        raise IntegrityError(
            "wrong-root",
            f"The server {url} showed another root of trust than the join string names.",
            "Check the URL. If it is right somebody may be in between: ask for a new join string over a safe way.",
        )
    return root


def send_claim(
    url: str, claim: bytes, *, authority_pem: str, clock: Clock, loop: LoopThread, patience: Patience | None = None
) -> list[bytes] | Pending:
    """Hand in a claim at the parent. The signed site definitions from the central site down to the joiner, not verified yet; or
    Pending while the central site has not decided: send the same claim again later. Raises the peer's error, or TransferError."""
    ask = Ask(
        method="POST",
        target="/hop/v1/claim",
        body=claim,
        headers={"Content-Type": CLAIM_MEDIA_TYPE},
        good=frozenset({200, 202}),
        limit_bytes=lines.BODY_MAX_BYTES,
    )
    answer = _ask_once(ask, url, client_context(authority_pem), clock, loop, patience)
    return lines.split_lines(answer.body) if answer.status == 200 else decode(answer.body, Pending)


def _ask_once(ask: Ask, url: str, context: ssl.SSLContext, clock: Clock, loop: LoopThread, patience: Patience | None) -> Answer:
    exchange = Exchange(url=url, context=context, clock=clock, identity=None, patience=patience or Patience())
    try:
        return loop.run(exchange.ask(ask))
    finally:
        loop.run(exchange.close())
