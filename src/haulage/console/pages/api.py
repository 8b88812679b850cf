"""The API for people: every endpoint with what it takes, answers and needs, and a command that calls it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from haulage.console.frame.page import Page, Shown, Visit
from haulage.server.app import ENDPOINTS
from haulage.server.description import TAGS, described, operation_id, role_of, says_of, tag_of
from haulage.server.endpoint import JSON, Endpoint

_EXAMPLES = {"{id}": "HQ100001", "{code}": "CHI", "{name}": "shops", "{number}": "1"}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter, or one field of a body."""

    name: str
    kind: str
    needed: bool


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint."""

    id: str
    method: str
    path: str
    summary: str
    role: str
    about: str
    parameters: Sequence[Field]
    body: Sequence[Field]
    media_type: str
    status: int
    answer: str
    command: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Endpoints about one thing."""

    name: str
    words: str
    endpoints: Sequence[Described]


class ApiPage(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    url: str
    sections: Sequence[Section]


def api_pages() -> tuple[Page, ...]:
    """One page; a browser's own search finds everything on it."""
    return (Page(path="/api", template="api.html", show=_show, place="api"),)


def _show(visit: Visit) -> Shown:
    url = visit.service.url()
    by_tag: dict[str, list[Described]] = {name: [] for name in TAGS}
    for endpoint in described(ENDPOINTS):
        by_tag[tag_of(endpoint)].append(_described(endpoint, url))
    sections = [Section(name=name, words=TAGS[name], endpoints=rows) for name, rows in by_tag.items() if rows]
    return Shown(title="API", view=ApiPage(url=url, sections=sections))


def _described(endpoint: Endpoint, url: str) -> Described:
    says = says_of(endpoint)
    value = "" if says.value is None else says.value.__name__
    docs = [kind.__doc__ or "" for kind in (endpoint.query, endpoint.body) if kind is not None]
    return Described(
        id=operation_id(endpoint),
        method=endpoint.method,
        path=endpoint.path,
        summary=endpoint.summary,
        role=role_of(endpoint),
        about=" ".join(" ".join(docs).replace("``", "").split()),
        parameters=_fields(endpoint.query),
        body=_fields(endpoint.body),
        media_type=endpoint.media_type or "",
        status=says.status,
        answer=f"a list of {value}" if says.each and value else value or says.media_type,
        command=_command(endpoint, url),
    )


def _fields(kind: type[Any] | None) -> list[Field]:
    if kind is None:
        return []
    _schema, components = msgspec.json.schema_components([kind], ref_template="{name}")
    shape: Mapping[str, Any] = next(one for one in components.values() if one.get("title") == kind.__name__)
    needed = set(shape.get("required", ()))
    return [Field(name=name, kind=_kind(schema), needed=name in needed) for name, schema in shape.get("properties", {}).items()]


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {_kind(items if isinstance(items, Mapping) else {})}"
    return str(schema.get("type", schema.get("$ref", "anything")))


def _command(endpoint: Endpoint, url: str) -> str:
    path = endpoint.path
    for name, example in _EXAMPLES.items():
        path = path.replace(name, example)
    asked = [f"{field.name}=…" for field in _fields(endpoint.query) if field.needed]
    words = ["curl", "--cacert", "ca.pem", "-H", '"Authorization: Bearer $HAULAGE_TOKEN"']
    words += ["-X", endpoint.method] if endpoint.method != "GET" else []
    if endpoint.body is not None:
        needed = {field.name: _sample(field) for field in _fields(endpoint.body) if field.needed}
        words += ["-H", f'"Content-Type: {JSON}"', "-d", shlex.quote(msgspec.json.encode(needed).decode())]
    elif endpoint.media_type is not None:
        words += ["-H", f'"Content-Type: {endpoint.media_type}"', "--data-binary", "@FILE"]
    return " ".join([*words, shlex.quote(url + path + ("?" + "&".join(asked) if asked else ""))])


def _sample(field: Field) -> object:
    if field.kind.startswith("list"):
        return ["…"]
    return {"integer": 1, "number": 1, "boolean": True}.get(field.kind, "…")
