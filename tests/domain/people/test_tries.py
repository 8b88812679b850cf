"""Who is wrong waits, longer each time; who was right, or does not come for long, begins anew; and memory is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.domain.people.tries import FORGET_SECONDS, Patience, Tries, address_key

PATIENCE = Patience(free=3, first_seconds=1, most_seconds=60)


def waits(tries: Tries, key: str, count: int, *, now: float = 0.0) -> list[float]:
    """Each try as soon as it may be; how long the next one must wait."""
    found = []
    for _ in range(count):
        tries.begin(key, now)
        wait = tries.wait_seconds(key, now)
        found.append(wait)
        now += wait
    return found


def test_some_are_free_then_each_wait_is_twice_as_long_up_to_the_longest() -> None:
    assert waits(Tries(PATIENCE), "ada", 12) == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_many_at_once_are_no_way_around() -> None:
    tries = Tries(PATIENCE)
    let_in = 0
    for _ in range(100):
        if tries.wait_seconds("ada", 0.0) == 0:
            tries.begin("ada", 0.0)
            let_in += 1
    assert let_in == PATIENCE.free


def test_others_do_not_wait() -> None:
    tries = Tries(PATIENCE)
    waits(tries, "ada", 10)
    assert tries.wait_seconds("bob", 0.0) == 0


def test_who_was_right_begins_anew_and_so_does_who_comes_much_later() -> None:
    tries = Tries(PATIENCE)
    waits(tries, "ada", 5)
    tries.right("ada")
    assert tries.wait_seconds("ada", 0.0) == 0
    assert tries.begin("ada", 0.0) == 1
    waits(tries, "ada", 5, now=10.0)
    assert tries.begin("ada", 10.0 + 31 + FORGET_SECONDS) == 1


def test_of_a_way_many_come_only_the_try_that_was_right_is_taken_back() -> None:
    tries = Tries(PATIENCE)
    for _ in range(20):
        assert tries.wait_seconds("192.0.2.1", 0.0) == 0
        tries.begin("192.0.2.1", 0.0)
        tries.undo("192.0.2.1")
    assert tries.begin("192.0.2.1", 0.0) == 1
    tries.undo("never seen")


def test_a_million_tries_are_no_number_too_large() -> None:
    tries = Tries(PATIENCE)
    for _ in range(2000):
        tries.begin("ada", 0.0)
    assert tries.wait_seconds("ada", 0.0) == PATIENCE.most_seconds


def test_memory_is_bounded_and_the_oldest_go() -> None:
    tries = Tries(PATIENCE, most=10)
    for number in range(1000):
        for _ in range(4):
            tries.begin(str(number), 0.0)
    assert len(tries._held) == 10
    assert tries.wait_seconds("999", 0.0) > 0
    assert tries.wait_seconds("0", 0.0) == 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
    ],
)
def test_an_address_stands_for_a_machine_or_a_network(address: str, key: str) -> None:
    assert address_key(address) == key


@given(st.text())
def test_whatever_an_address_is_its_key_is_short(address: str) -> None:
    assert len(address_key(address)) <= 64
