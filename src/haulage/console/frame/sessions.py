"""Who is signed in: sessions kept in memory, so that a restart of the server signs everybody out. Must not know HTTP or cookies."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role

IDLE = dt.timedelta(hours=12)
"""A session nobody uses for so long ends."""
LIFE = dt.timedelta(days=7)
"""And so does any, after so long."""
ROTATE = dt.timedelta(hours=1)
"""After so long the secret in the browser is replaced by a new one."""
GRACE = dt.timedelta(minutes=1)
"""So long the old secret still counts: a browser asks for several things at once."""
MOST_SESSIONS = 1000
"""Beyond that the one not used for longest ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that signed in."""

    caller: Caller
    """Who."""
    token: str
    """What every form of this session must bring back."""
    began: dt.datetime
    seen: dt.datetime
    issued: dt.datetime
    """When the secret in use was made."""
    until: dt.datetime | None = None
    """Set on a secret that was replaced: the end of its grace."""

    @property
    def actor(self) -> str:
        """The user, for the audit messages of what is done."""
        return self.caller.name

    @property
    def role(self) -> Role:
        """What the user may do."""
        return self.caller.role


class Sessions:
    """All sessions of one server. Any thread may use it; only digests of the secrets are held."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, Session] = {}

    def begin(self, caller: Caller) -> str:
        """A new session; returns its secret, which is told once."""
        now = self._clock.now()
        session = Session(caller=caller, token=secrets.token_urlsafe(24), began=now, seen=now, issued=now)
        with self._lock:
            self._forget_old(now)
            while len(self._held) >= MOST_SESSIONS:
                del self._held[min(self._held, key=lambda one: self._held[one].seen)]
            return self._keep(session)

    def find(self, secret: str) -> tuple[Session, str] | None:
        """The session of a secret, and the secret to use from now on: another one now and then. None if there is none."""
        name, now = _name(secret), self._clock.now()
        with self._lock:
            session = self._held.get(name)
            if session is None or _is_over(session, now):
                self._held.pop(name, None)
                return None
            seen = _changed(session, seen=now)
            self._held[name] = seen
            if session.until is not None or now - session.issued < ROTATE:
                return seen, secret
            self._held[name] = _changed(seen, until=now + GRACE)
            fresh = _changed(seen, issued=now)
            return fresh, self._keep(fresh)

    def peek(self, secret: str) -> Session | None:
        """The session of a secret, without counting as use of it."""
        with self._lock:
            session = self._held.get(_name(secret))
            return None if session is None or _is_over(session, self._clock.now()) else session

    def end(self, session: Session) -> None:
        """Sign out: every secret of the session goes, replaced ones too."""
        with self._lock:
            self._held = {name: one for name, one in self._held.items() if one.token != session.token}

    def _keep(self, session: Session) -> str:
        secret = secrets.token_urlsafe(32)
        self._held[_name(secret)] = session
        return secret

    def _forget_old(self, now: dt.datetime) -> None:
        self._held = {name: one for name, one in self._held.items() if not _is_over(one, now)}


def same_token(session: Session, given: str) -> bool:
    """Whether a form brought back this session's token; takes the same time for any wrong one."""
    return hmac.compare_digest(session.token.encode(), given.encode("utf-8", "surrogatepass"))


def _name(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _is_over(session: Session, now: dt.datetime) -> bool:
    over = session.until is not None and now >= session.until
    return over or now - session.seen >= IDLE or now - session.began >= LIFE


def _changed(
    session: Session, *, seen: dt.datetime | None = None, issued: dt.datetime | None = None, until: dt.datetime | None = None
) -> Session:
    return Session(
        caller=session.caller,
        token=session.token,
        began=session.began,
        seen=seen or session.seen,
        issued=issued or session.issued,
        until=until or session.until,
    )
