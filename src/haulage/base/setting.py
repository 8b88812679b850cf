"""What one setting is: its default, its line of documentation, and the checks that say in words what cannot work. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any

from haulage.base.errors import UsageError
from haulage.base.ids import site_code

Check = Callable[[Any], str | None]
"""Says what is wrong with a value of the right type, or None."""


def setting(default: Any, doc: str, check: Check | None = None, *, of: type[Any] = str) -> Any:
    """One setting; lists are tuples once read, of ``of``: texts, whole numbers, or tables of that class of settings."""
    return field(default=default, metadata={"doc": doc, "check": check, "of": of})


def between(low: float, high: float) -> Check:
    def check(value: float) -> str | None:
        return None if low <= value <= high else f"must be from {low} to {high}"

    check.__doc__ = f"{low} to {high}"
    return check


def one_of(*allowed: str) -> Check:
    def check(value: str) -> str | None:
        return None if value in allowed else f"must be one of {', '.join(allowed)}"

    check.__doc__ = ", ".join(allowed)
    return check


def all_of(*allowed: str) -> Check:
    def check(values: tuple[str, ...]) -> str | None:
        return None if set(values) <= set(allowed) else f"must be a list of any of {', '.join(allowed)}"

    check.__doc__ = "any of " + ", ".join(allowed)
    return check


def absolute(value: str) -> str | None:
    """an absolute path"""
    return None if value.startswith("/") and "\0" not in value else "must be an absolute path"


def folder(value: str) -> str | None:
    """an absolute path below /, or empty"""
    if value.strip("/") == "" and value:
        return "must not be the root folder"
    return absolute(value) if value else None


def all_absolute(values: tuple[str, ...]) -> str | None:
    """absolute paths"""
    return None if all(absolute(value) is None for value in values) else "must be a list of absolute paths"


def a_site(value: str) -> str | None:
    """3 upper-case letters or digits"""
    try:
        site_code(value)
    except UsageError as error:
        return error.message
    return None


def address(value: str) -> str | None:
    """HOST:PORT; port 0 takes a free one"""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", value)
    return None if found and int(found[2]) <= 65535 else "must be HOST:PORT"


def site_url(value: str) -> str | None:
    """https://NAME:PORT, or empty"""
    good = not value or re.fullmatch(r"https://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?/?", value)
    return None if good else "must look like https://NAME:PORT"


def database_url(value: str) -> str | None:
    """sqlite:////PATH, postgresql://…, or empty"""
    good = not value or re.match(r"sqlite:////|postgresql(\+psycopg)?://", value)
    return None if good else "must be sqlite:////ABSOLUTE/PATH or postgresql://…"


def short_line(value: str) -> str | None:
    """one line of up to 200 characters"""
    return None if len(value) <= 200 and value.isprintable() else "must be one line of up to 200 printable characters"
