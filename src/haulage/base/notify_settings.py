"""Settings of who is told of status messages: ``[notify]``, ``[[notify.webhook]]`` and ``[[notify.email]]``. Secrets stand in files
or in the environment, never here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from haulage.base.errors import UsageError
from haulage.base.ids import package_id, place, site_code
from haulage.base.setting import Check, between, folder, one_of, setting, short_line

_OURS = re.compile(
    r"(host|connection|content-.*|transfer-encoding|te|upgrade|webhook-.*|user-agent|accept-encoding)", re.IGNORECASE
)
_SECRET = re.compile(r"(authorization|cookie|proxy-.*|.*(token|secret|password|api-?key).*)", re.IGNORECASE)
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}): ?([\x20-\x7e]{0,200})")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,190})")


@runtime_checkable
class Named(Protocol):
    """One table of a list of tables."""

    def wrong(self) -> tuple[str, str] | None:
        """The first setting that cannot stand beside the others, and what is wrong with it."""


def is_local(host: str) -> bool:
    """Whether a host is this machine, by what it is called: no name is looked up."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(value: str) -> str | None:
    """1 to 40 small letters, digits and hyphens"""
    return None if re.fullmatch("[a-z0-9][a-z0-9-]{0,39}", value) else "must be 1 to 40 small letters, digits and hyphens"


def _hook_url(value: str) -> str | None:
    """https://…; http://… on this machine only"""
    problem = "must be https://HOST/PATH without user or fragment; http:// is for this machine only"
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return problem
    if not host or "@" in parts.netloc or parts.fragment or len(value) > 2000 or not re.fullmatch(r"[\x21-\x7e]+", value):
        return problem
    return None if parts.scheme == "https" or (parts.scheme == "http" and is_local(host)) else problem


def _headers(values: tuple[str, ...]) -> str | None:
    """ "Name: value", none that carries a secret"""
    for value in values:
        found = _HEADER.fullmatch(value)
        if not found:
            return 'must be a list of "Name: value"'
        if _SECRET.fullmatch(found[1]):
            return f"holds {found[1]}, which carries secrets: receivers check the signature instead"
        if _OURS.fullmatch(found[1]):
            return f"holds {found[1]}, which Haulage sets itself"
    return None


def _host(value: str) -> str | None:
    """a name or an address"""
    return None if re.fullmatch(r"\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}", value) else "must be a name or an address"


def _mailbox(value: str) -> str | None:
    """an address such as haulage@example.org"""
    return None if _MAILBOX.fullmatch(value) else "must be an address such as haulage@example.org"


def _mailboxes(values: tuple[str, ...]) -> str | None:
    """addresses, 1 to 50"""
    wrong = not 1 <= len(values) <= 50 or any(_mailbox(value) for value in values)
    return "must be a list of 1 to 50 addresses such as ops@example.org" if wrong else None


def _variable(value: str) -> str | None:
    """the name of an environment variable that begins with HAULAGE_, or empty"""
    good = not value or re.fullmatch("HAULAGE_[A-Z0-9_]{1,60}", value)
    return None if good else "must be the name of an environment variable that begins with HAULAGE_"


def _each(read: object, what: str) -> Check:
    def check(values: tuple[str, ...]) -> str | None:
        try:
            for value in values:
                read(value)  # type: ignore[operator]
        except UsageError as error:
            return f"is a list of {what}, and {error.message}"
        return None

    check.__doc__ = what
    return check


