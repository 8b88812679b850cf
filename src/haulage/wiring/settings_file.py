"""What the settings of a running server are, beside what their file says by now."""

from __future__ import annotations

import functools
from collections.abc import Callable

from haulage.base.errors import HaulageError
from haulage.base.settings import load_settings
from haulage.domain.people.roles import Role
from haulage.engine.database.transaction import Database
from haulage.server.settings_told import SettingsTold, told
from haulage.wiring.home import SETTINGS, Home


def settings_of(home: Home, database: Database) -> Callable[[Role], SettingsTold]:
    """Tells somebody of a role about them; the file is read anew each time."""
    return functools.partial(_told, home, database)


def _told(home: Home, database: Database, role: Role) -> SettingsTold:
    places = [
        ("Home", home.path),
        ("Settings", home.file(SETTINGS)),
        ("Database", database.where),
        ("Content store", home.content),
        ("Keys", home.keys.folder),
        ("Token of the local administrator", home.token_path),
        ("Logs", home.file("logs")),
    ]
    now, problem = None, ""
    try:
        now = load_settings(home.file(SETTINGS))
    except HaulageError as error:
        problem = f"{error.message} {error.hint}"
    return told(home.settings, now, places=[(name, str(path)) for name, path in places], problem=problem, role=role)
