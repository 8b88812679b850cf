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
from haulage.domain.transit.shipment import (
    CANCELLED,
    Said,
    Shipment,
    arm,
    cancel,
    forbids,
    hold,
    lost,
    obeying,
    order,
    outranked,
    release,
    wake,
)
from haulage.domain.transit.states import ALLOWED, MEANING, REASON_MEANING, WORD_MEANING, Reason, ShipmentState, Word, may_move

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
    parcel=st.sampled_from(["", "ab"]),
    bytes_done=st.integers(0, 5),
    word=st.sampled_from(Word),
    word_time=st.just(NOW),
    updated=st.just(NOW),
).map(obeying)
SAID = Said(by="one at HQ1", time=LATER, revision=7)
_LEAVING = (ShipmentState.REMOVING, ShipmentState.REMOVED)
possible = shipments.filter(
    lambda one: (one.wanted == NO_VERSION) == (one.state in _LEAVING) and (one.wanted != NO_VERSION or one.word is Word.NONE)
)


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
        assert (after.generation, after.tries) == (before.generation + 1, 0)
        assert after.due == (None if after.stopped else LATER)
        assert (after.word is Word.HELD) == (before.word is Word.HELD and wanted != NO_VERSION), "a hold goes on, nothing else"
        assert (after.state is ShipmentState.REMOVING) == (wanted == NO_VERSION)


@given(possible)
def test_q319207_waking_never_advances_a_retry(before: Shipment) -> None:
    after = wake(before, NOW)
    waits = (
        not before.stopped
        and before.state is ShipmentState.WAITING
        and before.reason in (Reason.CONTENT, Reason.DEFINITION, Reason.PARCEL)
    )
    assert dataclasses.replace(after, wakes=before.wakes, due=before.due) == before, "but for the count, nothing else changes"
    assert after.due == (NOW if waits else before.due)
    assert (after.tries, after.generation, after.state) == (before.tries, before.generation, before.state)


@given(possible, st.sampled_from(["retry", "verify", "repair"]))
def test_an_order_counts_as_an_arming_and_wants_nothing_else(before: Shipment, action: str) -> None:
    if forbids(before, action):
        return
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
    assert set(WORD_MEANING) == set(Word)
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


@given(possible)
def test_held_it_waits_without_a_due_time_and_keeps_what_came(before: Shipment) -> None:
    after = hold(before, SAID, LATER)
    if before.wanted == NO_VERSION:
        assert after is before, "a removal is never held"
        return
    assert (after.word, after.word_by, after.word_time) == (Word.HELD, "one at HQ1", LATER)
    assert (after.parcel, after.bytes_done, after.present, after.wanted) == (
        before.parcel,
        before.bytes_done,
        before.present,
        before.wanted,
    )
    if before.present == before.wanted:
        assert (after.state, after.due, after.generation) == (before.state, before.due, before.generation), "it is here"
    else:
        assert (after.state, after.reason, after.due) == (ShipmentState.WAITING, Reason.HELD, None)


@given(possible)
def test_held_twice_is_held_once(before: Shipment) -> None:
    once = hold(before, SAID, LATER)
    twice = hold(once, dataclasses.replace(SAID, revision=8), LATER + dt.timedelta(days=1))
    assert dataclasses.replace(twice, word_revision=once.word_revision) == once


@given(possible)
def test_released_it_is_due_at_once_with_what_came(before: Shipment) -> None:
    after = release(before, SAID, LATER)
    assert not after.stopped
    if before.stopped:
        assert (after.state, after.due, after.generation) == (ShipmentState.PLANNED, LATER, before.generation + 1)
        assert (after.parcel, after.bytes_done, after.error_code) == (before.parcel, before.bytes_done, "")
    elif before.wanted != NO_VERSION:
        assert (after.state, after.due, after.generation) == (before.state, before.due, before.generation)


@given(possible)
def test_q186414_cancelled_ends_at_once_and_keeps_what_is_present(before: Shipment) -> None:
    after = cancel(before, SAID, LATER)
    assert after.present == before.present
    if before.wanted in (NO_VERSION, before.present):
        assert (after.state, after.word, after.due) == (before.state, before.word, before.due), "there is nothing to cancel"
        return
    assert (after.state, after.word, after.error_code) == (ShipmentState.FAILED, Word.CANCELLED, CANCELLED)
    assert "one at HQ1" in after.error_message
    assert "retry" in after.error_hint
    if before.word is not Word.CANCELLED:
        assert (after.parcel, after.bytes_done, after.due) == ("", 0, LATER), "what came is cleared away once"


@given(possible, st.sampled_from([hold, cancel]), versions)
def test_only_a_newer_version_ends_a_cancellation_and_nothing_but_a_person_ends_a_hold(
    before: Shipment, word: object, wanted: VersionNumber
) -> None:
    said = hold(before, SAID, LATER) if word is hold else cancel(before, SAID, LATER)
    if not said.stopped:
        return
    for after in (wake(said, LATER), obeying(said), lost(said, LATER)):
        assert (after.word, after.stopped, after.state) == (said.word, True, said.state)
    newer = arm(said, wanted, LATER)
    if wanted not in (NO_VERSION, said.wanted, said.present):
        assert newer.stopped == (word is hold)


@given(possible)
def test_the_last_word_counts_whichever_comes_first(before: Shipment) -> None:
    fresh = dataclasses.replace(before, word_time=None)
    early, late = Said(by="early", time=NOW, revision=9), Said(by="late", time=LATER, revision=1)

    def hear(one: Shipment, said: Said, word: object) -> Shipment:
        if outranked(one, said):
            return one
        return hold(one, said, LATER) if word is hold else release(one, said, LATER)

    in_order = hear(hear(fresh, early, hold), late, release)
    turned = hear(hear(fresh, late, release), early, hold)
    assert (in_order.word, in_order.stopped) == (turned.word, turned.stopped)
    assert turned.word is (Word.NONE if before.wanted != NO_VERSION else before.word)


@given(possible)
def test_what_is_held_is_neither_tried_nor_repaired(before: Shipment) -> None:
    held = hold(before, SAID, LATER)
    for action in ("retry", "verify", "repair"):
        assert bool(forbids(held, action)) == held.stopped
    gone = cancel(before, SAID, LATER)
    if gone.stopped and gone.word is Word.CANCELLED:
        assert not forbids(gone, "retry")
        assert forbids(gone, "repair")
        assert not order(gone, "retry", LATER).stopped
