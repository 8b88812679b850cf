"""The decisions about one shipment."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.ids import NO_VERSION, VersionNumber, package_id, place, site_code
from haulage.domain.transit.retry import RetryPolicy
from haulage.domain.transit.shipment import Shipment, arm, order, wake
from haulage.domain.transit.states import ALLOWED, MEANING, REASON_MEANING, Reason, ShipmentState, may_move

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=5)

versions = st.integers(0, 5).map(VersionNumber)
shipments = st.builds(
    Shipment,
    package=st.just(package_id("HQ100001")),
    place=st.sampled_from([place("HQ1"), place("HQ1/p")]),
    owner=st.just(site_code("HQ1")),
    wanted=versions,
    present=versions,
    state=st.sampled_from(ShipmentState),
    reason=st.sampled_from(Reason),
    generation=st.integers(0, 9),
    tries=st.integers(0, 9),
    run=st.integers(0, 9),
    due=st.sampled_from([None, NOW, LATER]),
    updated=st.just(NOW),
)
_LEAVING = (ShipmentState.REMOVING, ShipmentState.REMOVED)
possible = shipments.filter(lambda one: (one.wanted == NO_VERSION) == (one.state in _LEAVING))


@given(possible, versions)
def test_q281754_arming_twice_is_arming_once(before: Shipment, wanted: VersionNumber) -> None:
    once = arm(before, wanted, LATER)
    assert arm(once, wanted, LATER + dt.timedelta(days=1)) is once


@given(possible, versions)
def test_arming_anew_starts_afresh(before: Shipment, wanted: VersionNumber) -> None:
    after = arm(before, wanted, LATER)
    assert after.wanted == wanted
    assert after.present == before.present, "what is there is an observation, not a wish"
    if after is not before:
        assert (after.generation, after.tries, after.due) == (before.generation + 1, 0, LATER)
        assert (after.state is ShipmentState.REMOVING) == (wanted == NO_VERSION)


@given(possible)
def test_q319207_waking_never_advances_a_retry(before: Shipment) -> None:
    after = wake(before, NOW)
    waits = before.state is ShipmentState.WAITING and before.reason in (Reason.CONTENT, Reason.DEFINITION, Reason.PARCEL)
    assert dataclasses.replace(after, wakes=before.wakes, due=before.due) == before, "but for the count, nothing else changes"
    assert after.due == (NOW if waits else before.due)
    assert (after.tries, after.generation, after.state) == (before.tries, before.generation, before.state)


@given(possible, st.sampled_from(["retry", "verify", "repair"]))
def test_an_order_counts_as_an_arming_and_wants_nothing_else(before: Shipment, action: str) -> None:
    after = order(before, action, LATER)
    assert after.wanted == before.wanted
    if before.state is ShipmentState.REMOVED:
        assert after is before
    else:
        assert (after.generation, after.due) == (before.generation + 1, LATER)
        assert after.verify == (action != "retry" and before.wanted != NO_VERSION)


def test_every_state_and_reason_has_a_sentence_and_moves() -> None:
    assert set(MEANING) == set(ALLOWED) == set(ShipmentState)
    assert set(REASON_MEANING) == set(Reason)
    reached = {state for moves in ALLOWED.values() for state in moves}
    assert reached == set(ShipmentState)


@given(shipments, st.sampled_from(ShipmentState))
def test_a_move_that_is_not_allowed_is_a_defect(before: Shipment, state: ShipmentState) -> None:
    if may_move(before.state, state):
        assert before.moved(state, NOW).state is state
    else:
        with pytest.raises(AssertionError):
            before.moved(state, NOW)


@given(st.integers(1, 10_000), st.integers())
def test_tries_come_slower_and_slower_and_never_at_once(tries: int, seed: int) -> None:
    policy = RetryPolicy(first_seconds=10, cap_seconds=3600)
    delay = policy.delay_seconds(tries, random.Random(seed))
    ceiling = min(3600.0, 10 * 2.0 ** min(tries - 1, 30))
    assert ceiling / 2 <= delay <= ceiling
