"""For developers: ``python -m haulage.testing.migration NNNN "what changes"`` writes the migration from the newest step to the
tables as the code has them now."""

from __future__ import annotations

import sys

from haulage.engine.database.schema import Migrations, write_migration
from haulage.engine.database.transaction import memory_database
from haulage.wiring.tables import TABLES


def main(arguments: list[str]) -> int:
    """Write one migration and say where."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    revision, message = arguments
    print(write_migration(memory_database(), message, revision, Migrations(tables=TABLES)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
