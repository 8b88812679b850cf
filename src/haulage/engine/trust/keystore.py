"""Where a site keeps what must stay secret: one folder for its owner alone, one file per name. Knows no meaning of any key."""

from __future__ import annotations

import os
import re
import stat

from haulage.base import files
from haulage.base.errors import ConflictError, FormatError, NotAllowedError, NotFoundError
from haulage.engine.trust.keys import SigningKey

SECRET_MAX_BYTES = 65_536

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


class Keystore:
    """Private keys and other secrets in ``folder``. Every read refuses a file or folder that others may read (B105)."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)

    def path(self, name: str) -> str:
        """The file of a name: for programs that want a path (a TLS server)."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a key name: {name!r}")
        return os.path.join(self.folder, f"{name}.pem")

    def has(self, name: str) -> bool:
        """Whether there is a secret of that name."""
        return os.path.lexists(self.path(name))

    def create(self, name: str) -> SigningKey:
        """Make and keep a new signing key. Raises ConflictError ``key-exists``: a key is never overwritten by accident."""
        key = SigningKey.generate()
        self.write(name, key.to_pem())
        return key

    def load(self, name: str) -> SigningKey:
        """A signing key. Raises NotFoundError ``key-missing``, NotAllowedError ``key-exposed``, FormatError ``bad-key``."""
        try:
            return SigningKey.from_pem(self.read(name))
        except FormatError as error:
            raise FormatError(error.code, f"The key file {self.path(name)} is damaged: {error.message}", error.hint) from None

    def write(self, name: str, secret: bytes, *, replace: bool = False) -> None:
        """Keep a secret durably, readable by the owner alone. Raises ConflictError ``key-exists`` unless ``replace``."""
        path = self.path(name)
        files.make_folder(self.folder, mode=0o700)
        _check_folder(self.folder)
        if not replace and os.path.lexists(path):
            raise ConflictError("key-exists", f"There is a key at {path} already.", "Move it away first, if it is not needed.")
        write_secret(path, secret)

    def read(self, name: str) -> bytes:
        """A secret. Raises NotFoundError ``key-missing``, NotAllowedError ``key-exposed``."""
        path = self.path(name)
        _check_folder(self.folder)
        return read_secret(path)

    def remove(self, name: str) -> bool:
        """Forget a secret, durably. Returns whether it was there."""
        return files.remove_durable(self.path(name))


def write_secret(path: str, secret: bytes) -> None:
    """Replace a file by a secret, durably, mode 0600."""
    files.write_durable(path, secret, mode=0o600)


def read_secret(path: str) -> bytes:
    """A secret from a file that nobody but its owner may read or write. Raises NotFoundError ``key-missing``, NotAllowedError
    ``key-exposed`` (B105), FormatError ``bad-key``."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFoundError("key-missing", f"There is no key file {path}.", "Restore it from a backup of the home.") from None
    except OSError as error:
        raise NotAllowedError("key-unreadable", f"The key file {path} cannot be opened: {error.strerror}.", _HINT) from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise NotAllowedError("key-unreadable", f"The key file {path} is not a plain file.", _HINT)
        if found.st_mode & 0o077:
            raise _exposed("key file", path, found.st_mode, "600")
        secret = os.read(fd, SECRET_MAX_BYTES + 1)
    finally:
        os.close(fd)
    if len(secret) > SECRET_MAX_BYTES:
        raise FormatError("bad-key", f"The key file {path} is larger than any key.", "Restore it from a backup of the home.")
    return secret


_HINT = "A key file is a plain file, owned by the user that runs Haulage."


def _check_folder(folder: str) -> None:
    try:
        found = os.stat(folder)
    except FileNotFoundError:
        return
    if found.st_mode & 0o077:
        raise _exposed("key folder", folder, found.st_mode, "700")


def _exposed(what: str, path: str, mode: int, wanted: str) -> NotAllowedError:
    return NotAllowedError(
        "key-exposed",
        f"The {what} {path} is open to others (mode {stat.S_IMODE(mode):04o}).",
        f"Run: chmod {wanted} {path}. If others could read it, replace the keys.",
    )
