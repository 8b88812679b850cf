"""Whose signature counts: keys with their roles, and the signatures of a bundle.

A bundle's own keys prove nothing: trust comes from outside the bundle (docs/fix-bundles.md).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from haulage.engine.servicing import ed25519, strict_json
from haulage.engine.servicing.errors import RefusedError
from haulage.engine.servicing.strict_json import Fields, bad

FIX_ROLE = "fix"
"""What a key must be trusted for to sign fixes; a product may ask more for some of its files (B96)."""
ROLE = "[a-z][a-z0-9-]{0,31}"
TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
PAYLOAD_TYPE = "application/vnd.haulage.fix+json"
MOST_KEYS = 256
MOST_SIGNATURES = 16
MOST_BYTES = 256 << 10
FORMAT = 1


@dataclass(frozen=True)
class TrustedKey:
    """A public key (32 bytes), what it may sign, and until when (None: for ever)."""

    raw: bytes
    name: str = ""
    roles: tuple[str, ...] = (FIX_ROLE,)
    expires: dt.datetime | None = None

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits, as ``haulage keys`` shows it too."""
        return fingerprint(self.raw)


@dataclass(frozen=True)
class Signature:
    """Who is said to have signed, and the 64 bytes."""

    key: bytes
    signature: bytes


def fingerprint(raw: bytes) -> str:
    """SHA-256 of the key's description as The Update Framework has it: one name for a key everywhere."""
    described = {"keytype": "ed25519", "keyval": {"public": raw.hex()}, "scheme": "ed25519"}
    return hashlib.sha256(strict_json.encoded(described)).hexdigest()


def signed_bytes(document: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE version 1, so that no other document's signature fits."""
    kind = PAYLOAD_TYPE.encode()
    return b" ".join((b"DSSEv1", str(len(kind)).encode(), kind, str(len(document)).encode(), document))


def signatures_to_bytes(signatures: Sequence[Signature]) -> bytes:
    """The member ``fix/signatures.json``."""
    entries = [{"key": _text(each.key), "signature": _text(each.signature)} for each in signatures]
    return strict_json.encoded({"format": FORMAT, "signatures": entries})


def signatures_from_bytes(data: bytes) -> tuple[Signature, ...]:
    """Raises DocumentError ``bad-document``."""
    fields = Fields(strict_json.decoded(data, "signatures", most_bytes=MOST_BYTES), "signatures")
    _check_format(fields)
    found = []
    for each in fields.objects("signatures", most=MOST_SIGNATURES):
        found.append(Signature(_raw(each, "key", 32), _raw(each, "signature", 64)))
        each.done()
    fields.done()
    return tuple(found)


def keys_to_value(keys: Iterable[TrustedKey]) -> dict[str, Any]:
    """A file of keys."""
    return {"format": FORMAT, "keys": [_key_to_value(each) for each in keys]}


def keys_from_bytes(data: bytes, where: str = "keys") -> tuple[TrustedKey, ...]:
    """The keys in a file that people write. Raises DocumentError ``bad-document``."""
    fields = Fields(strict_json.decoded(data, where, most_bytes=MOST_BYTES, canonical=False), where)
    _check_format(fields)
    keys = keys_from_fields(fields, "keys")
    fields.done()
    return keys


def keys_from_fields(fields: Fields, name: str) -> tuple[TrustedKey, ...]:
    """A field that is a list of keys. Raises DocumentError ``bad-document``."""
    return tuple(_key(each) for each in fields.objects(name, most=MOST_KEYS))


def parsed_time(text: str, where: str) -> dt.datetime:
    """``2026-11-22T10:00:00Z``. Raises DocumentError ``bad-document``."""
    strict_json.checked_text(text, where, most=20, pattern=TIME)
    try:
        return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        raise bad(where, f"{text} is no time") from None


def written_time(moment: dt.datetime) -> str:
    """The inverse of :func:`parsed_time`."""
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def signers(document: bytes, signatures: Iterable[Signature]) -> tuple[bytes, ...]:
    """The keys whose signature over the document is right, each once; whether they are trusted is another question."""
    message = signed_bytes(document)
    return tuple(dict.fromkeys(each.key for each in signatures if ed25519.verifies(each.key, each.signature, message)))


def authorised(
    signed_by: Sequence[bytes], trusted: Iterable[TrustedKey], roles: Iterable[str], now: dt.datetime
) -> tuple[TrustedKey, ...]:
    """Trusted keys among the signers that together hold every role.

    Raises RefusedError ``unsigned``, ``not-trusted``, ``wrong-role``, ``expired`` (B90).
    """
    if not signed_by:
        raise RefusedError("unsigned", "No right signature stands on the bundle.", "Get the bundle again from its maker.")
    known = [each for each in trusted if each.raw in signed_by]
    if not known:
        names = ", ".join(fingerprint(each)[:16] for each in signed_by)
        raise RefusedError(
            "not-trusted",
            f"The bundle is signed by {names}, which nobody told to trust here.",
            "Compare the fingerprint with its maker's, then give --trust KEYFILE or --trust FINGERPRINT.",
        )
    living = [each for each in known if each.expires is None or now < each.expires]
    if not living:
        raise RefusedError(
            "expired", f"The key {known[0].fingerprint[:16]} has expired.", "Ask the maker for a new key and bundle."
        )
    missing = sorted(set(roles) - {role for each in living for role in each.roles})
    if missing:
        raise RefusedError(
            "wrong-role",
            f"The key {living[0].fingerprint[:16]} may not sign this: the role {missing[0]} is missing.",
            "Have the bundle signed by a key that is trusted for it.",
        )
    return tuple(living)


def check_not_expired(expires: dt.datetime | None, now: dt.datetime) -> None:
    """Raises RefusedError ``expired`` (B90)."""
    if expires is not None and now >= expires:
        raise RefusedError("expired", f"The bundle was good until {written_time(expires)}.", "Get a newer one from its maker.")


def _key(fields: Fields) -> TrustedKey:
    expires = fields.text_or_none("expires", most=20)
    key = TrustedKey(
        raw=_raw(fields, "key", 32),
        name=fields.text("name", least=0),
        roles=fields.texts("roles", most=16, longest=32, pattern=ROLE),
        expires=None if expires is None else parsed_time(expires, fields.at("expires")),
    )
    fields.done()
    if not ed25519.is_usable_key(key.raw):
        raise bad(fields.at("key"), "is not an Ed25519 public key")
    return key


def _key_to_value(key: TrustedKey) -> dict[str, Any]:
    expires = None if key.expires is None else written_time(key.expires)
    return {"key": _text(key.raw), "name": key.name, "roles": list(key.roles), "expires": expires}


def _check_format(fields: Fields) -> None:
    if fields.integer("format", most=1 << 31) != FORMAT:
        raise bad(fields.at("format"), f"this reader knows format {FORMAT} only")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(fields: Fields, name: str, length: int) -> bytes:
    text = fields.text(name, most=100)
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise bad(fields.at(name), "is not base64") from None
    if len(raw) != length or _text(raw) != text:
        raise bad(fields.at(name), f"is not {length} bytes in base64")
    return raw
