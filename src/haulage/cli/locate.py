"""Which server a command talks to, and what proves that it is the right one: from a home on this machine, or from the environment.
Reads files; speaks to nobody."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from haulage.base.errors import FormatError, NotAllowedError, NotFoundError, TransferError, UsageError
from haulage.base.text import shown

_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server. ``pin`` is the SHA-256 of its certificate; without one, ``ca_file`` or the system's authorities vouch for it."""

    url: str
    token: str
    pin: str = ""
    ca_file: str | None = None
    home: str | None = None

    @property
    def named(self) -> str:
        """For sentences."""
        return f"home {shown(self.home)}" if self.home else shown(self.url)


def find_target(home: str | None, environment: Mapping[str, str]) -> Target:
    """``--home`` first, then HAULAGE_URL with HAULAGE_TOKEN, then HAULAGE_HOME. Raises UsageError ``no-server-named``,
    TransferError ``no-server``, NotFoundError ``no-home``, NotAllowedError ``home-closed``, FormatError ``bad-home``."""
    if home:
        return _of_home(home)
    if environment.get("HAULAGE_URL"):
        return _of_environment(environment)
    if environment.get("HAULAGE_HOME"):
        return _of_home(environment["HAULAGE_HOME"])
    raise UsageError(
        "no-server-named",
        "It was not said which server to talk to.",
        "Give --home DIR, or set HAULAGE_HOME; for a server elsewhere set HAULAGE_URL and HAULAGE_TOKEN.",
    )


def no_server(home: str) -> TransferError:
    """Nobody answers there."""
    return TransferError("no-server", f"No server is running for the home {shown(home)}.", f"haulage serve --home {shown(home)}")


def _of_environment(environment: Mapping[str, str]) -> Target:
    url, token = environment["HAULAGE_URL"].rstrip("/"), environment.get("HAULAGE_TOKEN", "")
    if not token:
        raise UsageError("no-token", "HAULAGE_URL is set, HAULAGE_TOKEN is not.", "Set it to the token of that server.")
    _check_url(url)
    return Target(url=url, token=_clean(token, "HAULAGE_TOKEN"), ca_file=environment.get("HAULAGE_CA") or None)


def _of_home(home: str) -> Target:
    home = os.path.abspath(home)
    if not os.path.isfile(os.path.join(home, "haulage.toml")):
        raise NotFoundError("no-home", f"{shown(home)} is not a home of Haulage.", f"haulage init --home {shown(home)} --site CODE")
    try:
        data = json.loads(_read(os.path.join(home, "run", "server.json")))
        url, pin = data["url"], re.sub(r"^sha256:|[:\s]", "", data["fingerprint"].lower())
    except FileNotFoundError:
        raise no_server(home) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError("bad-home", f"{shown(home)}/run/server.json is not a server's.", "Restart the server.") from None
    _check_url(url)
    try:
        token = _read(os.path.join(home, "keys", "admin.token"))
    except FileNotFoundError:
        raise FormatError("bad-home", f"{shown(home)}/keys/admin.token is missing.", "Restart the server.") from None
    return Target(url=url.rstrip("/"), token=_clean(token, "keys/admin.token"), pin=pin, home=home)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise UsageError("bad-url", f"{shown(url)!r} is not the URL of a server.", "Write it as https://NAME:PORT.")


def _clean(token: str, where: str) -> str:
    token = token.strip()
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", token):
        raise FormatError("bad-token", f"What stands in {where} is not a token.", "Copy the server's keys/admin.token whole.")
    return token


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MOST_BYTES)
    except PermissionError:
        raise NotAllowedError(
            "home-closed", f"{shown(path)} may not be read by this user.", "Run it as the user that runs the server."
        ) from None
