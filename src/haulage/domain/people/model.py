"""Who asks. Pure; knows no way of proving it."""

from __future__ import annotations

from dataclasses import dataclass

from haulage.domain.people.roles import Role, require_role

LOCAL_ADMINISTRATOR = "administrator"
"""Whoever can read the token in the home: the way in when no user can, and the name its acts are told under. No user has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose proof was checked."""

    name: str
    """The user, for the audit messages of what is done."""
    role: Role
    local: bool = False
    """Whether it is the local administrator, who may name any path of the server's machine."""

    def require(self, needed: Role) -> None:
        """Raises NotAllowedError ``role-too-low``."""
        require_role(self.role, needed, self.name)


LOCAL = Caller(name=LOCAL_ADMINISTRATOR, role=Role.ADMINISTRATOR, local=True)
