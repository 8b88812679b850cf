"""``haulage upgrade``: the database of a stopped site brought to this version's tables, and asking beforehand whether a site
may come to a version. What a fix of Haulage itself runs."""

from __future__ import annotations

import logging

from haulage.base.errors import ConflictError, UsageError
from haulage.engine.database.fitness import check_fit
from haulage.engine.database.schema import upgrade
from haulage.engine.database.transaction import open_database
from haulage.engine.servicing.level import parsed_or_none
from haulage.wiring.databases import OURS
from haulage.wiring.home import HomeLock, load_home
from haulage.wiring.parent_version import read_parent_version

View = dict[str, object]


def upgrade_home(path: str) -> View:
    """Schema before and after. A failure leaves the schema before. Raises ConflictError ``server-running``, and like
    :func:`upgrade`."""
    home = load_home(path)
    lock = HomeLock(home)
    try:
        logging.getLogger("alembic").setLevel(logging.WARNING)
        database = open_database(home.database_url)
        try:
            check_fit(database, OURS)
            before, after = upgrade(database)
        finally:
            database.close()
    finally:
        lock.release()
    return {"id": home.code, "schema_before": before, "schema": after}


def may_upgrade(path: str, version: str) -> View:
    """Whether a site may come to a version: not beyond its parent's. Reads no database, so its server may run. Raises ConflictError
    ``parent-older``, UsageError ``bad-version``."""
    home = load_home(path)
    wanted = parsed_or_none(version)
    if wanted is None:
        raise UsageError("bad-version", f"{version[:60]!r} is not a version of Haulage.", "Write it like 1.2.0.")
    heard = read_parent_version(home.file("run"))
    known = None if heard is None else parsed_or_none(heard[1])
    if heard is not None and known is not None and known < wanted:
        raise ConflictError(
            "parent-older",
            f"The parent {heard[0]} has Haulage {known}; site {home.code} cannot have {wanted} before it.",
            f"Service {heard[0]} first, then wait until this site has talked to it.",
        )
    return {"id": home.code, "version": version, "parent": heard and heard[0], "parent_version": heard and heard[1]}
