"""The menu: every room of the console a person can walk into, in groups. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from haulage.domain.people.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the menu."""

    name: str
    """As pages say which entry they belong to."""
    path: str
    words: str
    role: Role = Role.READER


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Entries that belong together."""

    words: str
    entries: tuple[Entry, ...]


MENU: tuple[Group, ...] = (
    Group(words="", entries=(Entry(name="overview", path="/", words="Overview"),)),
    Group(
        words="Content",
        entries=(
            Entry(name="packages", path="/packages", words="Packages"),
            Entry(name="matrix", path="/matrix", words="Matrix"),
            Entry(name="transfers", path="/transfers", words="Transfers"),
        ),
    ),
    Group(
        words="Places",
        entries=(
            Entry(name="hierarchy", path="/hierarchy", words="Hierarchy"),
            Entry(name="points", path="/points", words="Points"),
            Entry(name="groups", path="/groups", words="Groups"),
            Entry(name="store", path="/store", words="Store"),
        ),
    ),
    Group(
        words="Messages",
        entries=(
            Entry(name="status", path="/status", words="Status"),
            Entry(name="audit", path="/audit", words="Audit"),
        ),
    ),
    Group(
        words="Knowledge",
        entries=(
            Entry(name="knowledge", path="/knowledge", words="Articles"),
            Entry(name="diagnose", path="/diagnose", words="Diagnose"),
            Entry(name="fixes", path="/knowledge/fixes", words="Fixes"),
        ),
    ),
    Group(
        words="This site",
        entries=(
            Entry(name="declared", path="/declared", words="Declared", role=Role.OPERATOR),
            Entry(name="settings", path="/settings", words="Settings"),
            Entry(name="notifications", path="/settings/notifications", words="Notifications", role=Role.ADMINISTRATOR),
            Entry(name="api", path="/api", words="API"),
        ),
    ),
)


def menu_for(role: Role | None) -> tuple[Group, ...]:
    """What somebody of a role is shown; nothing to who is not signed in."""
    if role is None:
        return ()
    shown = [Group(words=group.words, entries=tuple(entry for entry in group.entries if role >= entry.role)) for group in MENU]
    return tuple(group for group in shown if group.entries)
