"""The journal: once and in order, in the caller's transaction, bounded against floods and against forged records."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from haulage.base.errors import FormatError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.status.flood import BURST
from haulage.engine.status.journal import FIELD_CHARACTERS, FIELD_COUNT, Journal
from haulage.engine.status.message import Listed, MessageType, Severity, StatusFilter, StatusRecord, advice, sentence
from haulage.engine.status.on_packages import POINT_COPY_FAILED, UNCHANGED, VERSION_ROLLED_BACK
from haulage.engine.status.on_requests import RETRY_ASKED
from haulage.engine.status.on_sites import ENVELOPE_REFUSED
from haulage.testing.clock import HandClock
from haulage.testing.scratch import empty_database

HQ1 = SiteCode("HQ1")
CHI = SiteCode("CHI")
PACKAGE = PackageId("HQ100042")
POINT = Place("HQ1/P1")
START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def database() -> Database:
    return empty_database()


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


class World:
    """A journal with what it told its listener."""

    def __init__(self, database: Database, clock: HandClock, site: SiteCode = HQ1) -> None:
        self.database, self.clock = database, clock
        self.epoch = 1
        self.told: list[int] = []
        self.journal = Journal(database, clock=clock, site=site, epoch=lambda _tx: self.epoch, on_record=self._on_record)

    def _on_record(self, _tx: Transaction, local_id: int) -> None:
        self.told.append(local_id)

    def say(self, version: int = 1, package: PackageId = PACKAGE) -> StatusRecord | None:
        with self.database.writing() as tx:
            return self.journal.record(tx, UNCHANGED, package=package, version=version)

    def take(self, said: StatusRecord) -> bool:
        with self.database.writing() as tx:
            return self.journal.take(tx, said)

    def listed(self, wanted: StatusFilter | None = None, *, limit: int = 1000, newest: bool = False) -> list[Listed]:
        with self.database.reading() as tx:
            return list(self.journal.find(tx, wanted or StatusFilter(), limit=limit, newest=newest))

    def sequences(self) -> list[tuple[str, int, int]]:
        return [(each.record.site, each.record.epoch, each.record.sequence) for each in self.listed()]

    def expire(self, *, days: int = 30, audit_days: int = 180, through: int | None = None) -> int:
        with self.database.writing() as tx:
            return self.journal.expire(tx, days=days, audit_days=audit_days, through=through)


@pytest.fixture
def world(database: Database, clock: HandClock) -> World:
    return World(database, clock)


def test_a_record_comes_back_as_it_was_said(world: World) -> None:
    said = world.say(7)
    assert said is not None
    (found,) = world.listed()
    assert found.record == said
    assert (said.sequence, said.epoch, said.time, said.fields) == (1, 1, START, {"version": 7})
    assert world.told == [found.id]


def test_sequences_are_gapless_per_epoch_and_roll_back_with_the_transaction(world: World) -> None:
    world.say()
    with pytest.raises(ZeroDivisionError), world.database.writing() as tx:  # noqa: PT012
        world.journal.record(tx, UNCHANGED, package=PACKAGE, version=2)
        raise ZeroDivisionError
    world.say()
    world.epoch = 2
    world.say()
    assert world.sequences() == [("HQ1", 1, 1), ("HQ1", 1, 2), ("HQ1", 2, 1)]


def test_a_message_without_its_fields_is_a_defect(world: World) -> None:
    with world.database.writing() as tx:
        with pytest.raises(ValueError, match="version"):
            world.journal.record(tx, UNCHANGED, package=PACKAGE)
        with pytest.raises(ValueError, match="package"):
            world.journal.record(tx, UNCHANGED, version=1)
    assert world.listed() == []


def _from_chi(sequence: int, **changes: object) -> StatusRecord:
    said = StatusRecord(
        site=CHI,
        epoch=1,
        sequence=sequence,
        number=2351,
        severity=Severity.INFORMATION,
        type=MessageType.MILESTONE,
        component="points",
        package=PACKAGE,
        place=Place("CHI/P1"),
        time=START,
        fields={"version": 1, "files": 2},
    )
    return dataclasses.replace(said, **changes)  # type: ignore[arg-type]


def test_i7_q215059_taken_twice_has_effect_once(world: World) -> None:
    assert world.take(_from_chi(1))
    assert not world.take(_from_chi(1))
    assert not world.take(_from_chi(1, fields={"version": 99}))
    assert [each.record.fields["version"] for each in world.listed()] == [1]
    assert len(world.told) == 1


def test_q318834_b81_reordered_and_new_epoch_are_each_taken(world: World) -> None:
    for sequence, epoch in ((3, 1), (1, 1), (1, 2), (2, 1)):
        assert world.take(_from_chi(sequence, epoch=epoch))
    assert sorted(world.sequences()) == [("CHI", 1, 1), ("CHI", 1, 2), ("CHI", 1, 3), ("CHI", 2, 1)]


@pytest.mark.parametrize("year", [1970, 2038, 9999])
def test_b84_q249746_q246749_f46_a_wrong_clock_is_taken_at_once_and_the_time_here_recorded_beside_it(
    world: World, year: int
) -> None:
    moment = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    assert world.take(_from_chi(1, time=moment))
    (found,) = world.listed()
    assert (found.record.time, found.received) == (moment, START)
    assert world.expire() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": {f"f{number}": 1 for number in range(FIELD_COUNT + 1)}},
        {"fields": {"a": "x" * (FIELD_CHARACTERS + 1)}},
        {"fields": {"a": "nul \0"}},
        {"fields": {"a": "lone \ud800"}},
        {"fields": {"a": 1 << 63}},
        {"number": 1 << 31},
        {"sequence": 1 << 63},
    ],
    ids=lambda changes: str(changes)[:30],
)
def test_i24_a_record_beyond_bounds_is_refused(world: World, changes: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        world.take(dataclasses.replace(_from_chi(1), **changes))  # type: ignore[arg-type]
    assert world.listed() == []


def test_i14_q159201_q297870_q153532_a_flood_of_one_kind_is_counted(world: World, clock: HandClock) -> None:
    kept = [world.say() for _ in range(1000)]
    assert sum(said is not None for said in kept) == BURST
    clock.move(61)
    said = world.say()
    assert said is not None
    assert said.fields["left_out"] == 1000 - BURST
    assert sentence(said, UNCHANGED).endswith(f"({1000 - BURST} more like it were counted, not kept.)")
    assert world.say() is None
    clock.move(61)
    again = world.say()
    assert again is not None
    assert again.fields["left_out"] == 1


def test_i21_a_flood_hides_nothing_else(world: World) -> None:
    for _ in range(100):
        world.say()
    assert world.say(package=PackageId("HQ100043")) is not None
    with world.database.writing() as tx:
        assert world.journal.record(tx, VERSION_ROLLED_BACK, package=PACKAGE, version=2, old=1) is not None


def test_requests_of_people_are_always_kept(world: World) -> None:
    for _ in range(BURST * 3):
        with world.database.writing() as tx:
            assert world.journal.record(tx, RETRY_ASKED, package=PACKAGE, place=POINT, actor="ann") is not None


def test_a_rolled_back_message_does_not_count_against_the_flood(world: World) -> None:
    for _ in range(BURST * 2):
        with pytest.raises(ZeroDivisionError), world.database.writing() as tx:  # noqa: PT012
            world.journal.record(tx, UNCHANGED, package=PACKAGE, version=2)
            raise ZeroDivisionError
    assert world.say() is not None


def test_finding(world: World) -> None:
    world.say()
    world.say(package=PackageId("HQ100043"))
    world.take(_from_chi(1))
    with world.database.writing() as tx:
        world.journal.record(tx, ENVELOPE_REFUSED, other="CHI", cause="altered", code="bad-signature")

    def numbers(wanted: StatusFilter) -> list[int]:
        return [each.record.number for each in world.listed(wanted)]

    assert numbers(StatusFilter()) == [2304, 2304, 2351, 3332]
    assert numbers(StatusFilter(packages=(PACKAGE,))) == [2304, 2351]
    assert numbers(StatusFilter(places=(Place("CHI/P1"),))) == [2351]
    assert numbers(StatusFilter(sites=(CHI,))) == [2351]
    assert numbers(StatusFilter(numbers=(2304,))) == [2304, 2304]
    assert numbers(StatusFilter(components=("replication",))) == [3332]
    assert numbers(StatusFilter(at_least=Severity.WARNING)) == [3332]
    assert numbers(StatusFilter(types=(MessageType.DETAIL,))) == [3332]
    assert numbers(StatusFilter(since=START + dt.timedelta(seconds=1))) == []
    assert [each.record.number for each in world.listed(limit=2)] == [2304, 2304]
    assert [each.record.number for each in world.listed(limit=2, newest=True)] == [2351, 3332]


def test_b64_q246949_filters_are_values_never_sql(world: World) -> None:
    world.say()
    assert world.listed(StatusFilter(packages=(PackageId("' OR 1=1 --"),))) == []
    assert world.listed(StatusFilter(components=("x'; DROP TABLE status; --",))) == []
    assert len(world.listed()) == 1


def test_following_with_a_cursor_sees_each_once(world: World) -> None:
    seen: list[int] = []
    cursor = 0
    for round_ in range(3):
        world.say(round_)
        world.take(_from_chi(round_ + 1))
        page = world.listed(StatusFilter(after=cursor))
        cursor = page[-1].id
        seen += [each.id for each in page]
    assert seen == sorted(set(seen))
    assert len(seen) == 6
    with world.database.reading() as tx:
        assert world.journal.last_id(tx) == cursor
        found = world.journal.get(tx, cursor)
        assert found is not None
        assert found.record.site == CHI
        assert world.journal.get(tx, cursor + 1) is None


def test_expiry_forgets_old_ones_but_never_reuses_their_numbers_or_takes_them_again(world: World, clock: HandClock) -> None:
    world.say()
    world.take(_from_chi(5))
    with world.database.writing() as tx:
        world.journal.record(tx, RETRY_ASKED, package=PACKAGE, place=POINT, actor="ann")
    last = world.listed()[-1].id
    clock.move(31 * 86400)
    assert world.expire() == 2
    assert world.sequences() == [("HQ1", 1, 2)]
    clock.move(150 * 86400)
    assert world.expire() == 1
    assert not world.take(_from_chi(5))
    said = world.say()
    assert said is not None
    assert said.sequence == 3
    assert world.listed()[0].id > last


def test_i7_what_still_has_to_be_forwarded_does_not_expire(world: World, clock: HandClock) -> None:
    world.say()
    first = world.listed()[0].id
    world.say()
    clock.move(31 * 86400)
    assert world.expire(through=first) == 1
    assert world.sequences() == [("HQ1", 1, 2)]


def test_two_sites_tell_a_third(database: Database, clock: HandClock) -> None:
    below, above = World(empty_database(), clock, CHI), World(database, clock, HQ1)
    for number in range(3):
        below.say(number)
    for each in below.listed():
        assert above.take(each.record)
    assert [each.record for each in above.listed()] == [each.record for each in below.listed()]


def test_b18_b17_hostile_text_is_shown_escaped(world: World) -> None:
    with world.database.writing() as tx:
        said = world.journal.record(
            tx,
            POINT_COPY_FAILED,
            package=PACKAGE,
            place=POINT,
            version=1,
            tries=1,
            code="x",
            cause="a\nb\x1b[2J\u202egnp {place} %s \ud800",
        )
    assert said is not None
    text = sentence(world.listed()[0].record, POINT_COPY_FAILED)
    assert "a\\nb\\x1b[2J\\u202egnp {place} %s" in text
    assert text.isprintable()
    assert advice(said, POINT_COPY_FAILED).endswith("haulage explain HQ100042 --at HQ1/P1")


def test_long_fields_are_cut(world: World) -> None:
    with world.database.writing() as tx:
        said = world.journal.record(tx, ENVELOPE_REFUSED, other="CHI", cause="x" * 1_000_000, code="c")
    assert said is not None
    assert len(str(said.fields["cause"])) == FIELD_CHARACTERS


def test_a_number_from_a_newer_version_is_kept_and_shown(world: World) -> None:
    world.take(_from_chi(1, number=2399, component="teleport"))
    (found,) = world.listed()
    assert sentence(found.record, None) == "Message 2399, which this version does not know: files=2, version=1"
