"""What a page is: a path, a function that reads one view, and a template; what a write is: a path and a function that calls one
operation and says where to go. Knows no page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from haulage.base.errors import UsageError
from haulage.console.frame.cookies import Light
from haulage.console.frame.sessions import Session
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role
from haulage.operations.desk import Desk
from haulage.server.service import Service

FORM_MAX_BYTES = 256 * 1024
"""A pasted log fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a person, checked."""

    service: Service
    session: Session | None
    """None only on pages that anybody may see."""
    path: Mapping[str, str]
    query: Any = None
    """As the page's query type says."""
    form: Mapping[str, str] = field(default_factory=dict)
    target: str = "/"
    """Path and query, to come back to."""
    light: Light = Light.AUTO
    said: str = ""
    """What the write before this page wants to be told, once."""
    address: str = ""
    """Where it comes from."""
    browser: str = ""
    """What the browser calls itself."""
    program: Caller | None = None
    """Who it is, if it is a program with a token and not a session."""

    @property
    def caller(self) -> Caller:
        """Who it is, with their role. Raises AssertionError on an open page."""
        if self.session is not None:
            return self.session.caller
        assert self.program is not None
        return self.program

    @property
    def desk(self) -> Desk:
        """Where whoever looks does what they do."""
        return self.service.desk_of(self.caller)

    @property
    def actor(self) -> str:
        """Who does it. Raises AssertionError on an open page: those write nothing."""
        assert self.session is not None
        return self.session.actor

    def at(self, target: str) -> Visit:
        """The same visit, to come back to somewhere else."""
        return replace(self, target=target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a page shows: ``view`` goes to the template, and as it is to whoever asks for JSON."""

    title: str
    view: Any
    status: int = 200
    to: str = ""
    """A path of this server where what was asked for really is; whoever asks for JSON gets the view all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. Needs somebody signed in unless ``open``."""

    path: str
    template: str
    show: Callable[[Visit], Shown]
    query: type[msgspec.Struct] | None = None
    place: str = ""
    """Which entry of the menu it belongs to."""
    open: bool = False
    role: Role = Role.READER
    """The least that may see it."""
    has_json: bool = True
    live: bool = False
    """Its template has a block ``live``, which is sent again when it changes."""
    rows: Callable[[Visit], Iterable[Mapping[str, object]]] | None = None
    """All rows the filter in the address leaves, for a spreadsheet; read while they are sent."""
    takes_form: bool = False
    """Also answers a POST, for what is too long for a URL; a form is checked like one that writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Where a write leads, what the page there is to say once, and which cookies it sets."""

    to: str
    said: str = ""
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One thing a person does. Needs somebody signed in, and the session's token in the form, unless ``open``."""

    path: str
    act: Callable[[Visit], Done]
    role: Role = Role.OPERATOR
    """The least that may do it."""
    open: bool = False


def inward(target: str) -> str:
    """A path of this server to go to; anything that could lead elsewhere becomes the first page."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable() and "\\" not in target
    return target if fine and len(target) < 2000 else "/"


def read_query(pairs: list[tuple[str, str]], shape: type[msgspec.Struct] | None) -> Any:
    """Parameters of a URL in the shape a page asks for; one that may come several times is a tuple there. Raises UsageError
    ``bad-query``."""
    if shape is None:
        return None
    many = {one.encode_name for one in msgspec.structs.fields(shape) if str(one.type).startswith("tuple")}
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in many:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError("bad-query", f"The address makes no sense: {error}.", "Start from the menu.") from None
