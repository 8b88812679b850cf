"""Several signed documents in one body: one a line. Canonical JSON holds no line feed, so nothing needs escaping. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from haulage.base.errors import FormatError

MEDIA_TYPE = "application/vnd.haulage.lines"
BODY_MAX_BYTES = 64 * 1024 * 1024
LINES_MAX = 10_000


def join_lines(documents: Iterable[bytes]) -> bytes:
    """The body that carries these documents, in order; empty for none."""
    return b"".join(document + b"\n" for document in documents)


def split_lines(body: bytes) -> list[bytes]:
    """The documents of a body. Raises FormatError ``bad-document`` for a body out of bounds or cut off."""
    if not body:
        return []
    if len(body) > BODY_MAX_BYTES or not body.endswith(b"\n"):
        raise _bad("it is too large or cut off")
    # Counted first: a body of nothing but line ends would become as many objects.
    if body.count(b"\n") > LINES_MAX:
        raise _bad("it has too many lines")
    documents = body[:-1].split(b"\n")
    if not all(documents):
        raise _bad("it has empty lines")
    return documents


def _bad(cause: str) -> FormatError:
    return FormatError("bad-document", f"A body of signed documents is refused: {cause}.", "It is asked for again.")
