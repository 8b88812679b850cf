"""The three roles, each of which may do all that the one before it may. Pure; knows no endpoint and no page."""

from __future__ import annotations

import enum
import functools

from haulage.base.errors import NotAllowedError, UsageError


@functools.total_ordering
class Role(enum.Enum):
    """What somebody may do at one site; the later in this list, the more."""

    READER = "reader"
    """See everything but secrets and where this server keeps its files; change nothing."""
    OPERATOR = "operator"
    """And change packages, points, orders, articles and fixes."""
    ADMINISTRATOR = "administrator"
    """And change sites, users, settings and the server itself, and name any path on its machine that is allowed."""

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Role):
            return NotImplemented
        return _ORDER[self] < _ORDER[other]

    @property
    def words(self) -> str:
        """What it may do, for people."""
        return _WORDS[self]


_ORDER = {role: place for place, role in enumerate(Role)}
_WORDS = {
    Role.READER: "sees everything but secrets and where the server keeps its files; changes nothing",
    Role.OPERATOR: "also changes packages, points, orders, articles and fixes",
    Role.ADMINISTRATOR: "also changes sites, users, settings and the server itself",
}


def role_of(text: str) -> Role:
    """Parse a role. Raises UsageError ``bad-role``."""
    try:
        return Role(text)
    except ValueError:
        raise UsageError("bad-role", f"{text[:40]!r} is no role.", f"Use {', '.join(role.value for role in Role)}.") from None


def require_role(role: Role, needed: Role, who: str) -> None:
    """Raises NotAllowedError ``role-too-low`` if ``who``, who has ``role``, may not do what ``needed`` may."""
    if role < needed:
        raise NotAllowedError(
            "role-too-low",
            f"This needs the role {needed.value}; {who} has the role {role.value}.",
            f"An administrator of this site can give it: haulage user set NAME --role {needed.value}, or a token with that role.",
        )
