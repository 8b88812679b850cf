"""Which database a new site gets: what may be asked for, and refusing one that cannot be used or is another site's."""

from __future__ import annotations

import os

from haulage.base.errors import ConflictError, HaulageError, UsageError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.engine.database.connection import file_of, has_password, with_password
from haulage.engine.database.fitness import check_fit
from haulage.engine.database.schema import newest_version, schema_version
from haulage.engine.database.transaction import Database, open_database
from haulage.engine.trust.keystore import Keystore
from haulage.wiring import tables
from haulage.wiring.places import check_not_shared

OURS = "identity"
"""A table that every database of a site has, and nobody else's."""

_PASSWORD_BYTES = 4096
_BUSY_SECONDS = 5.0


def choose_database(url: str, password_file: str = "") -> str:
    """The URL to write down, with the password of the file in it if one is named. Raises UsageError ``bad-database-url``,
    ``password-in-the-open`` for a URL with a password: others on this machine read command lines; ``bad-password-file``."""
    if url and has_password(url):
        raise UsageError(
            "password-in-the-open",
            "The URL of the database holds a password, which others on this machine may have read.",
            "Leave it out and give --database-password-file FILE, or put it into ~/.pgpass of the user who runs the server.",
        )
    if not password_file:
        return url
    if not url:
        raise UsageError("bad-password-file", "A password file is of no use without --database.", "Give --database URL too.")
    return with_password(url, _password(password_file))


def look_at(url: str, code: SiteCode, folder: str) -> bool:
    """Whether a database holds already what an interrupted ``init`` or ``join`` into this folder put there; writes nothing.

    Raises ConflictError ``database-taken`` if it is another site's, and like :func:`check_fit` and :meth:`Database.reading`."""
    path = file_of(url) if url else None
    if path is not None:
        check_not_shared(os.path.dirname(path), url)
    if not url or (path is not None and not os.path.exists(path)):
        return False
    database = open_database(url, busy_seconds=_BUSY_SECONDS)
    try:
        return check_fit(database, OURS) and _is_of(database, code, folder)
    finally:
        database.close()


def _is_of(database: Database, code: SiteCode, folder: str) -> bool:
    with database.reading() as tx:
        schema = schema_version(tx)
        if schema == newest_version():
            identity = estate.read_identity(tx)
            if identity is None:
                return False
            me = estate.find_site(tx, identity.code)
            if identity.code == code and me is not None and me.key and me.key == _key_in(folder):
                return True
            whose = f"site {identity.code}"
        else:
            whose = f"a site of another version of Haulage (schema {schema})"
    raise ConflictError(
        "database-taken",
        f"The database {database.where} belongs to {whose}; nothing was changed.",
        "Give the new site an empty database of its own.",
    )


def _key_in(folder: str) -> str:
    """The public key of the site whose home is being made there; empty if there is none yet."""
    try:
        return Keystore(os.path.join(folder, "keys")).load("site").public.text
    except HaulageError:
        return ""


def _password(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            word = file.read(_PASSWORD_BYTES).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as cause:
        raise UsageError("bad-password-file", f"The password file {path} cannot be read.", "Check its name and mode.") from cause
    if not word or not word.isprintable():
        raise UsageError("bad-password-file", f"The password file {path} holds no password.", "Write it there, on one line.")
    return word


REGISTERED = tables.TABLES
"""Importing this module has registered every table."""
