"""The administrator's API token: a random secret in a file of the home; the server keeps only its digest. Knows no roles."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from haulage.base.errors import FormatError
from haulage.engine.trust.keystore import read_secret, write_secret

_TOKEN = re.compile(r"haulage_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 random bits, with a prefix by which scanners find leaked ones."""
    return "haulage_" + secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What the server stores. A plain SHA-256 is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_matches(token: str, digest: str) -> bool:
    """Whether a presented token is the one with that digest; takes the same time for any wrong one."""
    return bool(_TOKEN.fullmatch(token)) and hmac.compare_digest(token_digest(token).encode(), digest.encode())


def write_token(path: str, token: str) -> None:
    """Keep a token for the local administrator, mode 0600, durably."""
    write_secret(path, token.encode() + b"\n")


def read_token(path: str) -> str:
    """The local administrator's token. Raises NotFoundError ``key-missing``, NotAllowedError ``key-exposed``, FormatError
    ``bad-token``."""
    token = read_secret(path).decode("utf-8", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise FormatError(
            "bad-token", f"The file {path} does not hold a token.", "Remove it and start the server: it writes a new one."
        )
    return token
