"""Who it is that asks: passwords, tokens, and guessing, which waits and is told of. On both kinds of database."""

from __future__ import annotations

import pytest

from haulage.base.errors import HaulageError, NotAllowedError, TransferError
from haulage.base.ids import SiteCode
from haulage.domain.people import records
from haulage.domain.people.model import LOCAL, Caller, Token, User
from haulage.domain.people.roles import Role
from haulage.engine.database.transaction import Database
from haulage.engine.status import on_people
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import StatusFilter
from haulage.engine.trust.password_hashes import Cost, Hasher
from haulage.engine.trust.tokens import new_token, token_digest
from haulage.server.reception import GUESSED_FROM, TOLD_AN_HOUR, Reception
from haulage.testing.clock import HandClock
from haulage.testing.scratch import empty_database
from tests.server.asgi import CHEAP


class Watched(Hasher):
    """Counts how often a password is really checked."""

    def __init__(self, cost: Cost = CHEAP) -> None:
        super().__init__(cost)
        self.checked: list[bool] = []

    def matches(self, stored: str, password: str) -> bool:
        self.checked.append(bool(stored))
        return super().matches(stored, password)


class Bench:
    """A reception over an empty site."""

    def __init__(self, database: Database) -> None:
        self.clock, self.database, self.hasher = HandClock(), database, Watched()
        self.journal = Journal(database, clock=self.clock, site=SiteCode("HQ1"), epoch=lambda _tx: 1)
        self.local = new_token()
        self.reception = Reception(database, self.journal, self.clock, self.hasher, token_digest(self.local))

    def user(self, name: str, password: str = "", role: Role = Role.OPERATOR, *, disabled: bool = False) -> None:
        hashed = self.hasher.make(password) if password else ""
        with self.database.writing() as tx:
            records.put_user(
                tx,
                User(name=name, display_name="", role=role, password_hash=hashed, disabled=disabled, created=self.clock.now()),
            )

    def tries(self, name: str, password: str, address: str = "192.0.2.1") -> str:
        """What becomes of one try: "" for in."""
        try:
            self.reception.sign_in(name, password, address)
        except HaulageError as error:
            return error.code
        return ""

    def said(self, number: int) -> list[dict[str, object]]:
        with self.database.reading() as tx:
            return [dict(one.record.fields) for one in self.journal.find(tx, StatusFilter(numbers=(number,)), limit=1000)]


@pytest.fixture
def bench() -> Bench:
    return Bench(empty_database())


RIGHT = "correct horse battery"


def test_a_hash_is_computed_whoever_is_asked_for(bench: Bench) -> None:
    bench.user("ada", RIGHT)
    bench.user("off", RIGHT, disabled=True)
    bench.user("program")
    for number, (name, password) in enumerate(
        [("ada", "x"), ("nobody", "x"), ("off", RIGHT), ("program", ""), ("\0", "x"), ("ada", "x" * 9000), ("", "")]
    ):
        assert bench.tries(name, password, f"192.0.2.{number}") == "sign-in-wrong"
    assert bench.hasher.checked == [True, False, True, False, False, True, False]
    assert bench.tries("ada", RIGHT, "192.0.2.99") == ""


def test_guessing_at_a_name_waits_longer_each_time_and_no_hash_is_computed_meanwhile(bench: Bench) -> None:
    bench.user("ada", RIGHT)
    found = [bench.tries("ada", "x", f"192.0.2.{number}") for number in range(8)]
    assert found == ["sign-in-wrong"] * 5 + ["too-many-tries"] * 3
    assert len(bench.hasher.checked) == 5
    assert bench.tries("ada", RIGHT, "198.51.100.1") == "too-many-tries"
    bench.clock.move(1)
    assert bench.tries("ADA ", "x", "192.0.2.9") == "sign-in-wrong"
    bench.clock.move(1)
    assert bench.tries("ada", RIGHT) == "too-many-tries"
    bench.clock.move(1)
    assert bench.tries("ada", RIGHT) == ""
    assert bench.tries("ada", "x") == "sign-in-wrong"


def test_guessing_from_an_address_waits_whatever_the_names(bench: Bench) -> None:
    found = [bench.tries(f"user{number}", "x") for number in range(25)]
    assert found == ["sign-in-wrong"] * 20 + ["too-many-tries"] * 5
    assert bench.tries("user1", "x", "198.51.100.1") == "sign-in-wrong"
    for number in range(30):
        assert bench.tries(f"user{number}", "x", "127.0.0.1") == "sign-in-wrong", "a proxy may stand there"


def test_the_local_administrator_never_waits(bench: Bench) -> None:
    for number in range(30):
        bench.tries(f"user{number}", "x")
    assert bench.reception.sign_in_local(bench.local, "192.0.2.1") == LOCAL
    assert bench.reception.sign_in_local(new_token(), "192.0.2.1") is None
    assert bench.reception.caller_of(bench.local) == LOCAL


