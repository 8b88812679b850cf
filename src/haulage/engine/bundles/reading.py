"""A bundle file read as data, for looking at it, importing it or building a rollup of it; its program is never run."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import NotFoundError
from haulage.engine.bundles.program_code import program_files
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.bundles.tree import digest_of
from haulage.engine.servicing import payload, statement, trusted
from haulage.engine.servicing.definition import FixDefinition
from haulage.engine.servicing.payload import Payload
from haulage.engine.servicing.trusted import TrustedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """What a bundle says, proved in itself: hashes fit what was signed, and these keys signed. Whether they count is not said.

    ``own_program`` is whether its program is the very one of this Haulage; ``signed_by`` are public keys (32 bytes).
    """

    definition: FixDefinition
    digest: str
    sha256: str
    size_bytes: int
    content_bytes: int
    plain_bytes: int
    expires: dt.datetime | None
    signed_by: tuple[bytes, ...]
    own_program: bool


@contextlib.contextmanager
def opened(path: str) -> Iterator[Payload]:
    """The bundle at ``path``. Raises NotFoundError ``no-bundle``, IntegrityError ``damaged-bundle``, FormatError ``bad-document``;
    errors of servicing inside the context become HaulageErrors."""
    with as_haulage_errors():
        try:
            file = open(path, "rb")  # noqa: SIM115  (closed below; only its opening is looked after here)
        except (FileNotFoundError, IsADirectoryError):
            raise NotFoundError("no-bundle", f"There is no bundle {path}.", "Give the file that haulage fix build made.") from None
        with file:
            yield Payload(file)


def read_bundle(path: str) -> BundleFacts:
    """Read all of a bundle and compare all of it with what was signed. Raises like :func:`opened`."""
    with opened(path) as bundle:
        bundle.check_content()
        bundle.check_code()
        said = bundle.statement
        return BundleFacts(
            definition=bundle.definition,
            digest=bundle.digest,
            sha256=digest_of(path),
            size_bytes=os.stat(path).st_size,
            content_bytes=said.content_size,
            plain_bytes=statement.plain_size(bundle.definition),
            expires=said.expires,
            signed_by=bundle.signers(),
            own_program=dict(said.code) == {name: hashlib.sha256(data).hexdigest() for name, data in program_files().items()},
        )


def authorised(facts: BundleFacts, keys: Sequence[TrustedKey], now: dt.datetime, protected: Sequence[tuple[str, str]] = ()) -> None:
    """Raises NotAllowedError ``unsigned``, ``not-trusted``, ``wrong-role``, ``expired`` (B90, B96)."""
    with as_haulage_errors():
        trusted.authorised(facts.signed_by, keys, payload.roles_for(facts.definition, protected), now)
        trusted.check_not_expired(facts.expires, now)
