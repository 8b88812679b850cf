"""The API's description (OpenAPI 3.1), made from the same endpoints, types and permissions by which requests are checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from haulage.domain.people.roles import Role
from haulage.engine.protocol.problems import MEDIA_TYPE as PROBLEM
from haulage.engine.protocol.problems import Problem
from haulage.server.answers import ANSWERS, Says
from haulage.server.endpoint import JSON, Endpoint, Permission
from haulage.server.listing import LIMIT_MAX

Json = dict[str, Any]

TAGS: dict[str, str] = {
    "site": "This server.",
    "sites": "The hierarchy, and who is let in.",
    "packages": "What is distributed, where it goes, and what it takes.",
    "points": "Folders that clients read.",
    "groups": "Places under one name.",
    "declared": "One file for everything.",
    "transfers": "What is under way, held and released.",
    "status": "What happened.",
    "store": "Content, and whether it is sound.",
    "knowledge": "Articles, search and diagnosis.",
    "fixes": "Bundles, and what a product lacks.",
    "people": "Users, roles and tokens.",
    "server": "Health, figures, findings, backups.",
}
_TAG_OF = {
    "site": "site",
    "doctor": "server",
    "openapi.json": "server",
    "backups": "server",
    "healthz": "server",
    "metrics": "server",
    "notifiers": "server",
    "traffic": "transfers",
    "standing": "packages",
    "articles": "knowledge",
    "article-imports": "knowledge",
    "search": "knowledge",
    "diagnosis": "knowledge",
    "assessments": "fixes",
    "users": "people",
    "tokens": "people",
    "me": "people",
    "roles": "people",
}
_PATH_SCHEMAS: dict[str, tuple[Json, str]] = {
    "packages/{id}": ({"type": "string", "pattern": "^[A-Z0-9]{3}[0-9A-F]{5}$"}, "A package, such as HQ100001."),
    "{code}": ({"type": "string", "pattern": "^[A-Z0-9]{3}$"}, "The code of a site."),
    "points/{code}/{name}": ({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}, "The name of a point."),
    "groups/{name}": ({"type": "string", "pattern": "^@?[a-z0-9][a-z0-9-]{0,62}$"}, "The name of a group."),
}
_ROLE_WORDS = {role: role.name.lower() for role in Role}
_ABOUT = (
    "Sizes are in bytes, times in UTC. Every refusal is a problem document (RFC 9457) with a stable code and a hint. Changes take "
    "dry_run: everything is checked, and nothing is done. Answers may gain fields."
)
_ERRORS = {
    "400": "What was asked makes no sense as written.",
    "401": "The token is missing or not one of this server.",
    "403": "The caller may not do this.",
    "404": "Something that was named does not exist.",
    "409": "The present state forbids it.",
    "413": "The body is too large.",
    "415": "The body is not of the one type this takes.",
    "422": "A document breaks the rules of its format.",
}


def described(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Those that are for people's programs; what sites say to each other is in docs/format-wire.md."""
    return [
        one for one in endpoints if one.permission is not Permission.SITE and one.path.startswith(("/api/", "/healthz", "/metrics"))
    ]


def describe(endpoints: Sequence[Endpoint], version: str) -> Json:
    """The whole description."""
    rows = described(endpoints)
    schemas, names = _schemas(rows)
    paths: dict[str, Json] = {}
    for endpoint in rows:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, names, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Haulage",
            "version": version,
            "summary": "Software distribution over slow, metered or absent links",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _schemes(), "responses": _responses()},
    }


def tag_of(endpoint: Endpoint) -> str:
    """Under which heading an endpoint stands."""
    noun = endpoint.path.removeprefix("/api/v1").strip("/").split("/")[0]
    return noun if noun in TAGS else _TAG_OF.get(noun, "server")


def operation_id(endpoint: Endpoint) -> str:
    """A name for generated clients: ``getPackagesByIdStatus``."""
    words: list[str] = []
    for part in endpoint.path.removeprefix("/api/v1").strip("/").split("/"):
        words += ["by", part[1:-1]] if part.startswith("{") else re.split(r"[^A-Za-z0-9]+", part)
    return endpoint.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def role_of(endpoint: Endpoint) -> str:
    """The least role, or empty for whoever needs none."""
    return "" if endpoint.permission.role is None else _ROLE_WORDS[endpoint.permission.role]


def says_of(endpoint: Endpoint) -> Says:
    """What it answers."""
    return ANSWERS.get((endpoint.method, endpoint.path), Says())


def _operation(endpoint: Endpoint, names: Mapping[type[Any], str], schemas: Mapping[str, Json]) -> Json:
    out: Json = {
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [tag_of(endpoint)],
        "security": _security(endpoint),
        "responses": _answers(endpoint, names),
    }
    about = [_sentences(kind) for kind in (endpoint.query, endpoint.body) if kind is not None and kind.__doc__]
    role = role_of(endpoint)
    text = " ".join([*([f"Needs the role {role}."] if role else []), *about])
    if text:
        out["description"] = text
    parameters = [*_in_path(endpoint), *_in_query(endpoint, names, schemas)]
    if parameters:
        out["parameters"] = parameters
    if endpoint.body is not None:
        required = bool(schemas[names[endpoint.body]].get("required"))
        out["requestBody"] = {"required": required, "content": {JSON: {"schema": _ref(names[endpoint.body])}}}
    elif endpoint.media_type is not None:
        binary = {"type": "string", "contentMediaType": endpoint.media_type}
        out["requestBody"] = {"required": True, "content": {endpoint.media_type: {"schema": binary}}}
    return out


