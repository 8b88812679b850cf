"""Sessions: how long they live, when their secret changes, that signing out ends all of it."""

from __future__ import annotations

from haulage.console.frame.sessions import GRACE, IDLE, LIFE, MOST_SESSIONS, ROTATE, Sessions, same_token
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role
from haulage.testing.clock import HandClock


def caller(name: str) -> Caller:
    return Caller(name=name, role=Role.READER)


def found_after(seconds: float) -> bool:
    clock = HandClock()
    sessions = Sessions(clock)
    secret = sessions.begin(caller("somebody"))
    clock.move(seconds)
    return sessions.find(secret) is not None


def test_a_session_ends_when_nobody_uses_it() -> None:
    assert found_after(IDLE.total_seconds() - 1)
    assert not found_after(IDLE.total_seconds())


def test_a_session_ends_after_its_life_however_much_it_is_used() -> None:
    clock = HandClock()
    sessions = Sessions(clock)
    secret, step = sessions.begin(caller("somebody")), IDLE.total_seconds() / 2
    for _ in range(int(LIFE.total_seconds() / step) - 1):
        clock.move(step)
        found = sessions.find(secret)
        assert found is not None
        secret = found[1]
    clock.move(step)
    assert sessions.find(secret) is None


def test_the_secret_changes_and_the_old_one_counts_a_moment_longer() -> None:
    clock = HandClock()
    sessions = Sessions(clock)
    old = sessions.begin(caller("somebody"))
    first = sessions.find(old)
    assert first is not None
    assert first[1] == old
    clock.move(ROTATE.total_seconds())
    changed = sessions.find(old)
    assert changed is not None
    assert changed[1] != old
    assert changed[0].token == first[0].token
    assert sessions.find(old) is not None
    clock.move(GRACE.total_seconds())
    assert sessions.find(old) is None
    assert sessions.find(changed[1]) is not None


def test_signing_out_ends_replaced_secrets_too() -> None:
    clock = HandClock()
    sessions = Sessions(clock)
    old = sessions.begin(caller("somebody"))
    other = sessions.begin(caller("somebody else"))
    clock.move(ROTATE.total_seconds())
    found = sessions.find(old)
    assert found is not None
    sessions.end(found[0])
    assert sessions.find(old) is None
    assert sessions.find(found[1]) is None
    assert sessions.find(other) is not None


def test_there_are_only_so_many_and_the_idlest_goes_first() -> None:
    clock = HandClock()
    sessions = Sessions(clock)
    first, second = sessions.begin(caller("first")), sessions.begin(caller("second"))
    clock.move(1)
    assert sessions.find(first) is not None
    clock.move(1)
    for _ in range(MOST_SESSIONS - 1):
        sessions.begin(caller("another"))
    assert sessions.find(first) is not None
    assert sessions.find(second) is None


def test_a_token_is_compared_whatever_it_holds() -> None:
    sessions = Sessions(HandClock())
    found = sessions.find(sessions.begin(caller("somebody")))
    assert found is not None
    assert same_token(found[0], found[0].token)
    assert not any(same_token(found[0], wrong) for wrong in ("", "\udcff", found[0].token + "x"))
