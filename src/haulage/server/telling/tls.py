"""TLS to who is told: the name and who vouches for it are always checked."""

from __future__ import annotations

import functools
import os
import ssl

from haulage.base.errors import FormatError


def context_of(ca_file: str) -> ssl.SSLContext:
    """With those the machine trusts, or with those of a PEM file as it is now. Raises FormatError ``bad-ca-file``."""
    try:
        return _made(ca_file, os.stat(ca_file).st_mtime_ns if ca_file else 0)
    except OSError as error:
        raise FormatError("bad-ca-file", f"{ca_file} cannot be used: {error.strerror or error}.", "A PEM file is needed.") from None


@functools.lru_cache(maxsize=8)
def _made(ca_file: str, _changed: int) -> ssl.SSLContext:
    """Reading all that a machine trusts takes longer than telling a message."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
