"""Proving a backup: every byte is what was written, the keys are those of the site that signed it, and its database can be
restored. Works on copies and changes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from base64 import b64decode
from collections.abc import Iterator

from haulage.base import files
from haulage.base.errors import FormatError, IntegrityError, NotAllowedError
from haulage.domain.estate import records as estate
from haulage.engine.backup.folder import check_files, find_backups, open_backup, trouble
from haulage.engine.backup.listing import CONTENT, DATABASE, SEALED, SECRETS, BackupList
from haulage.engine.backup.sealing import unseal
from haulage.engine.content.store import LocalStore
from haulage.engine.database.snapshot import count_rows, prove
from haulage.engine.database.transaction import open_database
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.keystore import SECRET_MAX_BYTES
from haulage.wiring import tables

View = dict[str, object]

_SETTINGS_MAX_BYTES = 1 << 20
_SEALED_MAX_BYTES = 4 << 20
_SITE_KEY = "keys/site.pem"


def check_backup(path: str, *, passphrase: str = "") -> View:
    """Look at a backup whole; returns its figures. Without the passphrase of a sealed one its keys are not looked at, and that is
    said. Raises NotFoundError ``no-backup``, IntegrityError ``backup-damaged``, NotAllowedError ``wrong-passphrase``."""
    listed = open_backup(path)
    check_files(path, listed)
    proved_keys = not listed.sealed or bool(passphrase)
    if proved_keys:
        read_secrets(path, listed, passphrase)
    with restored_copy(path, listed) as copy:
        rows = sum(count_rows(copy).values())
    if listed.content:
        _check_content(os.path.join(path, CONTENT))
    return {
        "id": os.path.basename(path),
        "path": path,
        "site": listed.site,
        "taken": listed.taken,
        "program": listed.program,
        "epoch": listed.epoch,
        "files": len(listed.files),
        "bytes": listed.size_bytes,
        "rows": rows,
        "packages": listed.counts.get("packages", 0),
        "versions": listed.counts.get("versions", 0),
        "sites": listed.counts.get("sites", 0),
        "sealed": listed.sealed,
        "keys_proved": proved_keys,
        "content": listed.content,
    }


def list_backups(target: str) -> list[View]:
    """The backups in a folder that can be read, oldest first; their files are not looked at."""
    return [
        {
            "id": os.path.basename(found.path),
            "path": found.path,
            "site": found.listed.site,
            "taken": found.listed.taken,
            "files": len(found.listed.files),
            "bytes": found.listed.size_bytes,
            "packages": found.listed.counts.get("packages", 0),
            "versions": found.listed.counts.get("versions", 0),
            "sealed": found.listed.sealed,
            "content": found.listed.content,
        }
        for found in find_backups(target)
    ]


@contextlib.contextmanager
def restored_copy(path: str, listed: BackupList) -> Iterator[str]:
    """The database of a backup, restored into a private place, brought to this version's tables and proved to be of that site."""
    assert tables.TABLES
    folder = tempfile.mkdtemp(prefix="haulage-backup-")
    try:
        copy = os.path.join(folder, DATABASE)
        with trouble(folder):
            files.copy(os.path.join(path, DATABASE), copy)
        before = {name.replace("_", "-"): count for name, count in count_rows(copy).items()}
        prove(copy)
        database = open_database(f"sqlite:///{copy}")
        try:
            with database.reading() as tx:
                identity = estate.read_identity(tx)
        finally:
            database.close()
        if identity is None or identity.code != listed.site or identity.epoch != listed.epoch or before != listed.counts:
            raise _damaged(path, f"its database is not the one of site {listed.site} at {listed.taken}")
        yield copy
    finally:
        with contextlib.suppress(OSError):
            files.remove_tree(folder)


def read_secrets(path: str, listed: BackupList, passphrase: str) -> dict[str, bytes]:
    """Settings and keys by their path in a home, proved to be of the site that signed the list. Raises NotAllowedError
    ``wrong-passphrase``, ``passphrase-needed``; IntegrityError ``backup-damaged``."""
    if listed.sealed and not passphrase:
        raise NotAllowedError(
            "passphrase-needed", f"The keys in {path} are under a passphrase.", "--passphrase-file FILE, or HAULAGE_PASSPHRASE."
        )
    if listed.sealed:
        secrets = _unsealed(_read(os.path.join(path, SEALED), _SEALED_MAX_BYTES), passphrase)
    else:
        secrets = {
            file.path.removeprefix(f"{SECRETS}/"): _read(os.path.join(path, file.path), _SETTINGS_MAX_BYTES)
            for file in listed.files
            if file.path.startswith(f"{SECRETS}/")
        }
    for name, data in secrets.items():
        plain = name.removeprefix("keys/")
        if "/" in plain or plain.startswith(".") or (name.startswith("keys/") and len(data) > SECRET_MAX_BYTES):
            raise _damaged(path, f"it holds {name!r} where a key should be")
    key = secrets.get(_SITE_KEY)
    if key is None or SigningKey.from_pem(key).public.text != listed.key:
        raise _damaged(path, "it was not signed by the key in it")
    return secrets


def _unsealed(sealed: bytes, passphrase: str) -> dict[str, bytes]:
    try:
        table = json.loads(unseal(sealed, passphrase))
        return {str(name): b64decode(data, validate=True) for name, data in table.items()}
    except (ValueError, AttributeError, TypeError):
        raise FormatError(
            "bad-sealed", "The sealed secrets of the backup are not what Haulage writes.", "Use another one."
        ) from None


def _check_content(folder: str) -> None:
    with contextlib.closing(LocalStore(folder, read_only=True)) as store:
        report = store.check()
    if report.damages:
        raise _damaged(folder, f"{report.damages[0].where}: {report.damages[0].cause}")


def _read(path: str, most: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise _damaged(path, "it is larger than it can be")
    return data


def _damaged(path: str, cause: str) -> IntegrityError:
    return IntegrityError("backup-damaged", f"The backup {path} is damaged: {cause}.", "Use another one; this one proves nothing.")
