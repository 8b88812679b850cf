"""Errors of servicing as the rest of Haulage has them: the same code, sentence and hint in the one tree of errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from haulage.base.errors import (
    ConflictError,
    FormatError,
    HaulageError,
    IntegrityError,
    NotAllowedError,
    NotFoundError,
    TransferError,
)
from haulage.engine.servicing.errors import DocumentError, ServicingError

_NOT_ALLOWED = {"unsigned", "not-trusted", "wrong-role", "expired", "no-rights"}
_NOT_FOUND = {"not-found", "product-not-found", "no-root", "not-installed"}
_TEMPORARY = {"busy", "unfinished", "service-timeout"}


@contextlib.contextmanager
def as_haulage_errors() -> Iterator[None]:
    """What servicing raises inside the context leaves it as a HaulageError."""
    try:
        yield
    except ServicingError as error:
        raise translated(error) from error


def translated(error: ServicingError) -> HaulageError:
    """The error of the same code in the family it belongs to."""
    return _family(error)(error.code, error.message, error.hint)


def _family(error: ServicingError) -> type[HaulageError]:
    if error.code in _NOT_ALLOWED:
        return NotAllowedError
    if error.code in _NOT_FOUND:
        return NotFoundError
    if error.code in _TEMPORARY:
        return TransferError
    if error.code == "damaged-bundle":
        return IntegrityError
    return FormatError if isinstance(error, DocumentError) else ConflictError
