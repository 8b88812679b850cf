"""What is done with users, tokens and sessions: who may, what ends with it, and under which name it is told."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest

from haulage.base.errors import ConflictError, HaulageError, NotAllowedError, NotFoundError, UsageError
from haulage.domain.people import records, views
from haulage.domain.people.model import LOCAL, Caller, SessionRecord
from haulage.domain.people.roles import Role
from haulage.engine.status import on_people
from haulage.engine.status.message import StatusFilter
from haulage.engine.trust.password_hashes import Cost, Hasher
from haulage.engine.trust.tokens import token_digest
from haulage.operations import people
from haulage.operations.desk import Desk
from tests.domain.worlds import HQ1, lab

PASSWORD = "correct horse battery"
ADA = Caller(name="ada", role=Role.OPERATOR)
ROOT = Caller(name="root", role=Role.ADMINISTRATOR)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with lab(((HQ1, None),)) as made:
        yield dataclasses.replace(made.desk(HQ1), hasher=Hasher(Cost(passes=1, memory_kib=8, lanes=1)))


def told(desk: Desk, number: int) -> list[dict[str, object]]:
    with desk.database.reading() as tx:
        return [dict(one.record.fields) for one in desk.journal.find(tx, StatusFilter(numbers=(number,)))]


def sign_in(desk: Desk, user: str, count: int = 1) -> list[str]:
    now, made = desk.clock.now(), []
    with desk.database.writing() as tx:
        for number in range(count):
            made.append(f"{user[:8]}-{number}")
            records.put_session(
                tx,
                SessionRecord(
                    digest=token_digest(made[-1]),
                    session=made[-1],
                    user=user,
                    proof="",
                    token="t",
                    address="192.0.2.1",
                    browser="",
                    began=now,
                    seen=now,
                    issued=now,
                ),
            )
    return made


def sessions(desk: Desk, user: str) -> int:
    with desk.database.reading() as tx:
        return len(records.list_sessions(tx, user))


def test_a_user_is_made_once_and_its_password_is_nowhere(desk: Desk) -> None:
    made = people.create_user(desk, "root", name=" Ada ", role=Role.OPERATOR, display_name="Ada Lovelace", password=PASSWORD)
    assert (made.name, made.role) == ("ada", Role.OPERATOR)
    assert desk.hasher.matches(made.password_hash, PASSWORD)
    with pytest.raises(ConflictError) as refused:
        people.create_user(desk, "root", name="ADA", role=Role.READER)
    assert refused.value.code == "user-exists"
    with desk.database.reading() as tx:
        assert records.find_user(tx, "ada") == made
        shown = views.show_user(tx, made)
    assert PASSWORD not in repr((made, shown, told(desk, 30080)))
    assert made.password_hash not in repr(shown)
    assert told(desk, on_people.USER_CREATED.number) == [{"actor": "root", "user": "ada", "role": "operator"}]


@pytest.mark.parametrize("password", ["short", "x" * 300, "passwordpassword"])
def test_a_bad_password_makes_nobody(desk: Desk, password: str) -> None:
    with pytest.raises(UsageError):
        people.create_user(desk, "root", name="ada", role=Role.READER, password=password)
    with desk.database.reading() as tx:
        assert records.list_users(tx) == []


@pytest.mark.parametrize(
    ("change", "ends", "what"),
    [
        ({"role": Role.ADMINISTRATOR}, 2, "role administrator"),
        ({"disabled": True}, 2, "disabled"),
        ({"display_name": "Countess"}, 0, "name"),
        ({"role": Role.READER, "disabled": True, "display_name": "x"}, 2, "role reader, disabled, name"),
    ],
)
def test_another_role_and_disabling_end_sessions_at_once(desk: Desk, change: dict[str, object], ends: int, what: str) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR)
    people.create_user(desk, "root", name="bob", role=Role.OPERATOR)
    sign_in(desk, "ada", 2)
    sign_in(desk, "bob")
    _made, reach = people.change_user(desk, "root", "ada", **change)  # type: ignore[arg-type]
    assert reach.sessions == ends
    assert (sessions(desk, "ada"), sessions(desk, "bob")) == (2 - ends, 1)
    assert told(desk, on_people.USER_CHANGED.number) == [{"actor": "root", "user": "ada", "what": what, "sessions": ends}]
    assert people.change_user(desk, "root", "ada", **change)[1].sessions == 0  # type: ignore[arg-type]
    assert len(told(desk, on_people.USER_CHANGED.number)) == 1


def test_another_password_ends_sessions_and_leaves_tokens(desk: Desk) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR, password=PASSWORD)
    people.create_token(desk, ADA, name="build", role=Role.READER)
    sign_in(desk, "ada", 3)
    assert people.set_password(desk, "root", "ada", "another horse battery").sessions == 3
    with desk.database.reading() as tx:
        known = people.require_user(tx, "ada")
        assert len(records.list_tokens(tx, "ada")) == 1
    assert desk.hasher.matches(known.password_hash, "another horse battery")
    assert not desk.hasher.matches(known.password_hash, PASSWORD)
    with pytest.raises(UsageError):
        people.set_password(desk, "root", "ada", "ada")
    with pytest.raises(NotFoundError):
        people.set_password(desk, "root", "bob", PASSWORD)


def test_with_a_user_its_sessions_and_tokens_go(desk: Desk) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR)
    people.create_token(desk, ADA, name="build", role=Role.READER)
    people.create_token(desk, ROOT, name="site", role=Role.READER, owner="")
    sign_in(desk, "ada", 2)
    assert people.remove_user(desk, "root", "Ada") == people.Reach(sessions=2, tokens=1)
    with desk.database.reading() as tx:
        assert records.find_user(tx, "ada") is None
        assert [token.name for token in records.list_tokens(tx)] == ["site"]
    assert sessions(desk, "ada") == 0
    assert told(desk, on_people.USER_REMOVED.number) == [{"actor": "root", "user": "ada", "sessions": 2, "tokens": 1}]


def test_nobody_shuts_themselves_out_by_mistake(desk: Desk) -> None:
    people.create_user(desk, LOCAL.name, name="root", role=Role.ADMINISTRATOR)
    for act in (
        lambda: people.remove_user(desk, "root", "root"),
        lambda: people.change_user(desk, "root", "root", role=Role.READER),
        lambda: people.change_user(desk, "root", "root", disabled=True),
    ):
        with pytest.raises(ConflictError) as refused:
            act()
        assert refused.value.code == "own-user"
    assert people.change_user(desk, "root", "root", display_name="Me")[0].display_name == "Me"
    assert people.remove_user(desk, LOCAL.name, "root").tokens == 0


def test_a_token_is_told_once_and_only_its_digest_is_kept(desk: Desk) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR)
    made = people.create_token(desk, ADA, name=" nightly build ", role=Role.OPERATOR, days=30)
    assert (made.token.owner, made.token.made_by, made.token.name) == ("ada", "ada", "nightly build")
    assert made.token.expires - desk.clock.now() == dt.timedelta(days=30)
    assert made.token.digest == token_digest(made.secret)
    with desk.database.reading() as tx:
        assert records.list_tokens(tx) == [made.token]
    for shown in (repr(views.token_view(made.token)), repr(told(desk, on_people.TOKEN_CREATED.number))):
        assert made.secret not in shown
        assert made.token.digest not in shown


def test_nobody_gives_a_token_more_than_they_or_its_user_may(desk: Desk) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR)
    people.create_user(desk, "root", name="eve", role=Role.READER)
    for caller, role, owner in ((ADA, Role.ADMINISTRATOR, None), (ADA, Role.READER, "eve"), (ADA, Role.READER, "")):
        with pytest.raises(NotAllowedError) as refused:
            people.create_token(desk, caller, name="x", role=role, owner=owner)
        assert refused.value.code == "role-too-low"
    with pytest.raises(ConflictError) as too_high:
        people.create_token(desk, ROOT, name="x", role=Role.OPERATOR, owner="eve")
    assert too_high.value.code == "role-too-high"
    assert people.create_token(desk, ROOT, name="x", role=Role.READER, owner="eve").token.owner == "eve"
    assert people.create_token(desk, LOCAL, name="x", role=Role.ADMINISTRATOR).token.owner == ""


@pytest.mark.parametrize("days", [0, -1, people.DAYS_MAX + 1, float("nan"), float("inf")])
def test_a_token_has_an_end(desk: Desk, days: float) -> None:
    with pytest.raises(UsageError) as refused:
        people.create_token(desk, LOCAL, name="x", role=Role.READER, days=days)
    assert refused.value.code == "bad-days"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\u202ex", "\0", "x" * 10_000])
def test_a_token_has_a_name_people_can_read(desk: Desk, name: str) -> None:
    with pytest.raises(UsageError):
        people.create_token(desk, LOCAL, name=name, role=Role.READER)


def test_everybody_withdraws_their_own_tokens_and_administrators_any(desk: Desk) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR)
    people.create_user(desk, "root", name="eve", role=Role.READER)
    mine = people.create_token(desk, ADA, name="mine", role=Role.READER).token
    other = people.create_token(desk, ROOT, name="other", role=Role.READER, owner="eve").token
    for wrong in (other.id, "00000000", "", "\0", "x" * 5000):
        with pytest.raises(NotFoundError) as refused:
            people.withdraw_token(desk, ADA, wrong)
        assert refused.value.code == "no-such-token"
    people.withdraw_token(desk, ADA, mine.id)
    people.withdraw_token(desk, ROOT, other.id.upper())
    with desk.database.reading() as tx:
        assert records.list_tokens(tx) == []
    assert [one["actor"] for one in told(desk, on_people.TOKEN_WITHDRAWN.number)] == ["ada", "root"]


def test_sessions_are_ended_one_by_one_or_all_and_only_ones_own(desk: Desk) -> None:
    people.create_user(desk, "root", name="ada", role=Role.OPERATOR)
    people.create_user(desk, "root", name="eve", role=Role.READER)
    one, *_rest = sign_in(desk, "ada", 3)
    (hers,) = sign_in(desk, "eve")
    with pytest.raises(NotAllowedError):
        people.end_sessions(desk, ADA, "eve")
    assert people.end_sessions(desk, ADA, "ada", hers) == 0
    assert people.end_sessions(desk, ADA, "ada", one) == 1
    assert people.end_sessions(desk, ADA, "ada") == 2
    assert people.end_sessions(desk, ROOT, "eve") == 1
    assert [(one["user"], one["sessions"]) for one in told(desk, on_people.SESSIONS_ENDED.number)] == [
        ("ada", 1),
        ("ada", 2),
        ("eve", 1),
    ]


@pytest.mark.parametrize("name", ["\0", "x" * 10_000, "<script>", "\u202eada", "' OR 1=1 --", "\ud800"])
def test_b101_a_hostile_name_finds_nobody(desk: Desk, name: str) -> None:
    for act in (
        lambda: people.change_user(desk, "root", name, role=Role.READER),
        lambda: people.remove_user(desk, "root", name),
        lambda: people.set_password(desk, "root", name, PASSWORD),
        lambda: people.create_user(desk, "root", name=name, role=Role.READER),
        lambda: people.create_token(desk, LOCAL, name="x", role=Role.READER, owner=name),
    ):
        with pytest.raises(HaulageError) as refused:
            act()
        assert refused.value.code in ("no-such-user", "bad-user-name")
