"""What ``init`` and ``join`` share: taking a folder as a home that is being made, so that a kill at any moment leaves one that says
so. Knows nothing of hierarchies."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from dataclasses import dataclass

from haulage.base.errors import ConflictError, HaulageError, TransferError
from haulage.base.files import is_unfinished, make_folder, remove_durable, remove_tree, unlink, write_durable
from haulage.base.ids import SiteCode
from haulage.base.settings import DatabaseSettings, Settings, SiteSettings, parse_settings, settings_text
from haulage.engine.trust.tokens import new_token, write_token
from haulage.wiring.clearing import clear_home
from haulage.wiring.home import SETTINGS, UNFINISHED, Home, HomeLock, split_address, url_of
from haulage.wiring.places import check_home, check_not_shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a new home is to become."""

    action: str
    """``init`` or ``join``."""
    code: SiteCode
    name: str
    listen: str
    url: str
    subject: str = ""
    """What else must be the same for going on: the digest of the join string."""
    database: str = ""
    """The URL of its database, perhaps with a password; empty for a file in the home."""


class NewHome:
    """A folder on its way to be a home."""

    def __init__(self, home: Home, lock: HomeLock, plan: Plan, *, resumed: bool) -> None:
        self.home = home
        self.plan = plan
        self.resumed = resumed
        self._lock = lock

    def finish(self) -> Home:
        """Write settings and token, and let the home be one."""
        plan, home = self.plan, self.home
        write_token(home.token_path, new_token())
        sections = {"site": {"code": plan.code, "name": plan.name, "listen": plan.listen, "url": plan.url}}
        if plan.database:
            sections["database"] = {"url": plan.database}
        text = settings_text(sections).encode()
        parse_settings(text)
        # The owner alone: the URL of a database may hold a password.
        write_durable(home.file(SETTINGS), text, mode=0o600)
        remove_durable(home.file(UNFINISHED))
        return home

    def release(self) -> None:
        """Let another process have the folder."""
        self._lock.release()


def begin(path: str, plan: Plan, *, go_on: bool = False) -> NewHome:
    """Take a folder. One that another ``init`` or ``join`` left unfinished is started over, or gone on with if it was the same
    ``join``, or if ``go_on`` says that only its last step is missing. Raises ConflictError ``home-exists`` (Q269405),
    ``folder-not-empty``, ``other-unfinished`` before anything is changed."""
    real = check_home(path)
    names = set(os.listdir(real)) if os.path.isdir(real) else set()
    # Killed before it could even say that it had begun.
    names -= {name for name in names if is_unfinished(name) and name.startswith(f".{UNFINISHED}.")}
    if SETTINGS in names and UNFINISHED not in names:
        raise ConflictError(
            "home-exists", f"{real} is the home of {_who(real)} already; nothing was changed.", "Give the new site its own folder."
        )
    if names and UNFINISHED not in names:
        raise ConflictError(
            "folder-not-empty",
            f"{real} holds other things ({min(names)!r}); nothing was changed.",
            "Give the home an empty folder.",
        )
    before = _plan_of(real) if UNFINISHED in names else None
    if before is not None and before.action == "join" and (plan.action, plan.code) != ("join", before.code):
        raise ConflictError(
            "other-unfinished",
            f"{real} is on its way to join as site {before.code}; nothing was changed.",
            "Run that `haulage join` again, or remove the folder.",
        )
    make_folder(real)
    check_not_shared(real, plan.database or "sqlite:")
    home = Home(path=real, settings=_settings(plan))
    if not names:
        write_durable(home.file(UNFINISHED), json.dumps(_facts(plan)).encode(), mode=0o600)
    lock = HomeLock(home)
    clear_home(home)
    same_join = before is not None and plan.action == "join" and before.subject == plan.subject
    resumed = same_join or (go_on and before is not None)
    if names and not resumed:
        _start_over(real)
        write_durable(home.file(UNFINISHED), json.dumps(_facts(plan)).encode(), mode=0o600)
    if resumed and before is not None:
        # What was claimed under an address stays under it: the claim is signed and may have been taken.
        plan = dataclasses.replace(before, database=plan.database)
        home = Home(path=real, settings=_settings(plan))
    return NewHome(home, lock, plan, resumed=resumed)


def choose_address(listen: str, url: str | None) -> tuple[str, str]:
    """Address and URL to write down; port 0 becomes a free port now, because the URL is signed. Raises TransferError
    ``address-unusable``."""
    host, port = split_address(listen)
    if port == 0:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((host, 0))
                port = probe.getsockname()[1]
        except OSError as cause:
            raise TransferError(
                "address-unusable", f"This machine cannot listen at {listen}: {cause.strerror}.", "Choose another --listen."
            ) from None
    chosen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if url:
        return chosen, url.rstrip("/")
    if host in ("0.0.0.0", "::"):  # noqa: S104  (an address to compare with, not to bind)
        return chosen, f"https://{socket.getfqdn()}:{port}"
    return chosen, url_of(chosen)


def _settings(plan: Plan) -> Settings:
    return Settings(
        site=SiteSettings(code=plan.code, name=plan.name, listen=plan.listen, url=plan.url),
        database=DatabaseSettings(url=plan.database),
    )


def _facts(plan: Plan) -> dict[str, str]:
    return {
        "action": plan.action,
        "code": plan.code,
        "name": plan.name,
        "listen": plan.listen,
        "url": plan.url,
        "subject": plan.subject,
    }


def _plan_of(folder: str) -> Plan | None:
    """What an unfinished home was to become; None if that cannot be read (then it is started over)."""
    try:
        with open(os.path.join(folder, UNFINISHED), "rb") as file:
            facts = json.loads(file.read(65_536))
        return Plan(**{name: str(facts[name]) for name in ("action", "code", "name", "listen", "url", "subject")})  # type: ignore[arg-type]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _start_over(folder: str) -> None:
    """Remove what an unfinished attempt made. Nobody else has ever heard of it."""
    for name in os.listdir(folder):
        if name == UNFINISHED:
            continue
        path = os.path.join(folder, name)
        if name == "run":
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            remove_tree(path)
        else:
            unlink(path)


def _who(folder: str) -> str:
    try:
        with open(os.path.join(folder, SETTINGS), "rb") as file:
            return f"site {parse_settings(file.read(1 << 20)).site.code}"
    except (OSError, HaulageError):
        return "a site"