def test_too_many_at_once_are_sent_away_and_nobody_is_held_to_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.user("ada", RIGHT)

    def busy(_stored: str, _password: str) -> bool:
        raise TransferError("too-many-requests", "", "")

    with monkeypatch.context() as patched:
        patched.setattr(bench.hasher, "matches", busy)
        assert [bench.tries("ada", RIGHT) for _ in range(10)] == ["too-many-requests"] * 10
    assert bench.tries("ada", RIGHT) == ""


def test_what_is_told_of_refused_sign_ins_is_bounded_and_the_rest_counted(bench: Bench) -> None:
    bench.user("ada", RIGHT)
    for number in range(TOLD_AN_HOUR + 40):
        bench.tries("ada" if number == 0 else f"secret-typed-as-name-{number}", "x", f"10.0.{number}.1")
    told = bench.said(on_people.SIGN_IN_DENIED.number)
    assert len(told) == TOLD_AN_HOUR
    assert told[0]["user"] == "ada"
    assert {one["user"] for one in told[1:]} == {"an unknown name"}
    bench.clock.move(3600)
    bench.tries("ada", "x", "10.1.0.1")
    assert bench.said(on_people.SIGN_IN_DENIED.number)[-1]["untold"] == 40


def test_who_goes_on_guessing_is_a_warning(bench: Bench) -> None:
    bench.user("ada", RIGHT)
    for number in range(4 * GUESSED_FROM):
        bench.clock.move(300)
        bench.tries("ada", "x", f"192.0.2.{number}")
    assert [one["count"] for one in bench.said(on_people.SIGN_INS_GUESSED.number)] == [10, 20, 40]


def test_a_password_of_another_cost_is_hashed_anew_when_it_is_known(bench: Bench) -> None:
    bench.user("ada", RIGHT)
    dearer = Hasher(Cost(passes=2, memory_kib=8, lanes=1))
    later = Reception(bench.database, bench.journal, bench.clock, dearer, "")
    later.sign_in("ada", RIGHT, "192.0.2.1")
    with bench.database.reading() as tx:
        known = records.find_user(tx, "ada")
    assert known is not None
    assert not dearer.is_outdated(known.password_hash)
    assert dearer.matches(known.password_hash, RIGHT)
    assert known.signed_in == bench.clock.now()


def test_a_token_counts_until_its_end_and_only_as_much_as_its_user(bench: Bench) -> None:
    bench.user("ada", role=Role.READER)
    secret, now = new_token(), bench.clock.now()
    token = Token(
        id="0badcafe", name="x", digest=token_digest(secret), role=Role.OPERATOR, owner="ada", made_by="ada", created=now,
        expires=now.replace(year=now.year + 1),
    )  # fmt: skip
    with bench.database.writing() as tx:
        records.add_token(tx, token)
    assert bench.reception.caller_of(secret) == Caller(name="ada", role=Role.READER, token="0badcafe")
    bench.user("ada", role=Role.ADMINISTRATOR)
    found = bench.reception.caller_of(secret)
    assert found is not None
    assert found.role is Role.OPERATOR
    bench.user("ada", disabled=True)
    assert bench.reception.caller_of(secret) is None
    bench.user("ada")
    bench.clock.move(366 * 86_400)
    assert bench.reception.caller_of(secret) is None
    for wrong in ("", "\0", "\ud800", secret[:-1], token.digest, token.id):
        assert bench.reception.caller_of(wrong) is None


def test_a_tokens_use_is_written_down_by_the_hour_and_never_in_the_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, now = new_token(), bench.clock.now()
    token = Token(
        id="0badcafe", name="x", digest=token_digest(secret), role=Role.READER, owner="", made_by="ada", created=now,
        expires=now.replace(year=now.year + 1),
    )  # fmt: skip
    with bench.database.writing() as tx:
        records.add_token(tx, token)

    def used() -> object:
        with bench.database.reading() as tx:
            found = records.find_token(tx, "0badcafe")
        assert found is not None
        return found.used

    found = bench.reception.caller_of(secret)
    assert found is not None
    assert (found.name, found.is_user, used()) == ("token:x", False, now)
    bench.clock.move(3599)
    bench.reception.caller_of(secret)
    assert used() == now
    bench.clock.move(1)

    def full() -> None:
        raise NotAllowedError("disk-full", "", "")

    with monkeypatch.context() as patched:
        patched.setattr(bench.database, "writing", full)
        assert bench.reception.caller_of(secret) is not None
    bench.reception.caller_of(secret)
    assert used() == bench.clock.now()
