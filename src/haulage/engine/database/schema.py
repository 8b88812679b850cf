"""Bringing a database to this version's tables: Alembic, driven without its ini file, all steps in one transaction.

Must not know the tables: ``wiring/tables.py`` imports every room's ``records.py`` before anything here is called.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from haulage.base.errors import ConflictError
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Database, Transaction

_HERE = os.path.join(os.path.dirname(__file__), "migrations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """Where the migration steps lie and which tables they must lead to."""

    tables: sa.MetaData = metadata
    versions: str = os.path.join(_HERE, "versions")

    def config(self, tx: Transaction | None = None) -> Config:
        """Alembic's settings."""
        config = Config()
        config.set_main_option("script_location", _HERE.replace("%", "%%"))
        config.set_main_option("version_locations", self.versions.replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
        config.attributes.update(connection=tx, metadata=self.tables)
        return config


OURS = Migrations()


def schema_version(tx: Transaction) -> str | None:
    """The schema the database has now; None for an empty one."""
    return MigrationContext.configure(tx).get_current_revision()


def newest_version(migrations: Migrations = OURS) -> str | None:
    """The schema this version of Haulage needs."""
    return ScriptDirectory.from_config(migrations.config()).get_current_head()


def upgrade(database: Database, migrations: Migrations = OURS) -> tuple[str | None, str | None]:
    """Bring the database to the newest schema; returns the schema before and after. A kill half-way leaves the schema before.

    Raises ConflictError ``schema-newer`` for a database that a newer Haulage has used, and changes nothing then."""
    with database.reading() as tx:
        before = schema_version(tx)
    newest = newest_version(migrations)
    _refuse_newer(before, migrations, database.where)
    if before == newest:
        return before, newest
    with database.writing() as tx:
        command.upgrade(migrations.config(tx), "head")
    return before, newest


def differences(tx: Transaction, tables: sa.MetaData = metadata) -> list[str]:
    """Where the database's schema is not what the tables say; empty when it is."""
    context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
    return [repr(difference) for difference in compare_metadata(context, tables)]


def write_migration(database: Database, message: str, revision: str, migrations: Migrations = OURS) -> str:
    """For developers: write the step from the newest schema to the tables as they are now. ``database`` is a scratch one.
    Returns the new file's path."""
    upgrade(database, migrations)
    with database.writing() as tx:
        script = command.revision(migrations.config(tx), message, autogenerate=True, rev_id=revision)
    assert script is not None
    assert not isinstance(script, list)
    return script.path


def _refuse_newer(present: str | None, migrations: Migrations, where: str) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(migrations.config()).walk_revisions()}
    if present is not None and present not in known:
        raise ConflictError(
            "schema-newer",
            f"The database {where} has schema {present}, which this version of Haulage does not know.",
            "Start the newer Haulage that used it last, or restore a backup made before that.",
        )
