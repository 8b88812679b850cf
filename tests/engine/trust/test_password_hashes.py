"""Hashes of passwords: what they cost, that only the password matches, that nobody's takes as long, and that only so many wait."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import argon2
import pytest

from haulage.base.errors import TransferError
from haulage.engine.trust.password_hashes import AT_ONCE, WAITING, Cost, Hasher

CHEAP = Cost(passes=1, memory_kib=8, lanes=1)


def test_by_default_it_costs_what_rfc_9106_recommends_where_memory_is_not_plenty() -> None:
    found = argon2.extract_parameters(Hasher().make("correct horse battery"))
    assert found == argon2.profiles.RFC_9106_LOW_MEMORY


def test_only_the_password_matches_and_each_hash_has_a_salt_of_its_own() -> None:
    hasher = Hasher(CHEAP)
    stored = hasher.make("correct horse battery")
    assert stored != hasher.make("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert hasher.matches(stored, "correct horse battery")
    for wrong in ("", "correct horse batter", "correct horse battery ", "\0", "\ud800", "x" * 10_000):
        assert not hasher.matches(stored, wrong)


def test_what_looks_the_same_is_the_same() -> None:
    hasher = Hasher(CHEAP)
    assert hasher.matches(hasher.make("Fa\u0308sser im Keller"), "F\u00e4sser im Keller")
    assert hasher.matches(hasher.make("\uff43orrect horse"), "correct horse")


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$", "$2b$12$aaaaaaaaaaaaaaaaaaaaaa"])
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not Hasher(CHEAP).matches(stored, "of nobody")


def test_a_hash_of_another_cost_is_outdated() -> None:
    stored = Hasher(CHEAP).make("correct horse battery")
    assert not Hasher(CHEAP).is_outdated(stored)
    assert Hasher(Cost(passes=2, memory_kib=8, lanes=1)).is_outdated(stored)


def test_only_so_many_are_made_and_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher, go, running = Hasher(CHEAP), threading.Event(), threading.Semaphore(0)
    most, now, lock = 0, 0, threading.Lock()

    def slow(password: bytes) -> str:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        running.release()
        go.wait(10)
        with lock:
            now -= 1
        return "made"

    monkeypatch.setattr(hasher, "_hasher", SimpleNamespace(hash=slow))
    # Those who wait take their places before anybody is let go.
    places = threading.Barrier(AT_ONCE + WAITING + 1)
    acquire = hasher._places.acquire

    def counted(blocking: bool = True) -> bool:
        taken = acquire(blocking=blocking)
        if taken:
            places.wait(10)
        return taken

    monkeypatch.setattr(hasher._places, "acquire", counted)
    threads = [threading.Thread(target=hasher.make, args=("correct horse battery",)) for _ in range(AT_ONCE + WAITING)]
    for thread in threads:
        thread.start()
    places.wait(10)
    for _ in range(AT_ONCE):
        assert running.acquire(timeout=10)
    with pytest.raises(TransferError) as refused:
        hasher.make("correct horse battery")
    assert refused.value.code == "too-many-requests"
    go.set()
    for thread in threads:
        thread.join(10)
    assert most == AT_ONCE
