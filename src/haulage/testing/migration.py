"""For developers: ``python -m haulage.testing.migration NNNN "what changes"`` writes the migration from the newest step to the
tables as the code has them now; ``--initial`` writes the first one anew, for as long as nothing was released."""

from __future__ import annotations

import os
import sys

from haulage.engine.database.schema import Migrations, write_migration
from haulage.engine.database.transaction import memory_database
from haulage.wiring.tables import TABLES


def main(arguments: list[str]) -> int:
    """Write one migration and say where."""
    migrations = Migrations(tables=TABLES)
    if arguments == ["--initial"]:
        for name in os.listdir(migrations.versions):
            if name.startswith("r") and name.endswith(".py"):
                os.unlink(os.path.join(migrations.versions, name))
        arguments = ["0001", "First tables"]
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    revision, message = arguments
    path = write_migration(memory_database(), message, revision, migrations)
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if "# ### " not in line]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)
    print(f"{path}: now ruff format and ruff check --fix it, read it, and python -m tests.engine.database.goldens")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
