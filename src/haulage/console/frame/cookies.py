"""The cookies of the console, as header values. Pure.

``__Host-haulage`` holds the secret of a session; browsers take a cookie of that name only over TLS, for this very host and
every path.
``__Host-haulage-light`` holds which light a person chose; it is no secret and no proof of anything.
``__Host-haulage-said`` holds what the next page is to say once, after something was done.
"""

from __future__ import annotations

import enum
from urllib.parse import quote, unquote

from starlette.requests import Request

SESSION = "__Host-haulage"
LIGHT = "__Host-haulage-light"
SAID = "__Host-haulage-said"
SAID_CHARACTERS = 400
_YEAR_SECONDS = 365 * 24 * 3600


class Light(enum.StrEnum):
    """What pages look like."""

    AUTO = "auto"
    """As the system of whoever looks."""
    LIGHT = "light"
    DARK = "dark"


def session_cookie(secret: str) -> str:
    """Set-Cookie for a session; it goes with the browser, and ends on the server by itself."""
    return f"{SESSION}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict"


def no_session_cookie() -> str:
    """Set-Cookie that takes it away."""
    return f"{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"


def light_cookie(light: Light) -> str:
    """Set-Cookie for a choice of light, kept for a year."""
    return f"{LIGHT}={light.value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={_YEAR_SECONDS}"


def secret_of(request: Request) -> str:
    """The secret a browser brought; "" for none."""
    return request.cookies.get(SESSION, "")


def light_of(request: Request) -> Light:
    """The light that was chosen; AUTO for none, or for what is no light."""
    try:
        return Light(request.cookies.get(LIGHT, Light.AUTO))
    except ValueError:
        return Light.AUTO


def said_cookie(words: str) -> str:
    """Set-Cookie for what the next page says."""
    return (
        f"{SAID}={quote(words[:SAID_CHARACTERS], safe='', errors='replace')}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60"
    )


def nothing_said_cookie() -> str:
    """Set-Cookie once it was said."""
    return f"{SAID}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"


def said_of(request: Request) -> str:
    """What is to be said; "" for nothing."""
    return unquote(request.cookies.get(SAID, ""), errors="replace")[:SAID_CHARACTERS]
