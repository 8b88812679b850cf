"""The shipments of one site, and what its parent is told of them, under every order of wishes, orders, jobs, kills and reports."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from haulage.base.errors import ConflictError, IntegrityError, Remedy, TransferError
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber
from haulage.domain.transit import records
from haulage.domain.transit.attempt import Outcome
from haulage.domain.transit.mirror import report_of, shipment_of
from haulage.domain.transit.orders import WORDS
from haulage.domain.transit.shipment import Said, Shipment, forbids, order, outranked
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import Message, MessageKind, ShipmentReport
from haulage.server.core import SiteCore
from tests import machines
from tests.domain.worlds import CHI, HQ1, lab

PACKAGE = PackageId("HQ100001")
PLACES = [Place("CHI"), Place("CHI/P1"), Place("CHI/P2")]
PAIR = (("HQ1", None), ("CHI", "HQ1"))
places = st.sampled_from(PLACES)
versions = st.integers(0, 4).map(VersionNumber)
actions = st.sampled_from(["retry", "verify", "repair"])
words = st.sampled_from(sorted(WORDS))
which = st.integers(0, 1_000)
ERRORS: dict[str, Callable[[], Exception]] = {
    "away": lambda: TransferError("away", "It does not answer."),
    "person": lambda: ConflictError("person", "Somebody must look."),
    "never": lambda: IntegrityError("never", "It will not work.", remedy=Remedy.GIVE_UP),
    "defect": lambda: ZeroDivisionError("defect"),
}
ENDS = ["done", "missing", "stopped", *ERRORS]


class Killed(BaseException):
    """The process ends here."""


@dataclasses.dataclass(slots=True)
class Row:
    """What must be known of one place."""

    wanted: int = NO_VERSION
    present: int = NO_VERSION
    generation: int = 0
    run: int = 0
    tries: int = 0


class ShipmentMachine(RuleBasedStateMachine):
    """``rows`` is what CHI must know; ``reports`` are under way to HQ1, which must know ``told``."""

    @initialize()
    def begin(self) -> None:
        self.held = contextlib.ExitStack()
        self.here = self.held.enter_context(lab(PAIR))
        self.clock = self.here.world.clock
        self.rows: dict[Place, Row] = {}
        self.before: dict[Place, Shipment] = {}
        self.reports: list[ShipmentReport] = []
        self.told: dict[Place, ShipmentReport] = {}
        self.epoch = 1
        self.spoken = 0

    def teardown(self) -> None:
        if hasattr(self, "held"):
            try:
                self.settle()
            finally:
                self.held.close()

    @property
    def core(self) -> SiteCore:
        return self.here.core(CHI)

    def row(self, where: Place) -> Shipment:
        with self.core.database.reading() as tx:
            found = records.find_shipment(tx, PACKAGE, where)
        assert found is not None
        return found

    @rule(where=places, wanted=versions)
    def want(self, where: Place, wanted: VersionNumber) -> None:
        with self.core.database.writing() as tx:
            self.core.ledger.arm(tx, PACKAGE, where, wanted)
        model = self.rows.get(where)
        if model is None and wanted != NO_VERSION:
            model = self.rows[where] = Row()
        if model is not None and model.wanted != wanted:
            model.wanted, model.tries = wanted, 0
            model.generation += 1

    @precondition(lambda self: self.rows)
    @rule(number=which, action=actions)
    def give_order(self, number: int, action: str) -> None:
        where = self._place(number)
        with self.core.database.writing() as tx:
            before = records.find_shipment(tx, PACKAGE, where)
            assert before is not None
            if forbids(before, action):
                return
            self.core.ledger.save(tx, order(before, action, self.clock.now()))
        if before.state is not ShipmentState.REMOVED:
            self.rows[where].generation += 1
            self.rows[where].tries = 0

    @precondition(lambda self: self.rows)
    @rule(number=which, word=words, late_seconds=st.sampled_from([0, 0, 0, 50]))
    def say(self, number: int, word: str, late_seconds: int) -> None:
        """Somebody holds, releases or cancels it; a word that was overtaken by a later one counts for nothing."""
        where = self._place(number)
        self.spoken += 1
        said = Said(by="one", time=self.clock.now() - dt.timedelta(seconds=late_seconds), revision=self.spoken)
        with self.core.database.writing() as tx:
            before = records.find_shipment(tx, PACKAGE, where)
            assert before is not None
            if outranked(before, said):
                return
            after = self.core.ledger.save(tx, WORDS[word](before, said, self.clock.now()))
        model = self.rows[where]
        if after.generation != before.generation:
            assert after.generation == before.generation + 1
            model.generation, model.tries = after.generation, 0
        assert (after.present, after.wanted, after.run) == (before.present, before.wanted, before.run)
        if word == "hold" and before.wanted != NO_VERSION:
            assert after.word is Word.HELD
        if word == "release":
            assert after.word is Word.NONE or before.wanted == NO_VERSION

    @rule()
    def wake(self) -> None:
        before = {where: self.row(where) for where in self.rows}
        with self.core.database.writing() as tx:
            self.core.ledger.wake(tx, PACKAGE, PLACES)
        for where, old in before.items():
            new = self.row(where)
            assert new.tries == old.tries
            assert new.due == old.due or old.state is ShipmentState.WAITING, "waking never moves a retry (Q319207)"

    @precondition(lambda self: PLACES[0] in self.rows)
    @rule()
    def lose(self) -> None:
        """The store of the site itself lost the package."""
        model, removed = self.rows[PLACES[0]], self.row(PLACES[0]).wanted == NO_VERSION
        with self.core.database.writing() as tx:
            self.core.ledger.lose(tx, [PACKAGE])
        model.present = NO_VERSION
        if not removed:
            model.generation += 1
            model.tries = 0

    @precondition(lambda self: self.rows)
    @rule(
        number=which,
        end=st.sampled_from(ENDS),
        shows=st.booleans(),
        meanwhile=st.sampled_from(["", "want", "order", "wake", "lose", *WORDS]),
    )
    def work(self, number: int, end: str, shows: bool, meanwhile: str) -> None:
        """A job runs, and something else happens while it does."""
        where = self._place(number)
        start, model = self.row(where), self.rows[where]
        generation = model.generation

        def work(shipment: Shipment) -> Outcome:
            assert shipment == start
            if shows and shipment.wanted != NO_VERSION:
                self.core.attempts.show(shipment, ShipmentState.MOVING, bytes_done=7)
            self._meanwhile(where, meanwhile)
            return self._outcome(shipment, end)

        self.core.attempts.run(PACKAGE, where, start.run, work)
        if start.due is None:
            assert self.row(where) == start, "what is not due has no job"
            return
        model.run += 1
        if end == "done" and not start.stopped:
            model.present = start.wanted
        if model.generation == generation and start.stopped:
            model.tries = 0
        elif model.generation == generation and end in ("done", *ERRORS):
            model.tries = 0 if end == "done" else model.tries + 1

    def _meanwhile(self, where: Place, what: str) -> None:
        if what == "want":
            self.want(where, VersionNumber(self.rows[where].wanted % 4 + 1))
        elif what == "order":
            self.give_order(PLACES.index(where) if where in self.rows else 0, "verify")
        elif what == "wake":
            self.wake()
        elif what in WORDS:
            self.say(sorted(self.rows).index(where), what, 0)
        elif what == "lose" and where == PLACES[0]:
            self.lose()

    def _outcome(self, shipment: Shipment, end: str) -> Outcome:
        self.clock.move(1)
        if shipment.stopped:
            return Outcome(state=ShipmentState.FAILED)
        if end in ERRORS:
            raise ERRORS[end]()
        if end == "stopped":
            raise TransferError("link-closed", "This server stops.")
        if end == "missing" and shipment.wanted != NO_VERSION:
            return Outcome(state=ShipmentState.WAITING, reason=Reason.CONTENT, due_after_seconds=600)
        if shipment.wanted == NO_VERSION:
            return Outcome(state=ShipmentState.REMOVED, changes={"present": NO_VERSION})
        return Outcome(state=ShipmentState.PRESENT, changes={"present": shipment.wanted, "verified": self.clock.now()})

    @precondition(lambda self: self.rows)
    @rule(number=which)
    def killed(self, number: int) -> None:
        """The process dies in a job: nothing is written, and the duty is as due as before."""
        where = self._place(number)
        start = self.row(where)

        def die(_shipment: Shipment) -> Outcome:
            raise Killed

        with contextlib.suppress(Killed):
            self.core.attempts.run(PACKAGE, where, start.run, die)
        assert self.row(where) == start

    @precondition(lambda self: self.rows)
    @rule(number=which, off=st.sampled_from([-2, -1, 1, 7]))
    def late(self, number: int, off: int) -> None:
        """A job of another time does nothing."""
        where = self._place(number)
        start = self.row(where)

        def never(_shipment: Shipment) -> Outcome:
            raise AssertionError("it ran")

        self.core.attempts.run(PACKAGE, where, start.run + off, never)
        assert self.row(where) == start

    @rule(seconds=st.sampled_from([1, 60, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds)

    @precondition(lambda self: self.rows)
    @rule(number=which)
    def report(self, number: int) -> None:
        """The parent is sent a row as it is now."""
        self.reports.append(report_of(self.row(self._place(number))))

    @precondition(lambda self: self.reports)
    @rule(number=which, keep=st.booleans())
    def hear(self, number: int, keep: bool) -> None:
        """A report arrives: late, twice, or after newer ones."""
        number %= len(self.reports)
        self._take(self.reports[number] if keep else self.reports.pop(number))

    def _take(self, report: ShipmentReport) -> None:
        above, where = self.here.core(HQ1), Place(report.place)
        message = Message(kind=MessageKind.SHIPMENT, key=f"{PACKAGE}/{where}", body=encode(report))
        with above.database.writing() as tx:
            above.mirror.take(tx, SiteCode("CHI"), message)
        newest = max((each.epoch for each in self.told.values()), default=0)
        if report.epoch > newest:
            self.told = {where: report}
        elif report.epoch == newest and (where not in self.told or report.observation > self.told[where].observation):
            self.told[where] = report

    @rule()
    def restored(self) -> None:
        """The site begins another epoch, and observes everything anew."""
        with self.core.database.writing() as tx:
            self.epoch = self.core.neighbourhood.raise_epoch(tx, self.epoch)

    def _place(self, number: int) -> Place:
        return sorted(self.rows)[number % len(self.rows)]

    def settle(self) -> None:
        """With nothing in the way every duty comes to its end, and the parent knows it."""
        for _turn in range(4):
            self.clock.move(100_000)
            for number, where in enumerate(sorted(self.rows)):
                if self.row(where).word is not Word.NONE:
                    self.say(number, "release", 0)
                if self.row(where).state is ShipmentState.FAILED:
                    self.give_order(number, "retry")
                self.work(number, "done", False, "")
        for where in self.rows:
            row = self.row(where)
            assert row.settled or (row.wanted == row.present == NO_VERSION and row.state is ShipmentState.REMOVED)
            self._take(report_of(row))
            self.mirror_has_the_newest()
            with self.here.core(HQ1).database.reading() as tx:
                known = records.find_shipment(tx, PACKAGE, where)
            assert known is not None
            assert (known.present, known.state, known.wanted) == (row.present, row.state, row.wanted)

    @invariant()
    def every_row_is_what_it_must_be(self) -> None:
        for where, model in getattr(self, "rows", {}).items():
            row, before = self.row(where), self.before.get(where)
            found = Row(wanted=row.wanted, present=row.present, generation=row.generation, run=row.run, tries=row.tries)
            assert found == model
            waits = row.state is ShipmentState.FAILED or (row.word is Word.HELD and row.reason is Reason.HELD)
            assert row.settled or row.due is not None or waits, "nothing is forgotten"
            if row.stopped:
                stays = ShipmentState.WAITING if row.word is Word.HELD else ShipmentState.FAILED
                assert row.state is stays, "what somebody stopped stays stopped"
                assert row.word is Word.CANCELLED or row.due is None, "what is held has no work"
            assert (row.wanted == NO_VERSION) == (row.state in (ShipmentState.REMOVING, ShipmentState.REMOVED))
            if before is not None and dataclasses.replace(row, wakes=before.wakes, run=before.run) != before:
                assert (row.epoch, row.observation) > (before.epoch, before.observation), "no change goes unnumbered"
            self.before[where] = row

    @invariant()
    def mirror_has_the_newest(self) -> None:
        if not getattr(self, "told", None):
            return
        with self.here.core(HQ1).database.reading() as tx:
            found = {row.place: row for row in records.list_shipments(tx, package=PACKAGE) if row.owner == CHI}
        assert found == {where: shipment_of(report) for where, report in self.told.items()}


def test_i6_i14_i25_q319207_q318834_f24_f25_shipments_keep_their_word() -> None:
    machines.run(ShipmentMachine, examples=15, steps=40)
