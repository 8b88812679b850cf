"""What an endpoint is: method, path, who may call it, what it takes, and the function that answers. Knows no HTTP server."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from haulage.base.ids import SiteCode
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role
from haulage.operations.desk import Desk
from haulage.server.service import Service

JSON = "application/json"
BODY_MAX_BYTES = 1024 * 1024


class Permission(enum.Enum):
    """Who may call an endpoint. There is no default: an endpoint without one cannot be written."""

    OPEN = "open"
    """Anybody who reaches the port."""
    SITE = "site"
    """A joined child, by its signed request."""
    READ = "read"
    """Anybody with a bearer token: it shows, reveals no secret, and costs the server little."""
    OPERATE = "operate"
    """An operator: it changes what is distributed, or makes the server work."""
    ADMIN = "admin"
    """An administrator: it changes sites, users or the server itself, or names a path of its machine."""
    SCRAPE = "scrape"
    """Who reads figures: a reader, the token for that alone, or this machine, as ``haulage.toml`` says."""

    @property
    def role(self) -> Role | None:
        """The least role of a caller with a token; None where another proof is asked for, or none."""
        return _ROLES.get(self)


_ROLES = {Permission.READ: Role.READER, Permission.OPERATE: Role.OPERATOR, Permission.ADMIN: Role.ADMINISTRATOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, checked: permission, size, media type, and shape."""

    service: Service
    request: Request
    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    raw: bytes = b""
    sender: SiteCode | None = None
    caller: Caller | None = None
    """Who asks, where a role is needed."""

    @property
    def actor(self) -> str:
        """Who does it, for the audit messages; "" where nobody has to say."""
        return self.caller.name if self.caller is not None else ""

    @property
    def desk(self) -> Desk:
        """Where whoever asks does what they ask for."""
        return self.service.desk_of(self.caller)

    def require(self, needed: Role) -> None:
        """Some of what an endpoint can do needs more than the endpoint. Raises NotAllowedError ``role-too-low``."""
        assert self.caller is not None
        self.caller.require(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer in JSON. ``cursor`` goes on a list where this one ends."""

    value: object = None
    status: int = 200
    cursor: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Act = Callable[[Call], "Answer | Response | Awaitable[Answer | Response]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the contract. ``act`` runs in a thread, unless it is a coroutine function: then on the event loop."""

    method: str
    path: str
    permission: Permission
    act: Act
    summary: str
    query: type[Any] | None = None
    body: type[Any] | None = None
    media_type: str | None = None
    """Of a body that is not JSON: it is handed on as it came."""
    body_max_bytes: int = BODY_MAX_BYTES
