"""The API's description is valid, whole, and what the endpoints really do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from haulage.server.answers import ANSWERS
from haulage.server.app import ENDPOINTS
from haulage.server.description import TAGS, describe, described, operation_id, role_of, tag_of
from haulage.server.endpoint import Endpoint, Permission
from tests.server.asgi import Reply, Served

DESCRIPTION = describe(ENDPOINTS, "1")
REGISTRY = Registry().with_resource("", DRAFT202012.create_resource(DESCRIPTION))
ROWS = described(ENDPOINTS)
READS = [one for one in ROWS if one.method == "GET" and one.path != "/api/v1/status/stream"]
BODIES = [one for one in ROWS if one.body is not None]


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def operation(endpoint: Endpoint) -> Any:
    return DESCRIPTION["paths"][endpoint.path][endpoint.method.lower()]


def resolved(one: Any) -> Any:
    while "$ref" in one:
        found: Any = DESCRIPTION
        for step in one["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        one = found
    return one


def faults(value: Any, schema: Any) -> list[str]:
    rebased = json.loads(json.dumps(schema).replace('"#/', '"urn:d#/'))
    registry: Any = Registry().with_resource("urn:d", DRAFT202012.create_resource(DESCRIPTION))
    return [str(error.message)[:200] for error in OAS31Validator(rebased, registry=registry).iter_errors(value)]


def check(endpoint: Endpoint, reply: Reply) -> None:
    """An answer stands in the description, and is of the form described there."""
    told = operation(endpoint)["responses"]
    status = str(reply.status)
    assert status in told or reply.status >= 400, (name(endpoint), reply.status, reply.body[:300])
    answer = resolved(told[status] if status in told else told["default"])
    media_type = reply.headers["content-type"].partition(";")[0]
    assert media_type in answer["content"], (name(endpoint), media_type)
    if media_type.endswith("json"):
        assert faults(reply.json, answer["content"][media_type]["schema"]) == [], (name(endpoint), reply.body[:500])


def concrete(endpoint: Endpoint, served: Served, package: str) -> str:
    path = endpoint.path.replace("packages/{id}", f"packages/{package}").replace("{code}", "CHI").replace("{number}", "1")
    query = {"plan": "?to=HQ1", "explain": "?at=HQ1", "diff": "?from=1&to=1", "search": "?q=error"}.get(path.rpartition("/")[2], "")
    return path.replace("{id}", "Q1").replace("{name}", "none") + query


@pytest.fixture(scope="module")
def package(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    source = tmp_path_factory.mktemp("described")
    (source / "file").write_bytes(b"content")
    served.admin("PUT", "/api/v1/groups/described/places", {"places": ["CHI"]})
    return served.publish(str(source), "CHI")


def test_it_is_openapi() -> None:
    OpenAPIV31SpecValidator(DESCRIPTION).validate()


def test_it_is_what_the_server_hands_out(served: Served) -> None:
    reply = served.admin("GET", "/api/v1/openapi.json")
    assert reply.json["paths"].keys() == DESCRIPTION["paths"].keys()
    OpenAPIV31SpecValidator(reply.json).validate()


def test_every_endpoint_for_programs_is_described_once() -> None:
    there = {(method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    wanted = {(one.method, one.path) for one in ENDPOINTS if one.path.startswith("/api/")} - {
        (one.method, one.path) for one in ENDPOINTS if one.permission is Permission.SITE
    }
    assert wanted <= there
    ids = [operation(one)["operationId"] for one in ROWS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*", one) for one in ids)
    assert {tag_of(one) for one in ROWS} == set(TAGS)


def test_what_is_said_of_answers_is_said_of_endpoints_that_are_there() -> None:
    assert set(ANSWERS) <= {(one.method, one.path) for one in ENDPOINTS}


@pytest.mark.parametrize("endpoint", ROWS, ids=name)
def test_roles_and_parameters_are_those_that_are_checked(endpoint: Endpoint) -> None:
    told = operation(endpoint)
    roles = [role for one in told["security"] for role in one.get("token", [])]
    assert roles == ([role_of(endpoint)] if endpoint.permission.role is not None else [])
    assert (told["security"] == []) == (endpoint.permission is Permission.OPEN)
    in_path = {one["name"] for one in told.get("parameters", []) if one["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", endpoint.path))
    in_query = {one["name"] for one in told.get("parameters", []) if one["in"] == "query"}
    assert in_query == (set(endpoint.query.__struct_encode_fields__) if endpoint.query is not None else set())
    assert ("requestBody" in told) == (endpoint.body is not None or endpoint.media_type is not None)


@pytest.mark.parametrize("endpoint", READS, ids=name)
def test_every_reading_answers_as_described(served: Served, package: str, endpoint: Endpoint) -> None:
    check(endpoint, served.admin("GET", concrete(endpoint, served, package)))
    if endpoint.query is not None:
        refused = served.admin("GET", concrete(endpoint, served, package).partition("?")[0] + "?surely_unknown=1")
        assert refused.status == 400
        check(endpoint, refused)


@pytest.mark.parametrize("endpoint", BODIES, ids=name)
def test_every_body_is_checked_as_described(served: Served, package: str, endpoint: Endpoint) -> None:
    schema = resolved(operation(endpoint)["requestBody"]["content"]["application/json"]["schema"])
    unknown = {"surely_unknown": 1}
    refused = served.admin(endpoint.method, concrete(endpoint, served, package), unknown)
    check(endpoint, refused)
    assert refused.status == 400
    assert faults(unknown, schema) != []
    if schema.get("required"):
        without = served.admin(endpoint.method, concrete(endpoint, served, package), {})
        check(endpoint, without)
        assert (without.status, faults({}, schema) != []) == (400, True)


def test_changes_that_are_only_tried_answer_as_described(served: Served, package: str, tmp_path: Path) -> None:
    point, source = tmp_path / "point", tmp_path / "source"
    for folder in (point, source):
        folder.mkdir()
    bodies: dict[tuple[str, str], Any] = {
        ("POST", "/api/v1/packages"): {"name": "a", "source": str(source), "dry_run": True},
        ("PATCH", "/api/v1/packages/{id}"): {"keep": 5, "dry_run": True},
        ("POST", "/api/v1/packages/{id}/publish"): {"dry_run": True},
        ("PUT", "/api/v1/packages/{id}/places"): {"places": ["@described"], "dry_run": True},
        ("DELETE", "/api/v1/packages/{id}/places"): {"places": ["CHI"], "dry_run": True},
        ("POST", "/api/v1/points"): {"place": "HQ1/described", "url": f"folder:{point}", "dry_run": True},
        ("POST", "/api/v1/sites/invitations"): {"code": "NEW", "dry_run": True},
        ("PUT", "/api/v1/groups/{name}"): {"places": ["CHI"], "dry_run": True},
        ("PUT", "/api/v1/groups/{name}/places"): {"places": ["CHI"], "dry_run": True},
        ("POST", "/api/v1/declared/compare"): {"text": "format = 1\n[groups]\nfresh = ['CHI']\n"},
        ("POST", "/api/v1/declared/apply"): {"text": "format = 1\n[groups]\nfresh = ['CHI']\n", "dry_run": True},
    }
    by_name = {(one.method, one.path): one for one in ROWS}
    for key, body in bodies.items():
        endpoint = by_name[key]
        reply = served.admin(key[0], concrete(endpoint, served, package).partition("?")[0], body)
        assert reply.status < 300, (key, reply.body)
        check(endpoint, reply)
        schema = resolved(operation(endpoint)["requestBody"]["content"]["application/json"]["schema"])
        assert faults(body, schema) == []


def test_lists_answer_as_pages_as_described(served: Served, package: str) -> None:
    for endpoint in ROWS:
        if endpoint.query is not None and "limit" in endpoint.query.__struct_encode_fields__ and "{" not in endpoint.path:
            joint = "&" if "?" in concrete(endpoint, served, package) else "?"
            if endpoint.path != "/api/v1/status/stream":
                check(endpoint, served.admin("GET", f"{concrete(endpoint, served, package)}{joint}limit=2"))


def test_names_are_those_of_the_path() -> None:
    one = next(one for one in ROWS if one.path == "/api/v1/packages/{id}/status")
    assert operation_id(one) == "getPackagesByIdStatus"
