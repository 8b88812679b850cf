"""Signed documents: DSSE envelopes in canonical JSON. Says whether bytes were signed for a purpose by one of some keys; what the
bytes mean, and whose keys those are, it must not know."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta
from securesystemslib.dsse import Envelope as DsseEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Signature  # type: ignore[attr-defined]

from haulage.base.errors import FormatError, IntegrityError, NotAllowedError
from haulage.engine.protocol.codec import DOCUMENT_MAX_BYTES, Document, canonical, decode, encode
from haulage.engine.trust.keys import PublicKey, SigningKey

SIGNATURES_MAX = 8

D = TypeVar("D", bound=Document)


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    sig: Annotated[str, Meta(max_length=88)]


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    payloadType: Annotated[str, Meta(max_length=200)]  # noqa: N815  (the name DSSE gives it)
    signatures: Annotated[tuple[_Signature, ...], Meta(min_length=1, max_length=SIGNATURES_MAX)]


def sign(payload_type: str, payload: bytes, *keys: SigningKey) -> bytes:
    """The DSSE envelope of ``payload``, signed by every key, as canonical JSON."""
    envelope = DsseEnvelope(payload, payload_type, {})
    for key in keys:
        envelope.sign(key.signer)
    signatures = sorted(envelope.to_dict()["signatures"], key=lambda one: str(one["keyid"]))
    return canonical({"payload": _base64(payload), "payloadType": payload_type, "signatures": signatures})


def verify(
    data: bytes, payload_type: str, keys: Sequence[PublicKey], *, threshold: int = 1, max_bytes: int = DOCUMENT_MAX_BYTES
) -> bytes:
    """The payload, if at least ``threshold`` distinct keys of ``keys`` signed it for ``payload_type``.

    Raises FormatError ``bad-document``, NotAllowedError ``wrong-payload-type`` or ``unknown-signer``, IntegrityError
    ``bad-signature``.
    """
    envelope = _read(data, payload_type, max_bytes)
    known = {key.id: key for key in keys}
    named = [known[keyid] for keyid in envelope.signatures if keyid in known]
    if len(named) < threshold:
        raise NotAllowedError(
            "unknown-signer",
            f"A document of type {payload_type} is not signed by a key known for its sender.",
            "If the sender's key was changed, wait until its site definition has arrived.",
        )
    try:
        envelope.verify([key.tuf for key in named], threshold)
    except VerificationError:
        raise IntegrityError(
            "bad-signature", f"The signature of a document of type {payload_type} does not fit its content.", "It was refused."
        ) from None
    return envelope.payload


def peek(data: bytes, payload_type: str, *, max_bytes: int = DOCUMENT_MAX_BYTES) -> bytes:
    """The payload, **not verified**: only to learn whose keys to verify it with. Raises like :func:`verify`."""
    return _read(data, payload_type, max_bytes).payload


def signers(data: bytes, payload_type: str, *, max_bytes: int = DOCUMENT_MAX_BYTES) -> tuple[str, ...]:
    """The ids of the keys a document says it is signed by, **not verified**. Raises like :func:`verify`."""
    return tuple(sorted(_read(data, payload_type, max_bytes).signatures))


def sign_document(document: Document, *keys: SigningKey) -> bytes:
    """Encode a document and sign it for its own payload type. Raises FormatError ``bad-document``."""
    return sign(document.PAYLOAD_TYPE, encode(document), *keys)


def verify_document(
    data: bytes, kind: type[D], keys: Sequence[PublicKey], *, threshold: int = 1, max_bytes: int = DOCUMENT_MAX_BYTES
) -> D:
    """The document, verified like :func:`verify`, then decoded by its schema (``format-too-new``, ``bad-document``)."""
    payload = verify(data, kind.PAYLOAD_TYPE, keys, threshold=threshold, max_bytes=max_bytes)
    return decode(payload, kind, max_bytes=max_bytes)


def peek_document(data: bytes, kind: type[D], *, max_bytes: int = DOCUMENT_MAX_BYTES) -> D:
    """The document, **not verified**: only to learn whose keys to verify it with."""
    return decode(peek(data, kind.PAYLOAD_TYPE, max_bytes=max_bytes), kind, max_bytes=max_bytes)


def _read(data: bytes, payload_type: str, max_bytes: int) -> DsseEnvelope:
    # The payload grows by a third in base64; the rest of the envelope is small.
    if len(data) > max_bytes * 4 // 3 + 4096:
        raise FormatError("bad-document", f"A signed document of {len(data)} bytes is too large.", "It was refused.")
    # Decoded by its schema at once: nobody has signed yet what it is, so it may not become more than two texts and some signatures.
    try:
        signed = msgspec.json.decode(data, type=_Signed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError("bad-document", f"A signed document breaks its format: {error}.", "It was refused.") from None
    if canonical(signed) != data:
        raise FormatError("bad-document", "A signed document is not in canonical form.", "It was refused.")
    if signed.payloadType != payload_type:
        raise NotAllowedError(
            "wrong-payload-type",
            f"A document signed as {signed.payloadType!r} was offered where {payload_type!r} belongs.",
            "It was refused: a signature counts for one purpose only.",
        )
    signatures = {one.keyid: Signature(one.keyid, _unbase64(one.sig).hex()) for one in signed.signatures}
    if len(signatures) != len(signed.signatures):
        raise FormatError("bad-document", "A signed document names one key twice.", "It was refused.")
    return DsseEnvelope(_unbase64(signed.payload), signed.payloadType, signatures)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if _base64(data) != text:
        raise FormatError("bad-document", "A signed document holds base64 that is not canonical.", "It was refused.")
    return data
