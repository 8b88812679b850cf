"""Signed requests: who asks, whom, for what, when, and only once. Knows headers, not HTTP libraries."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from haulage.base.clock import iso, parse_iso
from haulage.base.errors import NotAllowedError, Remedy, TransferError
from haulage.base.ids import SiteCode
from haulage.engine.protocol.asks import ServerTime
from haulage.engine.trust.dsse import sign_document, verify_document
from haulage.engine.trust.keys import PublicKey, SigningKey

SKEW_SECONDS = 300
CONTEXT = "haulage-request-1"
PREFIX = "haulage-"

_FIELDS = {
    "from": re.compile(r"[A-Z0-9]{3}"),
    "to": re.compile(r"[A-Z0-9]{3}"),
    "key": re.compile(r"[0-9a-f]{64}"),
    "time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"),
    "nonce": re.compile(r"[0-9a-f]{32}"),
    "digest": re.compile(r"[0-9a-f]{64}"),
    "signature": re.compile(r"[A-Za-z0-9+/]{86}=="),
}
_SIGNED = ("from", "to", "key", "time", "nonce", "digest")
_LINE = re.compile(r"[!-~]{1,8192}")


class ClockSkewError(NotAllowedError):
    """The time of a request is too far from the server's clock; ``nonce`` is the request's, to sign the right time against."""

    def __init__(self, sender: str, skew_seconds: float, nonce: str) -> None:
        super().__init__(
            "clock-skew",
            f"A request of site {sender} bears a time {skew_seconds:+.1f} s off this clock, or from before this server started.",
            f"Set the clock of {sender} right if it is off; {SKEW_SECONDS} s are allowed.",
            remedy=Remedy.RETRY,
        )
        self.nonce = nonce


class NonceCache:
    """Remembers the nonces of accepted requests for as long as their time is acceptable. Bounded per sender, so that one neighbour
    cannot use up another's room (I21); full means refuse, never forget. Any thread may use it.

    What was accepted before a restart is unknown, so a request signed before ``started`` is refused as skewed; the sender then
    signs anew by the server's clock.
    """

    def __init__(self, *, started: dt.datetime, per_sender: int = 20_000) -> None:
        self._started = started
        self._per_sender = per_sender
        self._lock = threading.Lock()
        self._seen: dict[str, OrderedDict[str, dt.datetime]] = {}

    def check_time(self, moment: dt.datetime, now: dt.datetime) -> bool:
        """Whether a request of that time could be told from its own replay."""
        return moment >= self._started and abs((moment - now).total_seconds()) <= SKEW_SECONDS

    def admit(self, sender: str, nonce: str, now: dt.datetime) -> None:
        """Remember a nonce. Raises NotAllowedError ``request-replayed``, TransferError ``too-many-requests``."""
        with self._lock:
            self._admit(self._seen.setdefault(sender, OrderedDict()), sender, nonce, now)

    def _admit(self, seen: OrderedDict[str, dt.datetime], sender: str, nonce: str, now: dt.datetime) -> None:
        # A request dated up to SKEW ahead stays acceptable for twice that; insertion order is arrival order.
        oldest_needed = now - dt.timedelta(seconds=2 * SKEW_SECONDS + 1)
        while seen and next(iter(seen.values())) < oldest_needed:
            seen.popitem(last=False)
        if nonce in seen:
            raise NotAllowedError("request-replayed", f"A request of site {sender} came a second time.", "It had no effect again.")
        if len(seen) >= self._per_sender:
            raise TransferError("too-many-requests", f"Site {sender} asks too often.", "It is served again within ten minutes.")
        seen[nonce] = now


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    values: dict[str, str]

    def text(self, method: str, target: str) -> bytes:
        return "\n".join((CONTEXT, method, target, *(self.values[name] for name in _SIGNED))).encode()


def new_nonce() -> str:
    """16 random bytes, hexadecimal."""
    return secrets.token_hex(16)


def body_digest(body: bytes) -> str:
    """SHA-256 of a request body, as its signature names it."""
    return hashlib.sha256(body).hexdigest()


def sign_request(
    method: str, target: str, digest: str, *, sender: SiteCode, receiver: SiteCode, now: dt.datetime, nonce: str, key: SigningKey
) -> dict[str, str]:
    """Headers that prove a request. ``target`` is path and query as sent."""
    values = {"from": sender, "to": receiver, "key": key.public.id, "time": iso(now), "nonce": nonce, "digest": digest}
    signature = key.sign(_Proof(values=values).text(method, target))
    values["signature"] = base64.b64encode(signature).decode()
    return {f"{PREFIX}{name}": value for name, value in values.items()}


def announced_digest(headers: Mapping[str, str]) -> str:
    """The body a request says it has, by its digest: proven by the signature before the body is read, compared afterwards."""
    return headers.get(f"{PREFIX}digest", "")


def refuse_other_body(headers: Mapping[str, str], body: bytes, sender: SiteCode) -> None:
    """Raises NotAllowedError ``bad-request-signature`` if the body is not the one that was signed."""
    if announced_digest(headers) != body_digest(body):
        raise _not_as_signed(sender)


def verify_request(
    method: str,
    target: str,
    digest: str,
    headers: Mapping[str, str],
    *,
    receiver: SiteCode,
    keys_of: Callable[[SiteCode], Sequence[PublicKey]],
    now: dt.datetime,
    nonces: NonceCache,
) -> SiteCode:
    """The sender, if the request is proven (B73). ``digest`` is of the body that came; ``headers`` have lower-case names;
    ``keys_of`` gives the keys of a site that may ask here, none for any other. Raises NotAllowedError ``request-unsigned``,
    ``request-for-another-site``, ``unknown-signer``, ``bad-request-signature``, ``clock-skew`` (a ClockSkewError),
    ``request-replayed``; TransferError ``too-many-requests``."""
    proof = _read(method, target, headers)
    values = proof.values
    sender = SiteCode(values["from"])
    if values["to"] != receiver:
        raise NotAllowedError(
            "request-for-another-site",
            f"A request signed for site {values['to']} came to {receiver}.",
            "Check the URL of the parent.",
        )
    key = next((key for key in keys_of(sender) if key.id == values["key"]), None)
    if key is None:
        raise NotAllowedError(
            "unknown-signer", f"Site {sender} has no such key here.", "It may have been removed, or not arrived yet."
        )
    signed = key.verifies(base64.b64decode(values["signature"]), proof.text(method, target))
    if not signed or values["digest"] != digest:
        raise _not_as_signed(sender)
    moment = _moment(values["time"])
    if not nonces.check_time(moment, now):
        raise ClockSkewError(sender, (moment - now).total_seconds(), values["nonce"])
    nonces.admit(sender, values["nonce"], now)
    return sender


def signed_time(site: SiteCode, nonce: str, now: dt.datetime, key: SigningKey) -> bytes:
    """The server's clock, signed, in answer to the request with that nonce."""
    return sign_document(ServerTime(site=site, time=iso(now), nonce=nonce), key)


