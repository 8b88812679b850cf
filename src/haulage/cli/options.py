"""Options that many commands share, each written once. Knows no command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from haulage.base.errors import UsageError
from haulage.cli.client import Client, connect
from haulage.cli.output import Form

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(s|m|h|d)?")
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """Which server, and in which form the answer is wanted."""

    home: Annotated[
        str | None, Parameter(help="Home of the server on this machine; otherwise HAULAGE_URL with HAULAGE_TOKEN, or HAULAGE_HOME.")
    ] = None
    output: Annotated[Form, Parameter(name=["--output", "-o"], help="Form of the answer; JSON is stable.")] = "table"

    def client(self) -> Client:
        """The client of that server."""
        return connect(self.home)


PLAIN = How()

DryRun = Annotated[bool, Parameter(negative=(), show_default=False, help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), show_default=False, help="Do not ask.")]
YesAccepted = Annotated[
    bool, Parameter(name=["--yes", "-y"], negative=(), show_default=False, help="Accepted everywhere; this command never asks.")
]
Wait = Annotated[bool, Parameter(negative=(), show_default=False, help="Return when it is done, not when it is asked for.")]
Timeout = Annotated[str, Parameter(help="Longest wait, as in 90, 90s, 15m, 2h; 0 is without end. The work goes on after it.")]
Places = Annotated[
    list[str], Parameter(consume_multiple=True, negative=(), help="CODE, CODE/POINT or @GROUP; several after one option.")
]
At = Annotated[str, Parameter(help="A place: CODE or CODE/POINT.")]


def seconds(duration: str) -> float | None:
    """A duration in seconds; None for 0. Raises UsageError ``bad-duration``."""
    found = _DURATION.fullmatch(duration)
    if not found:
        raise UsageError("bad-duration", f"{duration!r} is not a duration.", "Write 90, 90s, 15m, 2h or 1d.")
    return float(found[1]) * _SECONDS[found[2]] or None
