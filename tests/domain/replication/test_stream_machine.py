"""A hop under everything a line and two machines can do, against what either side should know of the other in the end."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from haulage.domain.replication import records
from haulage.domain.replication.streams import ENVELOPES_PER_ANSWER
from haulage.engine.protocol.asks import Position
from tests import machines
from tests.domain.replication.hops import End, carry

KEYS = [f"k{number}" for number in range(6)]
GONE = "gone"
sides = st.integers(0, 1)
which = st.integers(0, 1_000)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A backup of one end: its tables, its epoch (which stands in one of them), what it had to say and what it had heard."""

    image: bytes
    epoch: int
    notes: dict[str, bytes]
    heard: dict[str, bytes]


class HopMachine(RuleBasedStateMachine):
    """Two neighbours that tell each other notes. ``asks`` and ``mail`` are under way, each perhaps more than once, in any order."""

    @initialize()
    def begin(self) -> None:
        first, second = End("AAA", "BBB"), End("BBB", "AAA")
        self.ends = (first, second)
        self.asks: list[tuple[int, Position]] = []
        self.mail: list[tuple[int, list[bytes]]] = []
        self.backups: list[tuple[int, Kept]] = []
        self.restored = [False, False]
        self.count = 0

    @rule(side=sides, key=st.sampled_from(KEYS))
    def say(self, side: int, key: str) -> None:
        self.count += 1
        self.ends[side].say(key, str(self.count))

    @rule(side=sides, key=st.sampled_from(KEYS))
    def take_back(self, side: int, key: str) -> None:
        """A tombstone is a note like any other: the latest word about its key."""
        self.count += 1
        self.ends[side].say(key, f"{self.count} {GONE}")

    @rule(side=sides)
    def ask(self, side: int) -> None:
        """An end says how far it is; the question may be late, lost or heard twice."""
        self.asks.append((side, self.ends[side].streams.position(self.ends[1 - side].code)))

    @precondition(lambda self: self.asks)
    @rule(number=which, keep=st.booleans())
    def answer(self, number: int, keep: bool) -> None:
        number %= len(self.asks)
        asker, position = self.asks[number] if keep else self.asks.pop(number)
        envelopes = self.ends[1 - asker].streams.outgoing(self.ends[asker].code, position)
        assert len(envelopes) <= ENVELOPES_PER_ANSWER
        if envelopes:
            self.mail.append((asker, envelopes))

    @precondition(lambda self: self.mail)
    @rule(number=which, keep=st.booleans(), part=st.integers(0, 8), acknowledged=st.booleans())
    def arrive(self, number: int, keep: bool, part: int, acknowledged: bool) -> None:
        number %= len(self.mail)
        side, envelopes = self.mail[number] if keep else self.mail.pop(number)
        sender, receiver = self.ends[1 - side], self.ends[side]
        reached = receiver.streams.incoming(sender.code, envelopes[: part or None])
        if acknowledged:
            sender.streams.acknowledge(receiver.code, reached)

    @precondition(lambda self: self.mail or self.asks)
    @rule()
    def lose(self) -> None:
        """The line breaks: everything on it is gone."""
        self.mail.clear()
        self.asks.clear()

    @rule(side=sides, times=st.integers(1, 12), key=st.sampled_from(KEYS))
    def talk_to_nobody(self, side: int, times: int, key: str) -> None:
        """One way works, the other does not: it is asked again and again, and none of its answers arrives (F30)."""
        asker = self.ends[1 - side]
        for _time in range(times):
            self.say(side, key)
            self.ends[side].streams.outgoing(asker.code, asker.streams.position(self.ends[side].code))

    @rule(side=sides)
    def exchange(self, side: int) -> None:
        """For once all goes well."""
        carry(self.ends[side], self.ends[1 - side])

    @rule(side=sides)
    def restart(self, side: int) -> None:
        self.ends[side].open()

    @rule(side=sides)
    def back_up(self, side: int) -> None:
        end = self.ends[side]
        self.backups.append((side, Kept(image=end.image(), epoch=end.sites.value, notes=dict(end.notes), heard=dict(end.heard))))

    @precondition(lambda self: self.backups)
    @rule(number=which)
    def restore(self, number: int) -> None:
        side, kept = self.backups[number % len(self.backups)]
        end = self.ends[side]
        end.open(kept.image)
        end.sites.value = kept.epoch
        end.notes, end.heard = dict(kept.notes), dict(kept.heard)
        self.restored[side] = True
        self._forget_line()

    def _forget_line(self) -> None:
        """Requests are signed with their moment, so none outlives a restore; what was sealed does, on media."""
        self.asks.clear()

    @rule()
    def heal(self) -> None:
        """Undisturbed, both come to rest knowing the latest of each other, and then say nothing more."""
        self.asks.clear()
        for _turn in range(40):
            moved = [carry(sender, receiver) for sender, receiver in (self.ends, self.ends[::-1])]
            if not any(moved):
                break
        else:
            raise AssertionError("the hop does not come to rest")
        for sender, receiver in (self.ends, self.ends[::-1]):
            told = {key: receiver.heard.get(key) for key in sender.notes}
            assert told == sender.notes, "the latest state of every key"
            assert not sender.told.refused
            with sender.database.reading() as tx:
                assert records.count_dirty(tx, receiver.code) == 0

    def teardown(self) -> None:
        if hasattr(self, "ends"):
            self.heal()

    @invariant()
    def nothing_goes_back(self) -> None:
        """Unless its teller was restored, and knows no better."""
        for side, end in enumerate(getattr(self, "ends", ())):
            if not self.restored[1 - side] and not self.restored[side]:
                last: Counter[str] = Counter()
                for key, body in end.applied:
                    number = int(body.split()[0])
                    assert number >= last[key]
                    last[key] = number

    @invariant()
    def the_backlog_is_bounded(self) -> None:
        """By the number of things there are and of envelopes in one answer, however long the other is away."""
        for end in getattr(self, "ends", ()):
            with end.database.reading() as tx:
                assert records.count_dirty(tx, end.peer) <= len(KEYS)
                waiting = records.list_sealed(tx, end.peer, records.find_stream(tx, end.peer).out_acknowledged, 10_000)
            assert len(waiting) <= ENVELOPES_PER_ANSWER


@pytest.mark.slow_twice
def test_i6_i7_i16_f17_f18_f30_a_hop_converges_whatever_happens() -> None:
    machines.run(HopMachine, examples=12, steps=40)