def _types(values: tuple[str, ...]) -> str | None:
    """any of milestone, detail, audit"""
    return None if set(values) <= {"milestone", "detail", "audit"} else "must be a list of any of milestone, detail, audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which messages; what is left empty narrows nothing."""

    name: str = setting("", "What it is called here; no two have one name.", _name)
    severity: str = setting("warning", "The least severity.", one_of("information", "warning", "error"))
    numbers: tuple[int, ...] = setting((), "Only these numbers.", of=int)
    types: tuple[str, ...] = setting((), "Only these types.", _types)
    sites: tuple[str, ...] = setting((), "Only what these sites and those below them said.", _each(site_code, "site codes"))
    packages: tuple[str, ...] = setting((), "Only about these packages.", _each(package_id, "package ids"))
    places: tuple[str, ...] = setting((), "Only about these places.", _each(place, "places"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings(Chosen):
    """A program that is told by HTTP, as Standard Webhooks says; see the guide on notifications."""

    url: str = setting("", "Where the messages are posted to.", _hook_url)
    secret_file: str = setting("", "File with the secret, `whsec_` and base64; a second line holds the one before it.", folder)
    secret_env: str = setting("", "Or the environment variable that holds it.", _variable)
    headers: tuple[str, ...] = setting((), "More headers.", _headers)
    ca_file: str = setting("", "PEM file of who vouches for the receiver; empty: those the machine trusts.", folder)
    timeout_seconds: int = setting(15, "So long an answer is waited for.", between(1, 60))

    def wrong(self) -> tuple[str, str] | None:
        """See :class:`Named`."""
        if bool(self.secret_file) == bool(self.secret_env):
            return "secret_file", "is needed, or secret_env; one of them, not both"
        return _missing(self.name, ("url", self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings(Chosen):
    """People who are told by mail; several messages go into one mail."""

    host: str = setting("", "The mail server.", _host)
    port: int = setting(0, "Its port; 0: 587 with starttls, 465 with tls, 25 with none.", between(0, 65535))
    security: str = setting(
        "starttls", "How the way there is kept private; none: this machine only.", one_of("starttls", "tls", "none")
    )
    user: str = setting("", "Who signs in; empty: nobody does.", short_line)
    password_file: str = setting("", "File with that user's password.", folder)
    ca_file: str = setting("", "PEM file of who vouches for the mail server; empty: those the machine trusts.", folder)
    sender: str = setting("", "Who the mails come from.", _mailbox)
    to: tuple[str, ...] = setting((), "Who gets them.", _mailboxes)
    first_seconds: int = setting(60, "So long messages are gathered before a mail goes.", between(1, 86_400))
    every_seconds: int = setting(600, "At most one mail goes in so long a time.", between(1, 604_800))
    lines: int = setting(50, "So many messages a mail shows; the rest is counted in it.", between(1, 500))
    timeout_seconds: int = setting(60, "So long a mail may take to be handed over.", between(5, 600))

    @property
    def port_used(self) -> int:
        """The port, chosen or usual."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]

    def wrong(self) -> tuple[str, str] | None:
        """See :class:`Named`."""
        if self.security == "none" and not is_local(self.host):
            return "security", "must be starttls or tls for a mail server on another machine"
        if bool(self.user) != bool(self.password_file):
            return "user", "and password_file go together"
        return _missing(self.name, ("host", self.host), ("sender", self.sender), ("to", self.to))


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Who is told of status messages outside of Haulage."""

    keep_days: int = setting(3, "Messages older than this are not told any more to who could not be reached.", between(1, 30))
    keep_messages: int = setting(
        10_000, "So many messages wait for who cannot be reached; older ones are skipped.", between(10, 50_000)
    )
    webhook: tuple[WebhookSettings, ...] = setting((), "Programs.", of=WebhookSettings)
    email: tuple[EmailSettings, ...] = setting((), "People.", of=EmailSettings)

    def twice(self) -> tuple[str, str, str] | None:
        """A name that two have: section, setting, what is wrong."""
        seen: set[str] = set()
        for section, each in self._all():
            if each.name in seen:
                return section, "name", "is that of another webhook or email too"
            seen.add(each.name)
        return None

    def _all(self) -> Iterator[tuple[str, Chosen]]:
        yield from ((f"notify.webhook.{index}", each) for index, each in enumerate(self.webhook))
        yield from ((f"notify.email.{index}", each) for index, each in enumerate(self.email))


def _missing(name: str, *needed: tuple[str, object]) -> tuple[str, str] | None:
    return next(((each, "is needed") for each, value in (("name", name), *needed) if not value), None)
