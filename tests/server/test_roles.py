"""Who may call what: the whole table of endpoints against roles, held and tried."""

from __future__ import annotations

import json

import pytest

from haulage.domain.people.model import LOCAL
from haulage.domain.people.roles import Role
from haulage.engine.status.message import StatusFilter
from haulage.operations import people
from haulage.server.app import ENDPOINTS
from haulage.server.endpoint import Endpoint, Permission
from tests.server.asgi import Reply, Served

WRITES_A_READER_MAY = {
    ("PUT", "/api/v1/me/password"): "one's own",
    ("DELETE", "/api/v1/tokens/{id}"): "one's own; of others only an administrator",
    ("POST", "/api/v1/diagnosis"): "it changes nothing: the text is too long for an address",
}
READS_A_READER_MAY_NOT = {
    ("GET", "/api/v1/doctor"): Role.OPERATOR,
    ("GET", "/api/v1/packages/{id}/plan"): Role.OPERATOR,
    ("GET", "/content/v1/chunks/{chunk}"): Role.OPERATOR,
    ("GET", "/api/v1/notifiers"): Role.ADMINISTRATOR,
    ("GET", "/api/v1/users"): Role.ADMINISTRATOR,
    ("GET", "/api/v1/users/{name}"): Role.ADMINISTRATOR,
    ("GET", "/api/v1/tokens"): Role.ADMINISTRATOR,
}
NEEDS_AN_ADMINISTRATOR = ("/api/v1/sites", "/api/v1/users", "/api/v1/tokens", "/api/v1/backups", "/api/v1/store", "/extract")
NAMED = [endpoint for endpoint in ENDPOINTS if endpoint.permission.role is not None]


@pytest.fixture(scope="module")
def tokens(served: Served) -> dict[Role, str]:
    """A token of a user of each role."""
    made = {}
    for role in Role:
        name = f"t.{role.value}"
        people.create_user(served.service.local_desk, "test", name=name, role=role)
        made[role] = people.create_token(served.service.desk, LOCAL, name="test", role=role, owner=name).secret
    return made


def call(served: Served, token: str, endpoint: Endpoint) -> Reply:
    path = endpoint.path.replace("{id}", "HQ1FFFFF").replace("{code}", "ZZZ").replace("{", "").replace("}", "")
    body = b"{}" if endpoint.body is not None or endpoint.media_type is not None else b""
    headers = {"Authorization": f"Bearer {token}"}
    if body:
        headers["Content-Type"] = endpoint.media_type or "application/json"
    return served.ask(endpoint.method, path, headers=headers, body=body)


@pytest.mark.parametrize("endpoint", NAMED, ids=lambda one: f"{one.method} {one.path}")
def test_b71_every_endpoint_against_every_role(served: Served, tokens: dict[Role, str], endpoint: Endpoint) -> None:
    needed = endpoint.permission.role
    assert needed is not None
    for role in Role:
        if role >= needed and endpoint.path.endswith("/stream"):
            continue  # it never ends
        reply = call(served, tokens[role], endpoint)
        assert reply.status != 401, (role, reply.body)
        refused = reply.status == 403 and reply.code == "role-too-low"
        assert refused == (role < needed), (role, reply.body)
        if refused:
            assert needed.value in reply.json["detail"]
            assert f"t.{role.value}" in reply.json["detail"]
            assert "haulage user set" in reply.json["hint"]


def test_b71_nobody_raises_their_own_role_by_a_field(served: Served, tokens: dict[Role, str]) -> None:
    headers = {"Authorization": f"Bearer {tokens[Role.READER]}", "Content-Type": "application/json"}
    for body in ({"old": "x", "password": "y", "role": "administrator"}, {"role": "administrator"}, {"name": "t.reader"}):
        reply = served.ask("PUT", "/api/v1/me/password", headers=headers, body=json.dumps(body).encode())
        assert (reply.status, reply.code) == (400, "bad-body")
    assert served.ask("GET", "/api/v1/me?role=administrator", headers=headers).code == "bad-query"
    assert served.ask("GET", "/api/v1/me", headers={**headers, "X-Haulage-Role": "administrator"}).json["role"] == "reader"


def test_a_reader_changes_nothing_but_what_is_their_own() -> None:
    writes = {(one.method, one.path) for one in NAMED if one.method != "GET" and one.permission is Permission.READ}
    assert writes == set(WRITES_A_READER_MAY)


def test_a_reader_sees_everything_but_this() -> None:
    reads = {(one.method, one.path): one.permission.role for one in NAMED if one.method == "GET"}
    assert {key: role for key, role in reads.items() if role is not Role.READER} == READS_A_READER_MAY_NOT


def test_what_touches_the_server_or_its_people_needs_an_administrator() -> None:
    for one in NAMED:
        if (
            one.method != "GET"
            and one.path.startswith(NEEDS_AN_ADMINISTRATOR[:-1])
            and (one.method, one.path) not in WRITES_A_READER_MAY
        ):
            assert one.permission is Permission.ADMIN, one.path
    paths = {("POST", "/api/v1/article-imports"), ("POST", "/api/v1/fixes"), ("POST", "/api/v1/assessments")}
    paths.add(("POST", "/api/v1/packages/{id}/extract"))
    assert {(one.method, one.path) for one in NAMED if one.permission is Permission.ADMIN} >= paths


