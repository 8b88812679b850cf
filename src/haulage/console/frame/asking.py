"""Asking once before an act that reaches far: what the page that asks shows. Pure; the page itself is ``confirm.html``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

CONFIRM = "confirm.html"


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what an act would do."""

    text: str
    count: int | None = None
    href: str = ""
    """To what is counted."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The page that asks."""

    title: str
    words: str = ""
    reach: Sequence[Reach] = ()
    action: str
    """Where the form goes: the act."""
    fields: Mapping[str, str] = {}
    button: str
    """The act in words, never "OK"."""
    back: str
    dangerous: bool = False
    must_type: str = ""
    """What has to be typed first, of what cannot be undone."""
