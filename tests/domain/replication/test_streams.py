"""The stream of a hop: gapless, in order, twice is harmless, latest state wins, and whoever forgot is helped."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.base.errors import HaulageError, NotAllowedError
from haulage.base.ids import SiteCode
from haulage.domain.replication import records
from haulage.domain.replication.streams import ENVELOPES_PER_ANSWER, EPOCH_LEAP_MOST
from haulage.engine.protocol.asks import Position
from tests.domain.replication.hops import End, carry, settle


def _ends() -> tuple[End, End]:
    return End("AAA", "BBB"), End("BBB", "AAA")


def test_the_first_contact_tells_everything_once() -> None:
    a, b = _ends()
    a.notes = {"x": b"1", "y": b"2"}
    settle(a, b)
    assert b.heard == a.notes
    assert a.told.resyncs == ["first contact"]
    settle(a, b)
    assert len(b.applied) == 2, "nothing is told twice without a cause"


def test_f17_an_envelope_taken_twice_has_no_effect() -> None:
    a, b = _ends()
    settle(a, b)
    a.say("x", "1")
    envelopes = a.streams.outgoing(b.code, b.streams.position(a.code))
    first = b.streams.incoming(a.code, envelopes)
    assert b.streams.incoming(a.code, envelopes) == first
    assert b.applied == [("x", b"1")]


def test_f18_b81_a_gap_is_seen_and_sent_again() -> None:
    a, b = _ends()
    settle(a, b)
    a.say("x", "1")
    lost = a.streams.outgoing(b.code, b.streams.position(a.code))
    a.say("x", "2")
    a.say("y", "3")
    both = a.streams.outgoing(b.code, b.streams.position(a.code))
    assert both[0] == lost[0], "what was sealed is sent as it was"
    before = b.streams.position(a.code)
    assert b.streams.incoming(a.code, both[1:]) == before
    assert b.applied == []
    assert b.told.gaps == [(before.sequence + 1, before.sequence + 1)]
    settle(a, b)
    assert b.heard == {"x": b"2", "y": b"3"}


def test_f30_a_lost_acknowledgement_costs_nothing_but_the_envelope() -> None:
    a, b = _ends()
    settle(a, b)
    a.say("x", "1")
    b.streams.incoming(a.code, a.streams.outgoing(b.code, b.streams.position(a.code)))
    a.say("y", "2")
    settle(a, b)
    assert b.applied == [("x", b"1"), ("y", b"2")]
    assert a.told.resyncs == ["first contact"]


def test_thirty_days_away_cost_what_changed_not_what_happened() -> None:
    a, b = _ends()
    settle(a, b)
    for day in range(30 * 24):
        for key in ("x", "y", "z"):
            a.say(key, str(day))
    with a.database.reading() as tx:
        assert records.count_dirty(tx, b.code) == 3
    settle(a, b)
    assert len(b.applied) == 3
    assert b.heard == a.notes


def test_f30_answers_that_are_lost_for_a_month_pile_nothing_up() -> None:
    a, b = _ends()
    settle(a, b)
    for day in range(30):
        for key in ("x", "y", "z"):
            a.say(key, str(day))
            a.streams.outgoing(b.code, b.streams.position(a.code))
    with a.database.reading() as tx:
        assert len(records.list_sealed(tx, b.code, 0, 1000)) == ENVELOPES_PER_ANSWER
        assert records.count_dirty(tx, b.code) == 3
    settle(a, b)
    assert b.heard == a.notes
    assert len(b.applied) <= ENVELOPES_PER_ANSWER + 3


def test_q319189_q227021_a_poisoned_message_is_refused_and_stops_nobody() -> None:
    a, b = _ends()
    settle(a, b)
    b.poison = {"y"}
    for key in ("x", "y", "z"):
        a.say(key, "1")
    settle(a, b)
    assert b.heard == {"x": b"1", "z": b"1"}
    assert b.told.refused == ["y"]
    settle(a, b)
    assert b.told.refused == ["y"], "it is not tried for ever"


def test_b39_an_envelope_of_another_signer_or_for_another_is_refused() -> None:
    a, b = _ends()
    stranger = End("CCC", "BBB")
    stranger.notes = {"x": b"1"}
    envelopes = stranger.streams.outgoing(SiteCode("BBB"), b.streams.position(stranger.code))
    for claimed in (a.code, stranger.code):
        with pytest.raises(HaulageError):
            b.streams.incoming(claimed, envelopes)
    assert b.applied == []


def test_b39_an_envelope_past_its_time_is_refused_and_everything_is_said_anew() -> None:
    a, b = _ends()
    settle(a, b)
    a.say("x", "1")
    old = a.streams.outgoing(b.code, b.streams.position(a.code))
    days = 401 * 86_400
    a.clock.move(days)
    b.clock.move(days)
    with pytest.raises(NotAllowedError) as caught:
        b.streams.incoming(a.code, old)
    assert caught.value.code == "envelope-expired"
    assert b.heard == {}
    settle(a, b)
    assert b.heard == {"x": b"1"}
    assert len(a.told.resyncs) == 2, "first contact, and when it was too old"


def test_b39_an_envelope_within_its_time_is_not_sealed_again() -> None:
    a, b = _ends()
    settle(a, b)
    a.say("x", "1")
    old = a.streams.outgoing(b.code, b.streams.position(a.code))
    a.clock.move(399 * 86_400)
    assert a.streams.outgoing(b.code, b.streams.position(a.code)) == old


def test_f53_a_restored_receiver_is_told_everything_again() -> None:
    a, b = _ends()
    a.notes = {"x": b"1"}
    settle(a, b)
    old = b.image()
    a.say("y", "2")
    settle(a, b)
    b.heard = {"x": b"1"}
    b.open(old)
    settle(a, b)
    assert b.heard == {"x": b"1", "y": b"2"}
    assert a.told.resyncs[-1] == "BBB has lost what it was sent"


def test_f54_q288970_a_restored_sender_raises_its_epoch_and_both_sides_tell_everything() -> None:
    a, b = _ends()
    a.notes, b.notes = {"x": b"1"}, {"u": b"1"}
    settle(a, b)
    settle(b, a)
    old = a.image()
    a.say("y", "2")
    b.say("v", "2")
    settle(a, b)
    settle(b, a)
    a.open(old)
    a.heard, a.notes = {"u": b"1"}, {"x": b"1 again"}
    settle(a, b)
    settle(b, a)
    assert a.told.epochs == [2]
    assert b.heard["x"] == b"1 again"
    assert a.heard == {"u": b"1", "v": b"2"}, "what it had been told and lost, it is told again"
    count = len(a.applied) + len(b.applied)
    settle(a, b)
    settle(b, a)
    assert len(a.applied) + len(b.applied) == count


def test_b79_a_neighbour_cannot_drive_our_epoch_to_its_end() -> None:
    a, b = _ends()
    settle(a, b)
    for epoch in (1 + EPOCH_LEAP_MOST + 1, 2**63 - 1):
        for act in (a.streams.outgoing, a.streams.acknowledge):
            with pytest.raises(NotAllowedError) as caught:
                act(b.code, Position(epoch=epoch, stream=1, sequence=1))
            assert caught.value.code == "position-made-up"
    assert a.told.epochs == []
    a.streams.acknowledge(b.code, Position(epoch=EPOCH_LEAP_MOST, stream=1, sequence=1))
    assert a.told.epochs == [EPOCH_LEAP_MOST + 1]


def test_a_sender_restored_to_a_moment_of_silence_is_recognised() -> None:
    a, b = _ends()
    settle(a, b)
    old = a.image()
    a.say("x", "1")
    settle(a, b)
    a.open(old)
    carry(a, b)
    assert a.told.epochs == [2]


@pytest.mark.slow_twice
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["say", "send", "lose", "twice", "late", "restart"]), max_size=25), st.randoms())
def test_i6_i7_f17_f18_whatever_the_line_does_the_latest_state_arrives(happens: list[str], chance: object) -> None:
    assert hasattr(chance, "choice")
    a, b = _ends()
    late: list[list[bytes]] = []
    count = 0
    for what in happens:
        envelopes = a.streams.outgoing(b.code, b.streams.position(a.code)) if what in ("send", "twice", "late") else []
        if what == "say":
            count += 1
            a.say(chance.choice("xyz"), str(count))
        elif what == "late":
            late.append(envelopes)
        elif what == "restart":
            b.open(b.image())
            a.open(a.image())
        for _time in range({"send": 1, "twice": 2}.get(what, 0)):
            b.streams.incoming(a.code, envelopes)
        if late and what == "lose":
            b.streams.incoming(a.code, late.pop(chance.randrange(len(late))))  # type: ignore[attr-defined]
    settle(a, b)
    assert b.heard == a.notes
    for key in "xyz":
        seen = [int(body) for told, body in b.applied if told == key]
        assert seen == sorted(seen), "a note never goes back"