def test_every_act_is_told_under_the_name_of_who_did_it(served: Served, tokens: dict[Role, str]) -> None:
    call_as = {"Authorization": f"Bearer {tokens[Role.OPERATOR]}", "Content-Type": "application/json"}
    refused = served.ask("POST", "/api/v1/packages", headers=call_as, body=b'{"name": "x", "source": "/etc"}')
    assert (refused.status, refused.code) == (403, "source-not-allowed")
    path = str(served.opened.home.path)
    for local, code in ((False, "source-not-allowed"), (True, "source-overlaps")):
        headers = {**call_as, "Authorization": f"Bearer {served.token if local else tokens[Role.ADMINISTRATOR]}"}
        reply = served.ask("POST", "/api/v1/packages", headers=headers, body=json.dumps({"name": "x", "source": path}).encode())
        assert reply.code == code
    served.ask(
        "POST", "/api/v1/store/sweep", headers={**call_as, "Authorization": f"Bearer {tokens[Role.ADMINISTRATOR]}"}, body=b"{}"
    )
    with served.service.core.database.reading() as tx:
        found = served.service.core.journal.find(tx, StatusFilter(components=("operations",)), limit=5000)
    assert "t.administrator" in {one.record.fields.get("actor") for one in found}


def test_the_home_of_the_server_is_told_to_administrators_alone(served: Served, tokens: dict[Role, str]) -> None:
    for role in Role:
        found = served.ask("GET", "/api/v1/site", headers={"Authorization": f"Bearer {tokens[role]}"}).json["home"]
        assert found == (served.opened.home.path if role is Role.ADMINISTRATOR else "")
        shown = served.ask("GET", "/api/v1/settings", headers={"Authorization": f"Bearer {tokens[role]}"})
        paths = [one["value"] for one in shown.json if (one["section"], one["name"]) == ("content", "path")]
        assert paths == ['""' if role is Role.ADMINISTRATOR else None]


def test_users_and_tokens_come_and_go_over_the_api(served: Served) -> None:
    made = served.admin("POST", "/api/v1/users", {"name": "Api.User", "role": "operator", "password": "correct horse battery"})
    assert (made.status, made.json["name"], made.json["has_password"]) == (201, "api.user", True)
    assert "hash" not in made.body.decode()
    again = served.admin("POST", "/api/v1/users", {"name": "api.user", "role": "reader"})
    assert (again.status, again.code) == (409, "user-exists")
    token = served.admin("POST", "/api/v1/tokens", {"name": "build", "role": "reader", "owner": "api.user", "days": 1})
    assert token.status == 201
    own = {"Authorization": f"Bearer {token.json['token']}"}
    me = served.ask("GET", "/api/v1/me", headers=own).json
    assert (me["name"], me["role"], [one["id"] for one in me["tokens"]]) == ("api.user", "reader", [token.json["id"]])
    tried = served.admin("DELETE", "/api/v1/users/api.user?dry_run=true").json
    assert (tried["removed"], tried["tokens_withdrawn"]) == (False, 1)
    assert served.admin("PATCH", "/api/v1/users/api.user", {"disabled": True}).json["disabled"] is True
    assert served.ask("GET", "/api/v1/me", headers=own).code == "token-wrong"
    served.admin("PATCH", "/api/v1/users/api.user", {"disabled": False})
    assert served.ask("GET", "/api/v1/me", headers=own).status == 200
    assert served.ask("DELETE", f"/api/v1/tokens/{token.json['id']}", headers=own).json["removed"] is True
    assert served.ask("GET", "/api/v1/me", headers=own).code == "token-wrong"
    assert served.admin("DELETE", "/api/v1/users/api.user").json["removed"] is True
    assert served.admin("GET", "/api/v1/users/api.user").code == "no-such-user"


def test_ones_own_password_needs_the_old_one_over_the_api_too(served: Served) -> None:
    people.create_user(served.service.local_desk, "test", name="own.one", role=Role.READER, password="correct horse battery")
    token = people.create_token(served.service.desk, LOCAL, name="x", role=Role.READER, owner="own.one").secret
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for body, code in (
        ({"old": "wrong", "password": "another horse battery"}, "sign-in-wrong"),
        ({"old": "correct horse battery", "password": "short"}, "bad-password"),
    ):
        assert served.ask("PUT", "/api/v1/me/password", headers=headers, body=json.dumps(body).encode()).code == code
    fine = {"old": "correct horse battery", "password": "another horse battery"}
    assert served.ask("PUT", "/api/v1/me/password", headers=headers, body=json.dumps(fine).encode()).status == 200
    assert served.admin("PUT", "/api/v1/me/password", fine).code == "no-password"
