"""Sessions: how long they live, when their secret changes, what ends all of it at once, that a restart of the server ends none."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from haulage.base.errors import TransferError
from haulage.console.frame.sessions import GRACE, IDLE, LIFE, MOST_OF_ONE, ROTATE, Sessions, same_token
from haulage.domain.people import records
from haulage.domain.people.model import LOCAL, Caller, User
from haulage.domain.people.roles import Role
from haulage.engine.database.transaction import Database
from haulage.testing.clock import HandClock
from haulage.testing.scratch import empty_database

PROOF = "ab" * 32


@dataclasses.dataclass
class Bench:
    clock: HandClock
    database: Database

    @property
    def sessions(self) -> Sessions:
        """As a server that was started now would have them."""
        return Sessions(self.clock, self.database, PROOF)

    def user(self, name: str, role: Role = Role.READER, *, disabled: bool = False) -> Caller:
        user = User(name=name, display_name="", role=role, password_hash="", disabled=disabled, created=self.clock.now())
        with self.database.writing() as tx:
            records.put_user(tx, user)
        return Caller(name=name, role=role)

    def rows(self) -> int:
        with self.database.reading() as tx:
            return sum(records.count_sessions(tx).values())


@pytest.fixture
def bench() -> Bench:
    return Bench(HandClock(), empty_database())


def found_after(bench: Bench, moment: dt.timedelta) -> bool:
    secret = bench.sessions.begin(bench.user("ada"))
    bench.clock.move(moment.total_seconds())
    return bench.sessions.find(secret) is not None


def test_b70_a_session_ends_when_nobody_uses_it(bench: Bench) -> None:
    assert found_after(bench, IDLE - dt.timedelta(seconds=1))
    assert not found_after(bench, IDLE)


def test_a_session_ends_after_its_life_however_much_it_is_used(bench: Bench) -> None:
    secret, step = bench.sessions.begin(bench.user("ada")), IDLE.total_seconds() / 2
    for _ in range(int(LIFE.total_seconds() / step) - 1):
        bench.clock.move(step)
        found = bench.sessions.find(secret)
        assert found is not None
        secret = found[1]
    bench.clock.move(step)
    assert bench.sessions.find(secret) is None


def test_the_secret_changes_and_the_old_one_counts_a_moment_longer(bench: Bench) -> None:
    sessions = bench.sessions
    old = sessions.begin(bench.user("ada"))
    first = sessions.find(old)
    assert first is not None
    assert first[1] == old
    bench.clock.move(ROTATE.total_seconds())
    changed = sessions.find(old)
    assert changed is not None
    assert changed[1] != old
    assert changed[0].token == first[0].token
    again = sessions.find(old)
    assert again is not None
    assert again[1] == old
    assert bench.rows() == 1
    bench.clock.move(GRACE.total_seconds())
    assert sessions.find(old) is None
    assert sessions.find(changed[1]) is not None


def test_what_is_only_peeked_at_is_not_used(bench: Bench) -> None:
    secret = bench.sessions.begin(bench.user("ada"))
    for _ in range(3):
        bench.clock.move(IDLE.total_seconds() / 4)
        assert bench.sessions.peek(secret) is not None
    bench.clock.move(IDLE.total_seconds() / 4)
    assert bench.sessions.peek(secret) is None


def test_b70_signing_out_ends_replaced_secrets_too(bench: Bench) -> None:
    sessions = bench.sessions
    old, other = sessions.begin(bench.user("ada")), sessions.begin(bench.user("bob"))
    bench.clock.move(ROTATE.total_seconds())
    found = sessions.find(old)
    assert found is not None
    sessions.end(found[0])
    assert sessions.find(old) is None
    assert sessions.find(found[1]) is None
    assert sessions.find(other) is not None


def test_a_session_outlives_the_server_and_has_the_role_its_user_has_now(bench: Bench) -> None:
    secret = bench.sessions.begin(bench.user("ada"))
    bench.user("ada", Role.OPERATOR)
    found = bench.sessions.find(secret)
    assert found is not None
    assert found[0].caller == Caller(name="ada", role=Role.OPERATOR)
    bench.user("ada", disabled=True)
    assert bench.sessions.find(secret) is None
    assert bench.sessions.peek(secret) is None
    with bench.database.writing() as tx:
        records.remove_user(tx, "ada")
    assert bench.sessions.find(secret) is None


def test_b70_what_the_homes_token_began_ends_when_there_is_another(bench: Bench) -> None:
    secret = bench.sessions.begin(LOCAL)
    found = bench.sessions.find(secret)
    assert found is not None
    assert found[0].caller == LOCAL
    assert Sessions(bench.clock, bench.database, "cd" * 32).find(secret) is None
    assert Sessions(bench.clock, bench.database, "").find(secret) is None


def test_of_one_user_there_are_only_so_many_and_the_idlest_goes_first(bench: Bench) -> None:
    ada, sessions = bench.user("ada"), bench.sessions
    other = sessions.begin(bench.user("bob"))
    first, second = sessions.begin(ada), sessions.begin(ada)
    bench.clock.move(ROTATE.total_seconds())
    found = sessions.find(first)
    assert found is not None
    bench.clock.move(1)
    for _ in range(MOST_OF_ONE - 1):
        sessions.begin(ada)
    assert sessions.find(found[1]) is not None
    assert sessions.find(second) is None
    assert sessions.find(other) is not None
    assert bench.rows() == MOST_OF_ONE + 1


def test_what_is_over_is_forgotten(bench: Bench) -> None:
    ada = bench.user("ada")
    bench.sessions.begin(ada)
    bench.clock.move(IDLE.total_seconds())
    bench.sessions.begin(ada)
    assert bench.rows() == 1


def test_b70_nobody_reads_a_secret_or_an_unknown_one_opens_anything(bench: Bench) -> None:
    secret = bench.sessions.begin(bench.user("ada"), address="192.0.2.1", browser="Text\0Browser" + "x" * 10_000)
    with bench.database.reading() as tx:
        (kept,) = records.list_sessions(tx, "ada")
    assert secret not in repr(kept)
    assert len(kept.browser) == 200
    for wrong in ("", "x", secret[:-1], kept.digest, kept.session, "\udcff", "\0"):
        assert bench.sessions.find(wrong) is None


def test_a_database_that_cannot_be_written_keeps_nobody_from_reading(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = bench.sessions
    secret = sessions.begin(bench.user("ada"))
    bench.clock.move(ROTATE.total_seconds())

    def full() -> None:
        raise TransferError("disk-full", "The disk is full.", "")

    monkeypatch.setattr(bench.database, "writing", full)
    found = sessions.find(secret)
    assert found is not None
    assert found[1] == secret


def test_a_token_is_compared_whatever_it_holds(bench: Bench) -> None:
    found = bench.sessions.find(bench.sessions.begin(bench.user("ada")))
    assert found is not None
    assert same_token(found[0], found[0].token)
    assert not any(same_token(found[0], wrong) for wrong in ("", "\udcff", found[0].token + "x"))
