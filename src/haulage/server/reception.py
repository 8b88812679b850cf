"""Who it is that asks: a name and a password, or a token, become a caller; who guesses waits longer each time, and is told of.
The token in the home opens always. Knows no HTTP."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import threading
from collections import Counter

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, NotAllowedError
from haulage.domain.people import records
from haulage.domain.people.model import LOCAL, TOKEN_OF_SITE, Caller, Token, User
from haulage.domain.people.names import PASSWORD_MAX, sought_name
from haulage.domain.people.roles import Role
from haulage.domain.people.tries import OF_A_USER, OF_AN_ADDRESS, Tries, address_key
from haulage.engine.database.transaction import Database
from haulage.engine.status import on_people
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import FieldValue, Message
from haulage.engine.trust.password_hashes import Hasher
from haulage.engine.trust.tokens import token_digest, token_matches
from haulage.server.budget import Budget

USED_TO = dt.timedelta(hours=1)
"""A token's last use is written down again after so long: not each request writes."""
TOLD_AN_HOUR = 60
"""So many refusals are told one by one; strangers cause them, and each goes up the hierarchy."""
GUESSED_FROM = 10
"""So many wrong in a row are told as a warning, and then each time there are twice as many."""
_UNKNOWN = "an unknown name"


class Reception:
    """Of one running site. Any thread may use it; never the event loop, for it hashes and reads the database."""

    def __init__(self, database: Database, journal: Journal, clock: Clock, hasher: Hasher, local_digest: str) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._hasher = hasher
        self._local_digest = local_digest
        self._users = Tries(OF_A_USER)
        self._addresses = Tries(OF_AN_ADDRESS)
        self._told = {message.number: Budget(most=TOLD_AN_HOUR, seconds=3600) for message in _BOUNDED}
        self._untold: Counter[int] = Counter()
        self._lock = threading.Lock()

    @property
    def local_proof(self) -> str:
        """The digest of the home's token: a session it began ends when there is another one."""
        return self._local_digest

    def has_users(self) -> bool:
        """Whether anybody can come by a name."""
        with self._database.reading() as tx:
            return records.count_users(tx) > 0

    def is_local(self, token: str) -> bool:
        """Whether it is the token of the home. Takes no time to speak of, and knows no wait: nobody guesses it."""
        return token_matches(token, self._local_digest)

    def caller_of(self, token: str) -> Caller | None:
        """Whose token it is, with no more rights than its user has now; None for one that counts nothing (any more)."""
        if self.is_local(token):
            return LOCAL
        digest, now = token_digest(token), self._clock.now()
        with self._database.reading() as tx:
            found = records.token_of_digest(tx, digest)
            owner = records.find_user(tx, found.owner) if found is not None and found.owner else None
        if found is None or now >= found.expires or (found.owner and (owner is None or owner.disabled)):
            return None
        self._note_used(found, now)
        role = found.role if owner is None else min(found.role, owner.role)
        return Caller(name=found.owner or f"{TOKEN_OF_SITE}{found.name}", role=role, token=found.id)

    def sign_in(self, name: str, password: str, address: str) -> Caller:
        """Raises NotAllowedError ``sign-in-wrong``, which does not say what was, ``too-many-tries``; TransferError
        ``too-many-requests``."""
        user = self.check(name, password, address)
        now = self._clock.now()
        with self._database.writing() as tx:
            fresh = records.find_user(tx, user.name)
            if fresh is None or fresh.disabled or fresh.password_hash != user.password_hash:
                raise _wrong()
            records.put_user(tx, dataclasses.replace(fresh, password_hash=self._renewed(user, password), signed_in=now))
            self._journal.record(tx, on_people.SIGNED_IN, actor=user.name, address=address)
        return Caller(name=fresh.name, role=fresh.role)

    def sign_in_local(self, token: str, address: str) -> Caller | None:
        """The local administrator comes by the console; None if it is not."""
        if not self.is_local(token):
            return None
        with self._database.writing() as tx:
            self._journal.record(tx, on_people.SIGNED_IN, actor=LOCAL.name, address=address)
        return LOCAL

    def check(self, name: str, password: str, address: str) -> User:
        """Whether it is the password of a user who may sign in. For a name nobody has a hash is computed, too, so that the time
        tells nothing. Raises like :meth:`sign_in`."""
        key, where, now = sought_name(name), address_key(address), self._clock.monotonic()
        wait = max(self._users.wait_seconds(key, now), self._addresses.wait_seconds(where, now) if where else 0.0)
        if wait > 0:
            raise _wait(wait)
        wrong = max(self._users.begin(key, now), self._addresses.begin(where, now) if where else 0)
        with self._database.reading() as tx:
            user = records.find_user(tx, key) if key else None
        try:
            right = self._hasher.matches(user.password_hash if user is not None else "", password[:PASSWORD_MAX])
        except HaulageError:
            self._users.undo(key)
            self._addresses.undo(where)
            raise
        if not right or user is None or user.disabled or len(password) > PASSWORD_MAX:
            self._tell_wrong(user.name if user is not None else _UNKNOWN, address, wrong)
            raise _wrong()
        self._users.right(key)
        self._addresses.undo(where)
        return user

    def tell_refused(self, caller: Caller, needed: Role, what: str) -> None:
        """Somebody asked for what its role does not allow."""
        self._tell(on_people.PERMISSION_DENIED, actor=caller.name, role=caller.role.value, needed=needed.value, what=what[:200])

    def _renewed(self, user: User, password: str) -> str:
        """The password is known now: if its hash was made at another cost, it is made anew."""
        return self._hasher.make(password) if self._hasher.is_outdated(user.password_hash) else user.password_hash

    def _note_used(self, token: Token, now: dt.datetime) -> None:
        if token.used is not None and now - token.used < USED_TO:
            return
        # A database that is busy, or full, does not keep anybody from reading.
        with contextlib.suppress(HaulageError), self._database.writing() as tx:
            records.note_used(tx, token.id, now)

    def _tell_wrong(self, user: str, address: str, wrong: int) -> None:
        self._tell(on_people.SIGN_IN_DENIED, user=user, address=address)
        if wrong >= GUESSED_FROM and wrong % GUESSED_FROM == 0 and (wrong // GUESSED_FROM).bit_count() == 1:
            self._tell(on_people.SIGN_INS_GUESSED, user=user, address=address, count=wrong)

    def _tell(self, message: Message, **fields: FieldValue) -> None:
        """So many an hour; the rest is counted."""
        number = message.number
        with self._lock:
            if not self._told[number].take(self._clock.monotonic()):
                self._untold[number] += 1
                return
            untold, self._untold[number] = self._untold[number], 0
        if "untold" in message.fields:
            fields["untold"] = untold
        with contextlib.suppress(HaulageError), self._database.writing() as tx:
            self._journal.record(tx, message, package=None, place=None, **fields)


_BOUNDED = (on_people.SIGN_IN_DENIED, on_people.SIGN_INS_GUESSED, on_people.PERMISSION_DENIED)


def _wrong() -> NotAllowedError:
    return NotAllowedError(
        "sign-in-wrong", "The name or the password is wrong, or this user may not sign in.", "An administrator can set a password."
    )


def _wait(seconds: float) -> NotAllowedError:
    return NotAllowedError(
        "too-many-tries",
        f"There were too many tries; wait {max(1, round(seconds))} seconds.",
        "Whoever has the token of the server's home can sign in with that.",
    )
