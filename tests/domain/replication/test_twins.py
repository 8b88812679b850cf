"""Two servers with one identity: a machine that was copied, or a restored site beside the old one. It is noticed and said, whoever
is behind holds still, and the neighbour is not kept busy; when one is stopped the other goes on."""

from __future__ import annotations

import itertools

import pytest

from haulage.base.errors import TransferError
from haulage.domain.replication.twins import FIRST_SECONDS, FREE_RISES, WITHIN_SECONDS, Twins
from haulage.testing.clock import HandClock
from tests.domain.replication.hops import End, settle


def _talk(one: End, other: End, number: int) -> bool:
    """A server tells its parent something; False if it holds still."""
    one.say("x", f"{one.told.epochs} {number}")
    try:
        settle(one, other)
        settle(other, one)
    except TransferError as error:
        if error.code != "site-runs-twice":
            raise
        return False
    return True


def test_f50_two_servers_of_one_site_do_not_outbid_each_other_for_ever() -> None:
    parent, old = End("BBB", "AAA"), End("AAA", "BBB")
    settle(old, parent)
    settle(parent, old)
    copy = End("AAA", "BBB")
    copy.open(old.image())
    went = [_talk(one, parent, number) for number in range(40) for one in (old, copy)]
    assert old.told.twice or copy.told.twice, "a manager hears of it"
    assert all(1 <= len(one.told.epochs) <= FREE_RISES for one in (old, copy))
    assert went[0]
    assert [went[-2:], went[-4:-2]] in ([[True, False]] * 2, [[False, True]] * 2), "one goes on, the other holds still"
    assert parent.told.resyncs.count("AAA was restored") <= 2 * FREE_RISES, "the neighbour was not kept busy"
    old.open()  # one is stopped for good, the other started anew
    assert _talk(old, parent, 99)
    assert parent.heard["x"].endswith(b"99")


def test_f50_without_a_new_start_the_other_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    monkeypatch.setattr("tests.domain.replication.hops.HandClock", lambda: clock)
    parent, old = End("BBB", "AAA"), End("AAA", "BBB")
    settle(old, parent)
    copy = End("AAA", "BBB")
    copy.open(old.image())
    for number in range(20):
        for one in (old, copy):
            _talk(one, parent, number)
    held = next(one for one in (old, copy) if not _talk(one, parent, 20))
    clock.move(FIRST_SECONDS * 2)
    assert _talk(held, parent, 21)


def test_one_restore_is_no_twin() -> None:
    parent, site = End("BBB", "AAA"), End("AAA", "BBB")
    image = site.image()
    for number in range(FREE_RISES * 3):
        for count in range(3):
            assert _talk(site, parent, number * 10 + count)
        site.open(image)
    assert site.told.twice == []


def test_waits_grow_to_an_end() -> None:
    twins, now, waits = Twins(), 0.0, []
    for _rise in range(FREE_RISES):
        assert twins.wait_seconds(now) == 0
        twins.rose(now)
        now += 1
    for _rise in range(8):
        wait = twins.wait_seconds(now)
        waits.append(wait)
        now += wait
        assert twins.wait_seconds(now) == 0
        twins.rose(now)
    assert all(0 < wait <= WITHIN_SECONDS for wait in waits)
    assert all(one < two for one, two in itertools.pairwise(waits[:4]))
    now += WITHIN_SECONDS
    assert twins.wait_seconds(now) == 0