def _security(endpoint: Endpoint) -> list[Json]:
    if endpoint.permission is Permission.OPEN:
        return []
    scrape: list[Json] = [{"figures": []}] if endpoint.permission is Permission.SCRAPE else []
    return [{"token": [role_of(endpoint)] if role_of(endpoint) else []}, *scrape]


def _in_path(endpoint: Endpoint) -> list[Json]:
    out = []
    steps = endpoint.path.split("/")
    for index, step in enumerate(steps):
        if step.startswith("{"):
            around = ["/".join(steps[begin : index + 1]) for begin in range(index + 1)]
            schema, text = next((_PATH_SCHEMAS[one] for one in around if one in _PATH_SCHEMAS), ({"type": "string"}, ""))
            one: Json = {"name": step[1:-1], "in": "path", "required": True, "schema": schema}
            out.append(one | ({"description": text} if text else {}))
    return out


def _in_query(endpoint: Endpoint, names: Mapping[type[Any], str], schemas: Mapping[str, Json]) -> list[Json]:
    if endpoint.query is None:
        return []
    shape = schemas[names[endpoint.query]]
    required = set(shape.get("required", ()))
    out = []
    for name, schema in shape.get("properties", {}).items():
        one: Json = {"name": name, "in": "query", "required": name in required, "schema": schema}
        if name == "limit":
            one["description"] = f"At most so many, from 1 to {LIMIT_MAX}; the answer is then a page with a cursor."
        if name == "cursor":
            one["description"] = "Go on behind what an earlier page's cursor names."
        out.append(one)
    return out


def _answers(endpoint: Endpoint, names: Mapping[type[Any], str]) -> Json:
    says = says_of(endpoint)
    schema: Json = {} if says.value is None else _ref(names[says.value])
    if says.media_type != JSON:
        schema = {"type": "string"}
    if says.each:
        listed = {"type": "array", "items": schema}
        page = {
            "type": "object",
            "properties": {"items": listed, "cursor": {"type": ["string", "null"]}},
            "required": ["items", "cursor"],
        }
        schema = {"oneOf": [listed, page]}
    words = {200: "So it is.", 201: "It was made.", 202: "It was asked for and is under way."}
    out: Json = {str(says.status): {"description": words[says.status], "content": {says.media_type: {"schema": schema}}}}
    if says.status != 200 and endpoint.body is not None and says.status == 202:
        out["200"] = {"description": "It was only looked at.", "content": {says.media_type: {"schema": schema}}}
    expected = ["400"]
    expected += ["401", "403"] if endpoint.permission is not Permission.OPEN else []
    expected += ["404"] if "{" in endpoint.path or endpoint.body is not None or endpoint.query is not None else []
    expected += ["409", "413", "415", "422"] if endpoint.body is not None or endpoint.media_type is not None else []
    expected += ["409"] if endpoint.method == "DELETE" and endpoint.body is None else []
    out |= {status: {"$ref": f"#/components/responses/{status}"} for status in expected}
    return out | {"default": {"$ref": "#/components/responses/default"}}


def _responses() -> Json:
    body = {PROBLEM: {"schema": _ref("Problem")}}
    told = {status: {"description": text, "content": body} for status, text in _ERRORS.items()}
    return told | {"default": {"description": "Any other refusal, as a problem document.", "content": body}}


def _schemes() -> Json:
    return {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of a user, or the server's own; see haulage token."},
        "figures": {"type": "http", "scheme": "bearer", "description": "The token that is for figures alone, if there is one."},
    }


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[dict[str, Json], dict[type[Any], str]]:
    """Every type by its name; types of one name get their module's before it."""
    asked = [kind for one in endpoints for kind in (one.query, one.body, says_of(one).value) if kind is not None]
    kinds = list(dict.fromkeys(asked))
    _found, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    short = {name: _short(name) for name in components}
    text = msgspec.json.encode(components).decode()
    for long, name in short.items():
        text = text.replace(f'"#/components/schemas/{long}"', f'"#/components/schemas/{name}"')
    schemas = {short[name]: schema for name, schema in msgspec.json.decode(text).items()}
    names = {kind: short[kind.__name__ if kind.__name__ in components else f"{kind.__module__}.{kind.__name__}"] for kind in kinds}
    properties = {name: {"type": "string"} for name in Problem.__struct_fields__} | {"status": {"type": "integer"}}
    schemas["Problem"] = {"title": "Problem", "type": "object", "properties": properties, "required": ["status", "code", "detail"]}
    return schemas, names


def _short(name: str) -> str:
    *module, last = name.split(".")
    return last if not module else "".join(word.capitalize() for word in module[-1].split("_")) + last


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _sentences(kind: type[Any]) -> str:
    return " ".join((kind.__doc__ or "").replace("``", "").split())
