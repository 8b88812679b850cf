"""The one tree of expected errors. Anything that is not a HaulageError is a defect.

    HaulageError
    ├── UsageError        the request makes no sense as written
    ├── NotFoundError     the named object does not exist here
    ├── ConflictError     the request is fine, the present state forbids it
    ├── NotAllowedError   the caller may not do this, or the proof of who it is fails
    ├── FormatError       a document breaks the rules of its format
    ├── IntegrityError    bytes are not the bytes they should be
    └── TransferError     something outside (disk, network, peer, busy file) did not work this time

Each error has a stable kebab-case ``code``, a sentence naming the object, and a ``hint``: the next step. Errors are mapped to
exit codes, HTTP problem documents and retry policy in exactly one place each.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Remedy(enum.Enum):
    """What a reconciler does after this error."""

    RETRY = "retry"
    WAIT_FOR_PERSON = "wait-for-person"
    GIVE_UP = "give-up"


class HaulageError(Exception):
    """Base of all expected errors; never raised itself."""

    family = "failed"
    default_remedy = Remedy.WAIT_FOR_PERSON

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        remedy: Remedy | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.remedy = remedy or self.default_remedy
        self.facts = dict(facts or {})
        """Named details for machines: ``path``, ``stream``, …"""

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class UsageError(HaulageError):
    """The request makes no sense as written."""

    family = "usage"


class NotFoundError(HaulageError):
    """The named object does not exist here."""

    family = "not-found"


class ConflictError(HaulageError):
    """The request is fine, the present state forbids it."""

    family = "conflict"


class NotAllowedError(HaulageError):
    """The caller may not do this, or the proof of who it is fails."""

    family = "not-allowed"


class FormatError(HaulageError):
    """A document breaks the rules of its format."""

    family = "format"
    default_remedy = Remedy.GIVE_UP


class IntegrityError(HaulageError):
    """Bytes are not the bytes they should be."""

    family = "integrity"
    default_remedy = Remedy.RETRY


class TransferError(HaulageError):
    """Something outside (disk, network, peer, busy file) did not work this time."""

    family = "transfer"
    default_remedy = Remedy.RETRY


FAMILIES: dict[str, type[HaulageError]] = {
    kind.family: kind
    for kind in (
        UsageError,
        NotFoundError,
        ConflictError,
        NotAllowedError,
        FormatError,
        IntegrityError,
        TransferError,
    )
}
