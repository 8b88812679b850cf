"""Who signed a version, and whether the signature holds: the owner's statement as it lies here, checked again."""

from __future__ import annotations

import msgspec

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, VersionNumber, owner_of
from haulage.domain.estate.rules import keys_of
from haulage.domain.replication import records as replication
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, Kind, VersionState, decode_definition, state_of
from haulage.engine.trust import dsse
from haulage.engine.trust.keys import PublicKey


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Of one version."""

    signer: str
    """The id of the owner's key: SHA-256 of its description, 64 hexadecimal digits; "" if no statement is here."""
    checked: bool
    """Whether it was found right just now, for the manifest told here."""
    cause: str
    """Why not; "" if it is right."""
    manifest: str
    """As the signed statement says it."""


def signature_of(tx: Transaction, package: PackageId, number: VersionNumber) -> Signature:
    """The signature of a version, checked with the key its owner's site is known by now."""
    stored = replication.find_definition(tx, Kind.VERSION, f"{package}:{number}")
    if stored is None or stored.deleted:
        return Signature(signer="", checked=False, cause="Its signed statement is not here.", manifest="")
    kind = Definition.PAYLOAD_TYPE
    signer, manifest, cause = "", "", ""
    try:
        signer = ", ".join(dsse.signers(stored.document, kind))
        keys = [PublicKey.parse(key) for key in keys_of(tx, owner_of(package))]
        state = state_of(decode_definition(dsse.verify(stored.document, kind, keys)), VersionState)
        manifest = state.manifest
    except HaulageError as error:
        cause = error.message
    return Signature(signer=signer, checked=not cause, cause=cause, manifest=manifest)
