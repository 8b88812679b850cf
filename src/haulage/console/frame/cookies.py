"""The cookies of the console, as header values. Pure.

``__Host-haulage`` holds the secret of a session; browsers take a cookie of that name only over TLS, for this very host and
every path.
``__Host-haulage-light`` holds which light a person chose; it is no secret and no proof of anything.
"""

from __future__ import annotations

import enum

from starlette.requests import Request

SESSION = "__Host-haulage"
LIGHT = "__Host-haulage-light"
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
