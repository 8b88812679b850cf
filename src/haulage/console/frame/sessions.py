"""Who is signed in: sessions in the site's tables, so that they outlive a restart of the server; only digests of their secrets are
kept. A session counts as long as its user may sign in, with the role the user has now. Must not know HTTP or cookies."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.domain.people import records
from haulage.domain.people.model import LOCAL, Caller, SessionRecord
from haulage.domain.people.roles import Role
from haulage.engine.database.transaction import Database, Transaction

IDLE = dt.timedelta(hours=12)
"""A session nobody uses for so long ends."""
LIFE = dt.timedelta(days=7)
"""And so does any, after so long."""
ROTATE = dt.timedelta(minutes=30)
"""After so long the secret in the browser is replaced by a new one, and its use written down."""
GRACE = dt.timedelta(minutes=1)
"""So long the old secret still counts: a browser asks for several things at once."""
MOST_OF_ONE = 50
"""Sessions of one user; beyond that the one not used for longest ends."""
BROWSER_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that signed in."""

    id: str
    caller: Caller
    """Who."""
    token: str
    """What every form of this session must bring back."""

    @property
    def actor(self) -> str:
        """The user, for the audit messages of what is done."""
        return self.caller.name

    @property
    def role(self) -> Role:
        """What the user may do."""
        return self.caller.role


class Sessions:
    """All sessions of one server. Any thread may use it; never the event loop, for it reads the database.

    ``local_proof`` is the digest of the home's token: what that began ends when there is another one."""

    def __init__(self, clock: Clock, database: Database, local_proof: str) -> None:
        self._clock = clock
        self._database = database
        self._local_proof = local_proof

    def begin(self, caller: Caller, *, address: str = "", browser: str = "") -> str:
        """A new session; returns its secret, which is told once."""
        now, secret = self._clock.now(), _new_secret()
        record = SessionRecord(
            digest=_name(secret),
            session=secrets.token_hex(8),
            user=caller.name,
            proof=self._local_proof if caller.local else "",
            token=secrets.token_urlsafe(24),
            address=address,
            browser=browser.replace("\0", "")[:BROWSER_CHARACTERS],
            began=now,
            seen=now,
            issued=now,
        )
        with self._database.writing() as tx:
            records.remove_old_sessions(tx, now=now, seen_by=now - IDLE, began_by=now - LIFE)
            there = sorted(records.list_sessions(tx, caller.name), key=lambda one: one.seen)
            for idle in there[: max(0, len(there) - MOST_OF_ONE + 1)]:
                records.remove_session(tx, idle.session)
            records.put_session(tx, record)
        return secret

    def find(self, secret: str) -> tuple[Session, str] | None:
        """The session of a secret, and the secret to use from now on: another one now and then. None if there is none."""
        now = self._clock.now()
        with self._database.reading() as tx:
            found = self._held(tx, secret, now)
        if found is None:
            return None
        record, session = found
        if record.until is not None or now - record.issued < ROTATE:
            return session, secret
        # A database that is busy, or full, does not keep anybody from reading: the secret is replaced next time.
        with contextlib.suppress(HaulageError):
            return session, self._replaced(secret, now)
        return session, secret

    def peek(self, secret: str) -> Session | None:
        """The session of a secret, without counting as use of it."""
        with self._database.reading() as tx:
            found = self._held(tx, secret, self._clock.now())
        return None if found is None else found[1]

    def end(self, session: Session) -> None:
        """Sign out: every secret of the session goes, replaced ones too."""
        with self._database.writing() as tx:
            records.remove_session(tx, session.id)

    def _held(self, tx: Transaction, secret: str, now: dt.datetime) -> tuple[SessionRecord, Session] | None:
        record = records.find_session(tx, _name(secret))
        if record is None or _is_over(record, now):
            return None
        caller = self._caller(tx, record)
        return None if caller is None else (record, Session(id=record.session, caller=caller, token=record.token))

    def _caller(self, tx: Transaction, record: SessionRecord) -> Caller | None:
        if record.proof:
            return LOCAL if hmac.compare_digest(record.proof, self._local_proof) else None
        user = records.find_user(tx, record.user)
        return None if user is None or user.disabled else Caller(name=user.name, role=user.role)

    def _replaced(self, secret: str, now: dt.datetime) -> str:
        fresh = _new_secret()
        with self._database.writing() as tx:
            record = records.find_session(tx, _name(secret))
            if record is None or record.until is not None:
                return secret  # another request of the same browser came first
            records.put_session(tx, dataclasses.replace(record, until=now + GRACE))
            records.put_session(tx, dataclasses.replace(record, digest=_name(fresh), issued=now, seen=now))
        return fresh


def same_token(session: Session, given: str) -> bool:
    """Whether a form brought back this session's token; takes the same time for any wrong one."""
    return hmac.compare_digest(session.token.encode(), given.encode("utf-8", "surrogatepass"))


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _name(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _is_over(record: SessionRecord, now: dt.datetime) -> bool:
    over = record.until is not None and now >= record.until
    return over or now - record.seen >= IDLE or now - record.began >= LIFE
