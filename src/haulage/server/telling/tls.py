"""TLS to who is told: the name and who vouches for it are always checked."""

from __future__ import annotations

import ssl

from haulage.base.errors import FormatError


def context_of(ca_file: str) -> ssl.SSLContext:
    """With those the machine trusts, or with those of a PEM file. Raises FormatError ``bad-ca-file``."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise FormatError("bad-ca-file", f"{ca_file} cannot be used: {error.strerror or error}.", "A PEM file is needed.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
