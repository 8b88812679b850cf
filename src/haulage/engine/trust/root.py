"""The root of trust of a hierarchy: a TUF root document whose signed extra field names the hierarchy's keys and its certificate
authority. One SHA-256 in a join string pins it all. Knows neither how a root travels nor where it is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets  # type: ignore[attr-defined]
from tuf.api.serialization.json import JSONSerializer

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotAllowedError
from haulage.base.ids import SiteCode
from haulage.engine.protocol.codec import Body, builtins, convert, parse
from haulage.engine.protocol.fields import Key, Pem, Site
from haulage.engine.trust.keys import PublicKey, SigningKey

ROOT_MAX_BYTES = 256 * 1024
YEARS = 10
_HEX = re.compile(r"[0-9a-fA-F]{64}")
EXTRA = "x-haulage"


class Hierarchy(Body, frozen=True, kw_only=True):
    """The extra field of a root."""

    format: Annotated[int, Meta(ge=1, le=1)] = 1
    central: Site
    hierarchy: Annotated[tuple[Key, ...], Meta(min_length=1, max_length=8)]
    authority: Pem


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """What a verified root says."""

    central: SiteCode
    version: int
    sha256: str
    expires: dt.datetime
    hierarchy: tuple[PublicKey, ...]
    """Any of these signs site definitions and invitations."""
    authority_pem: str
    """The certificate authority's certificate."""


def make_root(
    *,
    central: SiteCode,
    root_keys: Sequence[SigningKey],
    hierarchy: Sequence[PublicKey],
    targets: PublicKey,
    snapshot: PublicKey,
    timestamp: PublicKey,
    authority_pem: str,
    now: dt.datetime,
    version: int = 1,
) -> bytes:
    """A signed root.json (threshold: all ``root_keys``), valid for ten years."""
    extra = Hierarchy(central=central, hierarchy=tuple(key.text for key in hierarchy), authority=authority_pem)
    expires = (now + dt.timedelta(days=YEARS * 365.25)).replace(microsecond=0)
    root = Root(version=version, expires=expires, consistent_snapshot=True, unrecognized_fields={EXTRA: builtins(extra)})
    for key in root_keys:
        root.add_key(key.public.tuf, Root.type)
    root.roles[Root.type].threshold = len(root_keys)
    for role, public in ((Targets.type, targets), ("snapshot", snapshot), ("timestamp", timestamp)):
        root.add_key(public.tuf, role)
    metadata = Metadata(root)
    for key in root_keys:
        metadata.sign(key.signer, append=True)
    return metadata.to_bytes(JSONSerializer(compact=True))


def root_digest(data: bytes) -> str:
    """SHA-256 of a root, as a join string pins it."""
    return hashlib.sha256(data).hexdigest()


def load_root(data: bytes, *, pinned_sha256: str, now: dt.datetime) -> TrustedRoot:
    """Check a root against its pinned digest and its own signatures. Raises IntegrityError ``wrong-root``, ``bad-signature``,
    FormatError ``bad-root``, NotAllowedError ``root-expired``."""
    if root_digest(data) != pinned_sha256:
        raise IntegrityError(
            "wrong-root",
            "The root of trust offered is not the one the join string names.",
            "Somebody may be in between, or the join string is of another hierarchy: ask for a new one over a safe way.",
        )
    root, extra = _read(data)
    _check_keys(root)
    if root.is_expired(now):
        raise NotAllowedError(
            "root-expired",
            f"The root of trust expired at {root.expires:%Y-%m-%d}.",
            "Check this machine's clock; else renew the root.",
        )
    return TrustedRoot(
        central=extra.central,
        version=root.version,
        sha256=pinned_sha256,
        expires=root.expires.replace(tzinfo=dt.UTC),
        hierarchy=tuple(PublicKey.parse(text) for text in extra.hierarchy),
        authority_pem=extra.authority,
    )


def _read(data: bytes) -> tuple[Root, Hierarchy]:
    """The parsed root and its extra field, its threshold of signatures verified."""
    try:
        parse(data, what="root", max_bytes=ROOT_MAX_BYTES)
        metadata = Metadata.from_bytes(data)
        if not isinstance(metadata.signed, Root):
            raise _bad("it is not a root")
        root = metadata.signed
        extra = convert(root.unrecognized_fields.get(EXTRA), Hierarchy)
    except HaulageError as error:
        raise _bad(error.message) from None
    except (RepositoryError, msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _bad(f"{error}") from None
    if not root.get_verification_result(Root.type, metadata.signed_bytes, metadata.signatures):
        raise IntegrityError("bad-signature", "The root of trust is not signed by enough of its own keys.", "Ask for a new root.")
    return root, extra


def _check_keys(root: Root) -> None:
    """TUF counts key ids, not keys: one key under two ids would sign twice. So an id must come from its key's bytes."""
    seen: set[str] = set()
    for keyid, key in root.keys.items():
        public = key.keyval.get("public")
        if key.keytype != "ed25519" or not isinstance(public, str) or not _HEX.fullmatch(public):
            raise _bad(f"key {keyid[:16]} is not an Ed25519 key")
        if PublicKey(raw=bytes.fromhex(public)).id != keyid or public.lower() in seen:
            raise _bad(f"key {keyid[:16]} stands under a name that is not its own")
        seen.add(public.lower())
    if not root.consistent_snapshot:
        raise _bad("it does not ask for consistent snapshots")


def _bad(cause: str) -> FormatError:
    return FormatError("bad-root", f"The root of trust is not usable: {cause[:300]}.", "Ask the central site for a sound one.")