def read_signed_time(data: bytes, *, site: SiteCode, nonce: str, keys: Sequence[PublicKey]) -> dt.datetime:
    """The time a server signed for this nonce. Raises like ``verify_document``, and NotAllowedError ``wrong-answer``."""
    answer = verify_document(data, ServerTime, keys, max_bytes=4096)
    if answer.site != site or answer.nonce != nonce:
        raise NotAllowedError("wrong-answer", f"A signed time of site {answer.site} answers another request.", "It was not used.")
    return _moment(answer.time)


def _not_as_signed(sender: SiteCode) -> NotAllowedError:
    return NotAllowedError("bad-request-signature", f"A request was not signed by site {sender} as it came.", "It was refused.")


def _read(method: str, target: str, headers: Mapping[str, str]) -> _Proof:
    values = {name: headers.get(f"{PREFIX}{name}", "") for name in _FIELDS}
    if not all(form.fullmatch(values[name]) for name, form in _FIELDS.items()):
        raise NotAllowedError(
            "request-unsigned", "A request came without a site's proof of who it is.", "Only joined sites may ask here."
        )
    if not (method.isalpha() and method.isascii() and _LINE.fullmatch(target)):
        raise NotAllowedError("bad-request-signature", "A request has a target that cannot be signed.", "It was refused.")
    return _Proof(values=values)


def _moment(text: str) -> dt.datetime:
    try:
        return parse_iso(text)
    except ValueError:
        raise NotAllowedError("bad-request-signature", f"{text!r} is not a time.", "It was refused.") from None
