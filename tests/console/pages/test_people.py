"""The pages about users, tokens, oneself and settings, over a real site: who may what, and what each act ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from haulage.console.frame.cookies import SESSION
from haulage.domain.people import records
from haulage.domain.people.model import User
from haulage.domain.people.roles import Role
from haulage.engine.status import on_people
from haulage.engine.status.message import StatusFilter
from haulage.server.app import create_app
from haulage.wiring.console import console_of, pages_of, writes_of
from haulage.wiring.founding import init_central
from tests.console.inert import assert_own_page
from tests.console.people import PASSWORD, Person, let_in
from tests.server.asgi import Served

HOSTILE = ("<script>alert(1)</script>", "\u202eevil", "محمد", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(init_central(str(tmp_path_factory.mktemp("people") / "hq"), code="HQ1", listen="127.0.0.1:0"))
    served.app = create_app(served.service, pages=console_of(served.service))
    for role in Role:
        let_in(served, f"a.{role.value}", role)
    yield served
    served.close()


def person(served: Served, role: Role) -> Person:
    return Person(served).sign_in(f"a.{role.value}")


def said(served: Served, number: int) -> list[dict[str, object]]:
    with served.service.core.database.reading() as tx:
        return [
            dict(one.record.fields) for one in served.service.core.journal.find(tx, StatusFilter(numbers=(number,)), limit=1000)
        ]


def test_a_user_signs_in_by_name_and_password_and_out_again(served: Served) -> None:
    ada = Person(served)
    assert ada.get("/settings/me").headers["location"] == "/sign-in?to=%2Fsettings%2Fme"
    ada.sign_in("A.Operator")
    me = ada.get("/settings/me").body.decode()
    assert "a.operator" in me
    assert "operator" in me
    before = dict(ada.cookies)
    ada.post("/sign-out")
    assert SESSION not in ada.cookies
    ada.cookies = before
    assert ada.get("/settings/me").status == 303
    assert {"actor": "a.operator", "address": "127.0.0.1"} in said(served, on_people.SIGNED_IN.number)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("a.operator", "wrong horse battery"),
        ("nobody.here", PASSWORD),
        ("a.operator", ""),
        ("\0", PASSWORD),
        ("x" * 5000, "x" * 9000),
    ],
)
def test_who_is_wrong_reads_the_same_whatever_was(served: Served, name: str, password: str) -> None:
    reply = Person(served).post("/sign-in", {"name": name, "password": password, "to": "/settings"})
    assert reply.headers["location"].startswith("/sign-in?to=%2Fsettings&refused=wrong&name=")
    assert "set-cookie" not in reply.headers
    shown = Person(served).get(reply.headers["location"])
    assert shown.status == 403
    assert b"The name or the password is wrong" in shown.body
    assert password.encode() not in shown.body or not password
    assert_own_page(shown.body.decode())


def test_who_guesses_waits_and_is_told_so(served: Served) -> None:
    let_in(served, "guessed", Role.READER)
    for _ in range(6):
        reply = Person(served).post("/sign-in", {"name": "guessed", "password": "wrong horse battery"})
    assert "refused=wait" in reply.headers["location"]
    assert "refused=wait" in Person(served).post("/sign-in", {"name": "guessed", "password": PASSWORD}).headers["location"]
    assert Person(served).get(reply.headers["location"]).status == 429
    Person(served).sign_in("a.reader")
    Person(served).sign_in_local()


def test_what_a_reader_may_write_is_their_own_and_no_more(served: Served) -> None:
    sessions = console_of(served.service)._gate.sessions
    own = {write.path for write in writes_of(served.service, sessions) if write.role is Role.READER and not write.open}
    assert own == {"/sign-out", "/settings/me/password", "/settings/me/sessions", "/settings/tokens/{token}/withdraw"}
    refused = person(served, Role.READER).post("/settings/users/a.operator/remove")
    assert refused.status == 403
    assert {
        "actor": "a.reader",
        "role": "reader",
        "needed": "administrator",
        "what": "POST /settings/users/{user}/remove",
    }.items() <= (said(served, on_people.PERMISSION_DENIED.number)[-1].items())


@pytest.mark.parametrize("role", list(Role))
def test_b71_each_page_and_write_is_for_its_role_and_those_above(served: Served, role: Role) -> None:
    who = person(served, role)
    token = who.token()
    sessions = console_of(served.service)._gate.sessions
    names = {"user": "nobody.there", "token": "00000000", "package": "HQ1FFFFF", "site": "ZZZ", "name": "none", "code": "ZZZ"}

    def concrete(path: str) -> str:
        return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: names.get(found[1], "1"), path)

    for page in pages_of(served.service):
        if not page.open:
            refused = b"role-too-low" in who.get(concrete(page.path)).body
            assert refused == (role < page.role), page.path
    ends_the_session = {"/sign-out", "/settings/me/sessions"}
    for write in writes_of(served.service, sessions):
        if not write.open and write.path not in ends_the_session:
            reply = who.post(concrete(write.path), {"to": "/"}, token=token)
            assert (b"role-too-low" in reply.body) == (role < write.role), write.path
            assert reply.status < 500, write.path


def test_an_administrator_lets_somebody_in_who_can_then_sign_in(served: Served) -> None:
    admin = person(served, Role.ADMINISTRATOR)
    form = {"name": "New.One", "display_name": HOSTILE[0], "role": "operator", "password": PASSWORD, "again": PASSWORD}
    assert admin.get("/settings/users/add").status == 200
    made = admin.post("/settings/users/add", form)
    assert (made.status, made.headers["location"]) == (303, "/settings/users/new.one")
    Person(served).sign_in("new.one")
    assert {"actor": "a.administrator", "user": "new.one", "role": "operator"} in said(served, on_people.USER_CREATED.number)
    for change, code in (
        ({"name": "new.one"}, "user-exists"),
        ({"name": "<b>"}, "bad-user-name"),
        ({"again": "other"}, "passwords-differ"),
        ({"password": "short", "again": "short"}, "bad-password"),
        ({"password": "", "again": ""}, "bad-password"),
        ({"role": "root"}, "bad-role"),
        ({"display_name": "\u202e"}, "bad-name"),
    ):
        again = admin.post("/settings/users/add", {**form, "name": "other.one", **change})
        assert (again.status, code.encode() in again.body) == (400, True), (change, again.body)
        assert PASSWORD.encode() not in again.body
        assert_own_page(again.body.decode())


def test_b70_disabling_a_user_ends_what_it_is_signed_in_with_at_once(served: Served) -> None:
    let_in(served, "leaving", Role.OPERATOR)
    leaving, admin = Person(served).sign_in("leaving"), person(served, Role.ADMINISTRATOR)
    asked = admin.get("/settings/users/leaving/disable").body.decode()
    assert "sessions end at once" in asked
    assert leaving.get("/settings").status == 200
    assert admin.post("/settings/users/leaving/disable").status == 303
    assert leaving.get("/settings").status == 303
    assert "refused=wrong" in Person(served).post("/sign-in", {"name": "leaving", "password": PASSWORD}).headers["location"]
    admin.post("/settings/users/leaving/enable")
    Person(served).sign_in("leaving")


def test_b70_another_role_and_another_password_end_sessions_too(served: Served) -> None:
    let_in(served, "moved", Role.READER)
    admin = person(served, Role.ADMINISTRATOR)
    moved = Person(served).sign_in("moved")
    admin.post("/settings/users/moved/set", {"role": "operator", "display_name": ""})
    assert moved.get("/settings").status == 303
    moved.sign_in("moved")
    admin.post("/settings/users/moved/password", {"password": "another horse battery", "again": "another horse battery"})
    assert moved.get("/settings").status == 303
    Person(served).sign_in("moved", "another horse battery")


def test_ones_own_password_needs_the_old_one_and_keeps_only_this_browser(served: Served) -> None:
    let_in(served, "changing", Role.READER)
    here, there = Person(served).sign_in("changing"), Person(served).sign_in("changing")
    new = "another horse battery"
    assert b"sign-in-wrong" in here.post("/settings/me/password", {"old": "no", "password": new, "again": new}).body
    assert b"passwords-differ" in here.post("/settings/me/password", {"old": PASSWORD, "password": new, "again": "x"}).body
    assert there.get("/settings").status == 200
    done = here.post("/settings/me/password", {"old": PASSWORD, "password": new, "again": new})
    assert (done.status, done.headers["location"]) == (303, "/settings/me")
    assert here.get("/settings").status == 200
    assert there.get("/settings").status == 303
    Person(served).sign_in("changing", new)


def test_one_ends_ones_other_sessions_one_by_one(served: Served) -> None:
    let_in(served, "several", Role.READER)
    here, there = Person(served).sign_in("several"), Person(served).sign_in("several")
    shown = here.get("/settings/me.json").json["sessions"]
    assert [one["is_this"] for one in shown].count(True) == 1
    other = next(one["id"] for one in shown if not one["is_this"])
    here.post("/settings/me/sessions", {"session": other})
    assert (here.get("/settings").status, there.get("/settings").status) == (200, 303)
    here.post("/settings/me/sessions")
    assert SESSION not in here.cookies


def test_nobody_ends_the_session_of_another_through_their_own_page(served: Served) -> None:
    victim, reader = person(served, Role.OPERATOR), person(served, Role.READER)
    (theirs, *_rest) = victim.get("/settings/me.json").json["sessions"]
    reader.post("/settings/me/sessions", {"session": theirs["id"]})
    assert victim.get("/settings").status == 200


def test_a_token_is_shown_once_and_does_what_its_role_may(served: Served) -> None:
    admin = person(served, Role.ADMINISTRATOR)
    made = admin.post("/settings/tokens/add", {"name": HOSTILE[3], "role": "operator", "owner": "a.operator", "days": "30"})
    assert made.status == 200
    assert_own_page(made.body.decode())
    found = re.search(rb"haulage_[A-Za-z0-9_-]{43}", made.body)
    assert found
    secret = found[0].decode()
    program = {"Authorization": f"Bearer {secret}"}
    me = served.ask("GET", "/api/v1/me", headers=program).json
    assert (me["name"], me["role"]) == ("a.operator", "operator")
    listed = admin.get("/settings/tokens")
    assert secret.encode() not in listed.body
    assert_own_page(listed.body.decode())
    token = next(one["id"] for one in admin.get("/settings/tokens.json").json["tokens"] if one["name"] == HOSTILE[3])
    assert served.ask("GET", "/settings/tokens.json", headers=program).json["tokens"][0]["id"] == token
    assert b"refused at once" in admin.get(f"/settings/tokens/{token}/withdraw").body
    admin.post(f"/settings/tokens/{token}/withdraw")
    assert served.ask("GET", "/api/v1/me", headers=program).status == 401


def test_everybody_makes_tokens_for_themselves_that_may_no_more_than_they(served: Served) -> None:
    reader = person(served, Role.READER)
    page = reader.get("/settings/tokens/add").body.decode()
    assert 'value="reader"' in page
    assert 'value="operator"' not in page
    for form, code in (
        ({"name": "x", "role": "operator", "days": "30"}, "role-too-low"),
        ({"name": "x", "role": "reader", "days": "99999"}, "bad-days"),
        ({"name": "", "role": "reader", "days": "30"}, "bad-name"),
        ({"name": "\u202e", "role": "reader", "days": "30"}, "bad-name"),
    ):
        refused = reader.post("/settings/tokens/add", form)
        assert (refused.status, code.encode() in refused.body) == (400, True), (form, refused.body)
    reader.post("/settings/tokens/add", {"name": "mine", "role": "reader", "owner": "a.administrator", "days": "30"})
    assert {one["owner"] for one in reader.get("/settings/tokens.json").json["tokens"]} == {"a.reader"}
    operator = person(served, Role.OPERATOR)
    (mine, *_rest) = reader.get("/settings/tokens.json").json["tokens"]
    assert mine["id"] not in {one["id"] for one in operator.get("/settings/tokens.json").json["tokens"]}
    assert b"no-such-token" in operator.post(f"/settings/tokens/{mine['id']}/withdraw").body
    assert b"no-such-token" in operator.get(f"/settings/tokens/{mine['id']}/withdraw").body


def test_b101_hostile_names_are_text_on_every_page(served: Served) -> None:
    admin, now = person(served, Role.ADMINISTRATOR), served.clock.now()
    with served.service.core.database.writing() as tx:
        for number, name in enumerate(HOSTILE):
            records.put_user(
                tx,
                User(name=f"hostile{number}", display_name=name, role=Role.READER, password_hash="", disabled=True, created=now),
            )
    pages = ["/settings/users", *(f"/settings/users/hostile{number}" for number in range(len(HOSTILE)))]
    pages += [f"/settings/users?q={quote(name)}" for name in HOSTILE]
    for target in pages:
        reply = admin.get(target)
        assert reply.status == 200, target
        assert_own_page(reply.body.decode())


def test_lists_are_filtered_by_the_address_and_come_as_csv(served: Served) -> None:
    admin = person(served, Role.ADMINISTRATOR)
    found = admin.get("/settings/users.json?role=operator&q=a.op").json
    assert [user["name"] for user in found["users"]] == ["a.operator"]
    assert b"No user is like that" in admin.get("/settings/users?q=zzz").body
    table = admin.get("/settings/users.csv?q=a.op").body.decode()
    assert "a.operator" in table
    assert "a.reader" not in table
    assert "password_hash" not in table


def test_settings_tell_paths_to_administrators_alone(served: Served) -> None:
    home = served.opened.home.path
    shown = {role: person(served, role).get("/settings").body.decode() for role in Role}
    assert home in shown[Role.ADMINISTRATOR]
    for role in (Role.READER, Role.OPERATOR):
        assert home not in shown[role]
        assert home not in person(served, role).get("/settings.json").body.decode()
        assert "retention_days" in shown[role]
    for page in shown.values():
        assert_own_page(page)


def test_the_settings_say_what_the_file_says_by_now(served: Served) -> None:
    admin, path = person(served, Role.ADMINISTRATOR), served.opened.home.file("haulage.toml")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n[status]\nretention_days = 77\n")
        assert "from the next start on: <code>77</code>" in admin.get("/settings").body.decode()
        with open(path, "a", encoding="utf-8") as file:
            file.write("nonsense = 1\n")
        assert b"this server would not start again" in admin.get("/settings").body
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(before)
    assert b"from the next start on" not in admin.get("/settings").body
