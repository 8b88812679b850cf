"""The home directory of a site: what lies where in it, and refusing one that is wrong. Opens no database and starts nothing."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from haulage.base.clock import Clock
from haulage.base.errors import ConflictError, IntegrityError, NotFoundError, TransferError, UsageError
from haulage.base.files import make_folder
from haulage.base.ids import SiteCode, site_code
from haulage.base.settings import Settings, load_settings
from haulage.engine.database.connection import file_of
from haulage.engine.trust.keystore import Keystore
from haulage.engine.trust.root import ROOT_MAX_BYTES, TrustedRoot, load_root
from haulage.engine.trust.tokens import read_token
from haulage.wiring.places import check_home, check_not_shared, check_store

SETTINGS = "haulage.toml"
UNFINISHED = ".haulage-unfinished"
"""Lies in a home while ``init`` or ``join`` is at work; removed as its last step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home and its settings."""

    path: str
    settings: Settings

    def file(self, *names: str) -> str:
        """A path in the home."""
        return os.path.join(self.path, *names)

    @property
    def code(self) -> SiteCode:
        """The site it is the home of."""
        return site_code(self.settings.site.code)

    @property
    def keys(self) -> Keystore:
        """Private keys."""
        return Keystore(self.file("keys"))

    @property
    def token_path(self) -> str:
        """The local administrator's token."""
        return self.file("keys", "admin.token")

    @property
    def token(self) -> str:
        """The local administrator's token. Raises like :func:`read_token`."""
        return read_token(self.token_path)

    @property
    def content(self) -> str:
        """The folder of the chunk store."""
        return self.settings.content.path or self.file("content")

    @property
    def database_url(self) -> str:
        """Where the site's tables are."""
        return self.settings.database.url or "sqlite:///" + self.file("site.db")

    @property
    def listen(self) -> tuple[str, int]:
        """Address and port to listen at."""
        return split_address(self.settings.site.listen)

    @property
    def url(self) -> str:
        """What others use to reach this site."""
        return (self.settings.site.url or url_of(self.settings.site.listen)).rstrip("/")

    def root_document(self) -> tuple[bytes, str]:
        """The root of trust and the digest it was pinned by."""
        try:
            with open(self.file("trust", "root.json"), "rb") as file:
                document = file.read(ROOT_MAX_BYTES + 1)
            with open(self.file("trust", "root.sha256"), encoding="ascii") as file:
                return document, file.read(65).strip()
        except (OSError, UnicodeDecodeError) as cause:
            raise IntegrityError(
                "root-unreadable", f"The root of trust in {self.file('trust')} cannot be read.", "Restore it from a backup."
            ) from cause

    def root(self, clock: Clock) -> TrustedRoot:
        """The root of trust, checked. Raises like :func:`load_root`."""
        document, pinned = self.root_document()
        return load_root(document, pinned_sha256=pinned, now=clock.now())


def load_home(path: str) -> Home:
    """A finished home. Raises NotFoundError ``no-home``; ConflictError ``home-unfinished``, ``database-on-share``; UsageError
    ``bad-home``, ``bad-settings``, ``bad-store``; NotAllowedError ``key-exposed``."""
    real = check_home(path)
    if os.path.lexists(os.path.join(real, UNFINISHED)):
        raise ConflictError(
            "home-unfinished",
            f"Making the home {real} was not finished.",
            "Run the same `haulage init`, `join` or `restore` again: it goes on from there, or starts over.",
        )
    if not os.path.isfile(os.path.join(real, SETTINGS)):
        raise NotFoundError("no-home", f"{real} is not the home of a site.", "haulage init, or haulage join, makes one.")
    home = Home(path=real, settings=load_settings(os.path.join(real, SETTINGS)))
    if not home.settings.site.code:
        raise UsageError("bad-settings", f"{home.file(SETTINGS)} does not say [site] code.", "Restore it from a backup.")
    check_store(home.content)
    check_not_shared(os.path.dirname(file_of(home.database_url) or real), home.database_url)
    for name in sorted({"site", "tls"} | {name.removesuffix(".pem") for name in _key_files(home)}):
        home.keys.read(name)
    return home


def _key_files(home: Home) -> list[str]:
    try:
        return [name for name in os.listdir(home.keys.folder) if name.endswith(".pem")]
    except FileNotFoundError:
        return []


class HomeLock:
    """While it is held no other server can use the home. Released by the kernel when the process ends, however it ends."""

    def __init__(self, home: Home) -> None:
        make_folder(home.file("run"))
        self._fd = os.open(home.file("run", "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise ConflictError(
                "server-running", f"A server is using the home {home.path} already.", "One home has one server; stop the other."
            ) from None
        except OSError as cause:
            os.close(self._fd)
            raise TransferError(
                "home-unlockable", f"{home.path} cannot be locked: {cause.strerror}.", "Use a local disk."
            ) from None

    def release(self) -> None:
        """Give it up; safe to repeat."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def split_address(listen: str) -> tuple[str, int]:
    """``HOST:PORT`` in its parts; an IPv6 address without its brackets. Raises UsageError ``bad-listen``."""
    parts = urlsplit("//" + listen)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or "@" in listen or "/" in listen:
        raise UsageError("bad-listen", f"{listen!r} is not an address to listen at.", "Write HOST:PORT, such as 127.0.0.1:8440.")
    return host, port


def url_of(listen: str) -> str:
    """The URL under which a server that listens there is reached from this machine."""
    host, port = split_address(listen)
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (an address to compare with, not to bind)
    return f"https://[{local}]:{port}" if ":" in local else f"https://{local}:{port}"
