"""The one choke point: who asks, may they, and is what they sent of the right size and shape. No request gets past it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from haulage.base.errors import HaulageError, NotAllowedError, TransferError, UsageError
from haulage.base.ids import SiteCode
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role
from haulage.domain.replication.records import find_definition
from haulage.engine.protocol.definitions import Kind
from haulage.engine.trust.keys import PublicKey
from haulage.engine.trust.requests import announced_digest, refuse_other_body, verify_request
from haulage.engine.trust.tokens import token_matches
from haulage.server.endpoint import JSON, Call, Endpoint, Permission
from haulage.server.refusals import target_of, token_missing, token_wrong
from haulage.server.service import Service


async def admit(service: Service, endpoint: Endpoint, request: Request) -> Call:
    """The request as a checked call. Raises HaulageError for everything else."""
    caller = None
    if endpoint.permission.role is not None:
        caller = await asyncio.to_thread(_may, service, endpoint.permission.role, request, f"{endpoint.method} {endpoint.path}")
    if endpoint.permission is Permission.SCRAPE:
        await asyncio.to_thread(_require_scraper, service, request)
    sender = None
    if endpoint.permission is Permission.SITE:
        # Before the body is read: only a child may make this server hold megabytes.
        try:
            sender = await asyncio.to_thread(_proven, service, request)
        except NotAllowedError as error:
            raise await asyncio.to_thread(_or_removed, service, request, error) from None
        service.presence.hear(sender)
    raw = await _read_body(endpoint, request)
    if sender is not None:
        refuse_other_body(_headers(request), raw, sender)
    return Call(
        service=service,
        request=request,
        path=request.path_params,
        query=_query(endpoint, request),
        body=_body(endpoint, raw),
        raw=raw,
        sender=sender,
        caller=caller,
    )


def caller_of(service: Service, request: Request) -> Caller:
    """Whose bearer token it is. Raises NotAllowedError ``token-missing``, ``token-wrong``."""
    word, _space, token = request.headers.get("authorization", "").partition(" ")
    if word.lower() != "bearer" or not token:
        raise token_missing()
    caller = service.reception.caller_of(token.strip())
    if caller is None:
        raise token_wrong()
    return caller


def require(service: Service, caller: Caller, needed: Role, what: str) -> None:
    """Whoever asks for what its role does not allow is refused, and it is written down. Raises NotAllowedError ``role-too-low``."""
    try:
        caller.require(needed)
    except NotAllowedError:
        service.reception.tell_refused(caller, needed, what)
        raise


def _may(service: Service, needed: Role, request: Request, what: str) -> Caller:
    caller = caller_of(service, request)
    require(service, caller, needed, what)
    return caller


def _require_scraper(service: Service, request: Request) -> None:
    peer = request.client.host if request.client is not None else ""
    if service.scraping.local and "authorization" not in request.headers and is_loopback(peer):
        return
    word, _space, token = request.headers.get("authorization", "").partition(" ")
    own = service.scraping.token_digest
    if word.lower() == "bearer" and own and token_matches(token.strip(), own):
        return
    caller_of(service, request)


def is_loopback(address: str) -> bool:
    """Whether who asks is on this machine; a name is nobody."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def _keys_of_child(service: Service, code: SiteCode) -> list[PublicKey]:
    core = service.core
    with core.database.reading() as tx:
        if code not in core.children(tx):
            return []
        return [PublicKey.parse(key) for key in core.neighbourhood.keys_of(tx, code)]


def _proven(service: Service, request: Request) -> SiteCode:
    headers = _headers(request)
    return verify_request(
        request.method,
        target_of(request.scope).decode("latin-1"),
        announced_digest(headers),
        headers,
        receiver=service.code,
        keys_of=lambda code: _keys_of_child(service, code),
        now=service.clock.now(),
        nonces=service.nonces,
    )


def _or_removed(service: Service, request: Request, refused: NotAllowedError) -> NotAllowedError:
    """A site that was removed hears so, and need not ask for ever."""
    code = request.headers.get("haulage-from", "")
    with service.core.database.reading() as tx:
        stored = find_definition(tx, Kind.SITE, code)
    if refused.code != "unknown-signer" or stored is None or not stored.deleted:
        return refused
    return NotAllowedError(
        "site-removed", f"Site {code} was removed from the hierarchy.", "Switch its server off, or invite it anew with a new home."
    )


def _headers(request: Request) -> Mapping[str, str]:
    """Header fields by name; one that comes twice proves nothing."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = "" if name in found else value
    return found


async def _read_body(endpoint: Endpoint, request: Request) -> bytes:
    takes = endpoint.body is not None or endpoint.media_type is not None
    limit = endpoint.body_max_bytes if takes else 0
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    if takes:
        _check_media_type(endpoint, request)
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise TransferError("client-left", "The client left before its request was whole.", "") from None
    return bytes(body)


def _check_media_type(endpoint: Endpoint, request: Request) -> None:
    """Only the one type an endpoint is for: nothing is ever decoded by what a client calls it (B75)."""
    wanted = endpoint.media_type or JSON
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    if found != wanted or coding != "identity":
        raise UsageError("wrong-media-type", f"The body must be {wanted}, not coded.", f"Send Content-Type: {wanted}.")


def _query(endpoint: Endpoint, request: Request) -> Any:
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) != len(pairs):
        raise UsageError("bad-query", "A parameter was given twice.", "Give each once.")
    if endpoint.query is None:
        if given:
            raise UsageError("bad-query", f"There is no parameter {min(given)[:60]!r} here.", "See the API's description.")
        return None
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError("bad-query", f"The parameters make no sense: {error}.", "See the API's description.") from None


def _body(endpoint: Endpoint, raw: bytes) -> Any:
    if endpoint.body is None:
        return None
    try:
        return msgspec.json.decode(raw or b"{}", type=endpoint.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError("bad-body", f"The body makes no sense: {str(error)[:300]}.", "See the API's description.") from None


def _too_large(limit: int) -> HaulageError:
    return UsageError("body-too-large", f"The body is larger than the {limit} bytes this takes.", "See the API's description.")
