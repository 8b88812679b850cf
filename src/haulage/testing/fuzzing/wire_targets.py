"""Fuzzing targets of what travels and what people paste: signed documents, requests, the root, join strings, settings."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from haulage.base.clock import iso, parse_iso
from haulage.base.errors import HaulageError
from haulage.base.ids import GroupName, PackageId, Place, SiteCode, VersionNumber
from haulage.base.settings import SECTIONS, parse_settings, settings_text
from haulage.domain.knowledge.shelving import pack, stocked
from haulage.engine.protocol.asks import Claim, Offer, Pending, ServerTime, Want
from haulage.engine.protocol.codec import Body, canonical, decode, encode, parse
from haulage.engine.protocol.definitions import (
    STATES,
    Definition,
    FixState,
    GroupState,
    InvitationState,
    Kind,
    PackageState,
    PointState,
    ShelfState,
    SiteState,
    VersionState,
    decode_definition,
    define,
    state_of,
)
from haulage.engine.protocol.envelopes import (
    AvailableNotice,
    Envelope,
    MessageKind,
    ShipmentReport,
    StatusReport,
    decode_envelope,
    message,
)
from haulage.engine.protocol.lines import join_lines, split_lines
from haulage.engine.protocol.problems import decode_problem, error_of
from haulage.engine.trust.dsse import peek_document, sign, verify_document
from haulage.engine.trust.enrolment import PREFIX, encode_join, make_claim, new_join, parse_join, token_key, verify_claim
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.requests import NonceCache, body_digest, read_signed_time, sign_request, signed_time, verify_request
from haulage.engine.trust.root import load_root, make_root, root_digest
from haulage.testing.clock import HandClock
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import Target, both, opened, promised

_NOW = HandClock().now()
_TIME = iso(_NOW)
_HQ1, _CHI = SiteCode("HQ1"), SiteCode("CHI")
_PACKAGE, _PLACE, _ONE = PackageId("HQ100042"), Place("CHI/D"), VersionNumber(1)
_KEY, _OTHER = SigningKey.from_seed(b"\1" * 32), SigningKey.from_seed(b"\2" * 32)
_DIGEST = "ab" * 32
_MOMENTS = ("captured", "due", "expires", "issued", "not_after", "time", "updated", "verified")


def _definitions() -> list[bytes]:
    key = _KEY.public.text
    states: list[tuple[Kind, str, Body | None]] = [
        (
            Kind.SITE,
            "CHI",
            SiteState(code=_CHI, name="Chicago", parent=_HQ1, url="https://c:1", key=key, certificate="P", state="active"),
        ),
        (Kind.PACKAGE, _PACKAGE, PackageState(name="7-Zip", version=_ONE, assignments=(Place("CHI"), _PLACE))),
        (Kind.POINT, _PLACE, PointState(place=_PLACE, kind="folder", url="folder:/srv/d", options={"a": "b"})),
        (Kind.INVITATION, "HQ1.0123456789abcdef", _invitation()),
        (Kind.VERSION, f"{_PACKAGE}:1", _version()),
        (Kind.PACKAGE, _PACKAGE, None),
        (Kind.SHELF, "HQ1.Q.3163", _shelf()),
        (Kind.FIX, "HQ1.Q316316", FixState(fix="Q316316", title="A fix", origin="person", supersedes=("Q316021",))),
        (Kind.GROUP, "HQ1.shops", GroupState(name=GroupName("shops"), places=(Place("CHI"), _PLACE))),
        (Kind.PACKAGE, _PACKAGE, _grouped()),
    ]
    return [encode(define(kind, id, _HQ1, 3, state)) for kind, id, state in states]


def _grouped() -> PackageState:
    places = (Place("CHI"), _PLACE)
    return PackageState(name="7-Zip", version=_ONE, assignments=places, groups=(GroupName("shops"),), direct=places[:1])


def _shelf() -> ShelfState:
    state = pack({"Q316316": stocked("Q316316", "archive-text", "Q316316.TXT", b"DOCUMENT:Q316316")})
    assert state is not None
    return state


def _version() -> VersionState:
    return VersionState(
        package=_PACKAGE, version=_ONE, manifest=_DIGEST, sha256=_DIGEST, files=1, folders=1, symlinks=0, streams=2, bytes=9,
        captured=_TIME,
    )  # fmt: skip


@functools.cache
def _join_string() -> Any:
    return dataclasses.replace(
        new_join(url="https://hq.example:8440", site=_CHI, parent=_HQ1, root_sha256=_DIGEST), secret=bytes(range(16))
    )


def _invitation() -> InvitationState:
    expires = iso(_NOW + dt.timedelta(days=1))
    return InvitationState(code=_CHI, parent=_HQ1, name="", token_key=token_key(_join_string()).public.text, expires=expires)


def _moments(record: Body) -> None:
    """Every time in an accepted document is one: whoever reads it later may not stumble."""
    for name, value in msgspec.structs.asdict(record).items():
        if name in _MOMENTS and isinstance(value, str):
            parse_iso(value)


def _take_definition(data: bytes) -> None:
    definition = decode_definition(data)
    assert canonical(parse(data)) == data
    if not definition.deleted and definition.kind in STATES:
        promised(lambda: _moments(state_of(definition, STATES[definition.kind])))


def _reports() -> list[tuple[type[Body], Body]]:
    status = StatusReport(
        site=_CHI, epoch=1, sequence=2, number=1001, severity="error", type="milestone", component="transit", package=_PACKAGE,
        place=_PLACE, time=_TIME, fields={"reason": "no space"},
    )  # fmt: skip
    shipment = ShipmentReport(
        package=_PACKAGE, place=_PLACE, kind="point", owner=_CHI, epoch=1, observation=9, wanted=_ONE, present=_ONE,
        state="present", reason="", generation=1, tries=0, due=_TIME,
        bytes_planned=1, bytes_done=1, bytes_total=1, bytes_reused=0, bytes_new=1,
        bytes_wire=1, error_code="", error_message="", error_hint="", updated=_TIME, verified=None,
    )  # fmt: skip
    offer = Offer(
        sender=_HQ1, package=_PACKAGE, version=_ONE, target=_DIGEST, parcel=_DIGEST, size=9, head_size=4, bases=(_DIGEST,),
        bytes_total=9, bytes_reused=1, bytes_new=8,
    )  # fmt: skip
    bodies: list[Body] = [
        status,
        shipment,
        offer,
        AvailableNotice(package=_PACKAGE, version=_ONE, manifest=_DIGEST),
        Want(package=_PACKAGE, version=_ONE, target=_DIGEST, held=(_DIGEST,)),
        Pending(reason="building", retry_after_seconds=5),
        ServerTime(site=_HQ1, time=_TIME, nonce="0" * 32),
    ]
    return [(type(body), body) for body in bodies]


_BODIES = (StatusReport, ShipmentReport, Offer, AvailableNotice, Want, Pending, ServerTime, Claim)


def _take_body(data: bytes) -> None:
    """First byte: which kind of record."""
    kind = _BODIES[data[0] % len(_BODIES)] if data else Pending
    record = decode(data[1:], kind)
    if not isinstance(record, ServerTime):  # which checks when it is read
        _moments(record)
    assert promised(lambda: decode(encode(record), kind)) == record


def _body_seeds() -> list[bytes]:
    return [bytes([_BODIES.index(kind)]) + encode(body) for kind, body in _reports()]


def _envelope() -> Envelope:
    notices = [message(MessageKind.AVAILABLE, f"HQ100042:{n}", _reports()[3][1]) for n in range(2)]
    return Envelope(sender=_HQ1, receiver=_CHI, epoch=1, stream=2, first=3, messages=tuple(notices), not_after=_TIME)


def _take_envelope(data: bytes) -> None:
    """A signed envelope; sealed: the input is the payload, and the signature fits."""
    sealing, body = opened(data)
    if not sealing:
        peek_document(body, Envelope)
        envelope = verify_document(body, Envelope, [_KEY.public])
        promised(lambda: encode(envelope))
        return
    signed = sign(Envelope.PAYLOAD_TYPE, body, _KEY)
    envelope = verify_document(signed, Envelope, [_OTHER.public, _KEY.public])
    assert promised(lambda: decode_envelope(body)) == envelope
    assert envelope.last >= envelope.first
    _moments(envelope)


def _envelope_seeds() -> list[bytes]:
    payload = encode(_envelope())
    return [b"\x00" + sign(Envelope.PAYLOAD_TYPE, payload, _KEY), b"\x01" + payload]


def _take_lines(data: bytes) -> None:
    documents = split_lines(data)
    assert join_lines(documents) == data
    for document in documents:
        try:
            peek_document(document, Definition)
        except HaulageError:
            continue


def _line_seeds() -> list[bytes]:
    signed = [sign(Definition.PAYLOAD_TYPE, payload, _KEY) for payload in _definitions()[:2]]
    return [join_lines(signed), b"\n", b""]


_HEADERS = ("from", "to", "key", "time", "nonce", "digest", "signature")


def _take_request(data: bytes) -> None:
    """Method, target, body, then the headers, one a line; sealed: signed as it stands."""
    sealing, text = opened(data)
    parts = text.decode("utf-8", "replace").split("\n")
    method, target, body = (*parts, "", "", "")[:3]
    headers = {f"haulage-{name}": value for name, value in zip(_HEADERS, parts[3:], strict=False)}
    nonces = NonceCache(started=_NOW - dt.timedelta(days=1))
    digest = body_digest(body.encode())
    if sealing:
        moment = _NOW + dt.timedelta(seconds=len(body))
        headers |= sign_request(method, target, digest, sender=_CHI, receiver=_HQ1, now=moment, nonce="0" * 32, key=_KEY)
    sender = verify_request(
        method, target, digest, headers, receiver=_HQ1, keys_of=lambda _site: [_KEY.public], now=_NOW, nonces=nonces
    )
    assert len(sender) == 3
    assert "\n" not in target


def _request_seeds() -> list[bytes]:
    digest = body_digest(b"{}")
    headers = sign_request("POST", "/hop/feed?after=3", digest, sender=_CHI, receiver=_HQ1, now=_NOW, nonce="0" * 32, key=_KEY)
    lines = "\n".join(["POST", "/hop/feed?after=3", "{}", *[headers[f"haulage-{name}"] for name in _HEADERS]])
    return both([lines.encode()])


def _take_time(data: bytes) -> None:
    sealing, body = opened(data)
    signed = sign(ServerTime.PAYLOAD_TYPE, body, _KEY) if sealing else body
    moment = read_signed_time(signed, site=_HQ1, nonce="0" * 32, keys=[_KEY.public])
    assert moment.tzinfo is not None


def _time_seeds() -> list[bytes]:
    return [b"\x00" + signed_time(_HQ1, "0" * 32, _NOW, _KEY), b"\x01" + encode(_reports()[-1][1])]


@functools.cache
def _root() -> bytes:
    return make_root(
        central=_HQ1, root_keys=[_KEY], hierarchy=[_OTHER.public], targets=_OTHER.public, snapshot=_OTHER.public,
        timestamp=_OTHER.public, authority_pem="PEM", now=_NOW,
    )  # fmt: skip


def _take_root(data: bytes) -> None:
    """Pinned as it is; sealed: its signed part is signed afresh by the key it names."""
    sealing, body = opened(data)
    if sealing:
        body = _resigned(body)
    root = load_root(body, pinned_sha256=root_digest(body), now=_NOW)
    assert root.expires > _NOW
    assert root.hierarchy


def _resigned(body: bytes) -> bytes:
    raw = parse(body, what="root")
    if not isinstance(raw, dict) or "signed" not in raw:
        return body
    signature = _KEY.sign(canonical(raw["signed"])).hex()
    return canonical({"signatures": [{"keyid": _KEY.public.id, "sig": signature}], "signed": raw["signed"]})


def _take_claim(data: bytes) -> None:
    sealing, body = opened(data)
    if sealing:
        body = sign(Claim.PAYLOAD_TYPE, body, token_key(_join_string()), _KEY)
    claim = verify_claim(body, _invitation(), root_sha256=_DIGEST, now=_NOW)
    assert (claim.code, claim.parent) == (_CHI, _HQ1)


def _claim_seeds() -> list[bytes]:
    signed = make_claim(_join_string(), _KEY, csr_pem="CSR", url="https://c:1")
    return [b"\x00" + signed, b"\x01" + base64.b64decode(msgspec.json.decode(signed)["payload"])]


def _take_join(data: bytes) -> None:
    """What was pasted; sealed: the bytes inside, with a right check sum, as somebody would make it on purpose."""
    sealing, body = opened(data)
    text = body.decode("utf-8", "surrogateescape")
    if sealing:
        text = PREFIX + base64.b32encode(body + _check_of(body)).decode().rstrip("=").lower()
    join = parse_join(text)
    assert promised(lambda: encode_join(join)) == "".join(text.split()).lower()
    assert len(join.secret) == 16
    token_key(join)


def _check_of(body: bytes) -> bytes:
    return hashlib.sha256(b"haulage join string\0" + body).digest()[:4]


def _join_seeds() -> list[bytes]:
    word = encode_join(_join_string())
    inside = word.removeprefix(PREFIX).upper()
    raw = base64.b32decode(inside + "=" * (-len(inside) % 8))[:-4]
    return [b"\x00" + word.encode(), b"\x00 " + word.upper().encode() + b"\n", b"\x01" + raw]


def _take_settings(data: bytes) -> None:
    settings = parse_settings(data)
    plain = {name: dataclasses.asdict(getattr(settings, name)) for name in SECTIONS}
    if not plain["site"]["code"]:
        del plain["site"]["code"]  # not yet given, which cannot be written
    assert promised(lambda: parse_settings(settings_text(plain).encode())) == settings


def _settings_seeds() -> list[bytes]:
    full = {name: dataclasses.asdict(kind()) for name, kind in SECTIONS.items()}
    full["site"] |= {"code": "HQ1", "listen": "[::1]:8440", "url": "https://hq.example:8440", "name": "Head office ✓"}
    dotted = b"site.code = 'HQ1'\nretry = {first_seconds = 1.5, cap_seconds = 1e3}\n[[log]]\nlevel = 1979-05-27T07:32:00Z\n"
    return [settings_text(full).encode(), dotted, b'[site]\nname = """\nx"""\n[capture]\nallowed = ["/a", "/b"]\n', b""]


def _take_problem(data: bytes) -> None:
    error = error_of(decode_problem(data), 503, "CHI")
    assert error.message.isprintable()
    assert len(error.message) < 2000


def _problem_seeds() -> Sequence[bytes]:
    return [b'{"title":"transfer","status":503,"detail":"full","code":"disk-full","family":"transfer","remedy":"retry"}', b"<html>"]


TARGETS = (
    Target(name="definition", reads="definitions and their states", take=_take_definition, seeds=_definitions, coding=Coding.JSON),
    Target(
        name="message",
        reads="reports, offers, wants, claims",
        take=_take_body,
        seeds=_body_seeds,
        coding=Coding.JSON,
        skip=1,
    ),
    Target(
        name="envelope",
        reads="signed envelopes",
        take=_take_envelope,
        seeds=_envelope_seeds,
        runs=8_000,
        coding=Coding.JSON,
        skip=1,
    ),
    Target(name="lines", reads="bodies of signed documents", take=_take_lines, seeds=_line_seeds, runs=10_000),
    Target(name="request", reads="signed requests", take=_take_request, seeds=_request_seeds, runs=10_000),
    Target(
        name="signed-time",
        reads="a server's signed clock",
        take=_take_time,
        seeds=_time_seeds,
        runs=8_000,
        coding=Coding.JSON,
        skip=1,
    ),
    Target(
        name="root", reads="roots of trust", take=_take_root, seeds=lambda: both([_root()]), runs=6_000, coding=Coding.JSON, skip=1
    ),
    Target(
        name="claim",
        reads="claims of joiners",
        take=_take_claim,
        seeds=_claim_seeds,
        runs=5_000,
        coding=Coding.JSON,
        skip=1,
    ),
    Target(name="join-string", reads="join strings as pasted", take=_take_join, seeds=_join_seeds, runs=10_000),
    Target(name="settings", reads="haulage.toml", take=_take_settings, seeds=_settings_seeds, runs=10_000),
    Target(name="problem", reads="problem documents of peers", take=_take_problem, seeds=_problem_seeds, runs=10_000),
)
