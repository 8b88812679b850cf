"""Backups in a target folder: one is written beside and gets its name when it is whole and durable; old ones of the same site go.
Nothing in a target is ever removed that was not made here (Q256586). Knows no home and no database."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import ConflictError, HaulageError, IntegrityError, NotAllowedError, NotFoundError, TransferError
from haulage.base.files import make_folder, make_one, remove_tree, rename, sync_folder, sync_path, write_durable
from haulage.base.ids import SiteCode
from haulage.engine.backup.listing import LIST, LIST_MAX_BYTES, BackupFile, BackupList, read_list
from haulage.engine.trust.keys import PublicKey

_PIECE = 1 << 20
_NAME = re.compile(r"haulage-([A-Z0-9]{3})-[0-9]{8}T[0-9]{6}Z(?:-[0-9]{1,4})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A backup that lies in a target."""

    path: str
    listed: BackupList


class BackupWriter:
    """One backup on its way. A context manager: what was not finished is removed."""

    def __init__(self, target: str, code: SiteCode, key: PublicKey, taken: dt.datetime) -> None:
        """Raises TransferError ``backup-unwritable``."""
        self._target = target
        self._name = _free_name(target, code, taken)
        self.folder = os.path.join(target, f".{self._name}.{key.id[:16]}.making")
        with trouble(target):
            make_folder(target, mode=0o700)
            make_one(self.folder, 0o700)

    def __enter__(self) -> BackupWriter:
        return self

    def __exit__(self, *_how: object) -> None:
        if os.path.lexists(self.folder):
            with contextlib.suppress(OSError):
                remove_tree(self.folder)

    def path(self, name: str) -> str:
        """Where a file of the backup is to be written; its folder is there."""
        path = os.path.join(self.folder, name)
        with trouble(path):
            make_folder(os.path.dirname(path), mode=0o700)
        return path

    def add(self, name: str, data: bytes) -> None:
        """Write a file, for its owner alone."""
        path = self.path(name)
        with trouble(path):
            write_durable(path, data, mode=0o600)

    def require_private(self, name: str) -> None:
        """The place keeps from others what is for the owner alone. Raises NotAllowedError ``target-open``."""
        for path in (self.folder, self.path(name)):
            if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
                raise NotAllowedError(
                    "target-open",
                    f"{self._target} shows files to others whatever they are told: private keys must not lie there in clear.",
                    "Give a passphrase (--passphrase-file), or choose a file system that knows owners.",
                )

    def finish(self, sign: Callable[[tuple[BackupFile, ...]], bytes]) -> str:
        """Make everything durable, write the signed list, and give the backup its name; returns its path."""
        with trouble(self.folder):
            files = tuple(_described(self.folder, name) for name in _names_below(self.folder))
            for file in files:
                path = os.path.join(self.folder, file.path)
                os.chmod(path, 0o600)
                sync_path(path)
            write_durable(os.path.join(self.folder, LIST), sign(files), mode=0o600)
            for folder, _folders, _files in os.walk(self.folder, topdown=False):
                os.chmod(folder, 0o700)
                sync_folder(folder)
            final = os.path.join(self._target, self._name)
            rename(self.folder, final)
            sync_folder(self._target)
        return final


def find_backups(target: str) -> Iterator[Found]:
    """The backups in a target that can be read, whosever they are, oldest first."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(target):
            path = os.path.join(target, name)
            if _NAME.fullmatch(name) and os.path.isdir(path) and not os.path.islink(path):
                with contextlib.suppress(HaulageError):
                    found.append(Found(path=path, listed=open_backup(path)))
    yield from sorted(found, key=lambda one: (one.listed.moment, one.path))


def open_backup(path: str) -> BackupList:
    """The list of a backup. Raises NotFoundError ``no-backup``; FormatError, IntegrityError for one that was not written so."""
    try:
        with trouble(path), _opened(os.path.join(path, LIST)) as file:
            data = _all(file, LIST_MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(
            "no-backup", f"{path} is not a backup of Haulage: it has no {LIST}.", "Name the folder haulage-CODE-TIME itself."
        ) from None
    return read_list(data)


def check_files(path: str, listed: BackupList) -> None:
    """Read every file of a backup. Raises IntegrityError ``backup-damaged`` naming the first that is not what was written."""
    for file in listed.files:
        try:
            found = _described(path, file.path)
        except OSError as error:
            raise _damaged(path, f"{file.path} cannot be read: {error.strerror}") from None
        if found != file:
            raise _damaged(path, f"{file.path} is not what was written")


def rotate(target: str, code: SiteCode, keys: Sequence[PublicKey], keep: int) -> list[str]:
    """Remove this site's backups beyond the ``keep`` newest; returns the paths of those that went. Only files named in a list that
    one of ``keys`` signed are touched."""
    texts = {key.text for key in keys}
    own = [one for one in find_backups(target) if one.listed.site == code and one.listed.key in texts]
    gone = own[: max(0, len(own) - keep)]
    for one in gone:
        _remove(one, PublicKey.parse(one.listed.key))
    for key in keys:
        remove_unfinished(target, code, key)
    return [one.path for one in gone]


def _remove(one: Found, key: PublicKey) -> None:
    """Out of sight in one rename, under the name of one on its way: what a kill leaves of it is known for what it is."""
    foreign = set(_names_below(one.path)) - {LIST, *(file.path for file in one.listed.files)}
    if foreign:
        raise ConflictError(
            "backup-mixed",
            f"{one.path} holds {min(foreign)}, which is not of the backup; nothing of it was removed.",
            "Move that elsewhere.",
        )
    target, name = os.path.split(one.path)
    aside = os.path.join(target, f".{name}.{key.id[:16]}.making")
    with trouble(one.path):
        rename(one.path, aside)
        sync_folder(target)
        remove_tree(aside)


def remove_unfinished(target: str, code: SiteCode, key: PublicKey) -> None:
    """Remove what killed backups of this site left in a target. No other one may be under way."""
    made = re.compile(rf"\.haulage-{code}-[0-9TZ-]+\.{key.id[:16]}\.making")
    for name in os.listdir(target) if os.path.isdir(target) else ():
        if made.fullmatch(name):
            with trouble(target):
                remove_tree(os.path.join(target, name))


def _free_name(target: str, code: SiteCode, taken: dt.datetime) -> str:
    name = f"haulage-{code}-{taken:%Y%m%dT%H%M%SZ}"
    taken_names = set(os.listdir(target)) if os.path.isdir(target) else set()
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if one not in taken_names)


def _names_below(folder: str) -> list[str]:
    found = []
    for path, _folders, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(path, name), folder) for name in names]
    return sorted(found)


def _described(folder: str, name: str) -> BackupFile:
    state, size = hashlib.sha256(), 0
    with _opened(os.path.join(folder, name)) as file:
        while piece := os.read(file, _PIECE):
            state.update(piece)
            size += len(piece)
    return BackupFile(path=name, size=size, sha256=state.hexdigest())


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise _damaged(path, "it is not a plain file")
        yield fd
    finally:
        os.close(fd)


def _all(fd: int, most: int) -> bytes:
    pieces, left = [], most
    while left > 0 and (piece := os.read(fd, min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


@contextlib.contextmanager
def trouble(path: str) -> Iterator[None]:
    """A system error becomes one that names the place; a file that is not there stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else path
        raise TransferError(
            "backup-unwritable", f"{where}: {error.strerror or error}", "Look at the place the backup is to lie at."
        ) from error


def _damaged(path: str, cause: str) -> IntegrityError:
    return IntegrityError("backup-damaged", f"The backup {path} is damaged: {cause}.", "Use another one; this one proves nothing.")
