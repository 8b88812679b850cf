"""The site's built-in HTTP point: signed versions, and chunks by digest. Everything but ``current`` never changes."""

from __future__ import annotations

import re

from starlette.responses import Response

from haulage.base.errors import NotFoundError, UsageError
from haulage.base.ids import VersionNumber, make_place, package_id
from haulage.domain.replication.records import find_definition
from haulage.domain.transit import records as transit
from haulage.engine.content.model import ChunkId
from haulage.engine.links.joining import CLAIM_MEDIA_TYPE as SIGNED
from haulage.engine.protocol.definitions import Kind
from haulage.operations.desk import require_package
from haulage.server.endpoint import Call, Endpoint, Permission

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
_CHUNK = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def _current(call: Call) -> Response:
    """The version this site shows: held whole, and seen present (I5)."""
    package = package_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        require_package(tx, package)
        row = transit.find_shipment(tx, package, make_place(call.service.code))
    if row is None or not row.present:
        raise NotFoundError("no-version-here", f"{call.service.code} shows no version of {package}.", "haulage package status ID")
    return _version(call, row.present, {"Cache-Control": "no-cache"})


def _one(call: Call) -> Response:
    text = call.path["version"]
    if not _NUMBER.fullmatch(text):
        raise UsageError("bad-version", f"{text[:40]!r} is not a version.", "Use its number.")
    return _version(call, VersionNumber(int(text)), IMMUTABLE)


def _version(call: Call, number: VersionNumber, headers: dict[str, str]) -> Response:
    package = package_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        held = transit.held_versions(tx, package)
        stored = find_definition(tx, Kind.VERSION, f"{package}:{number}")
    if number not in held or stored is None or stored.deleted:
        raise NotFoundError("no-such-version", f"{package}:{number} is not held at {call.service.code}.", "")
    return Response(stored.document, media_type=SIGNED, headers={"ETag": f'"{package}:{number}"', **headers})


def _chunk(call: Call) -> Response:
    text = call.path["chunk"]
    if not _CHUNK.fullmatch(text):
        raise UsageError("bad-digest", f"{text[:80]!r} is not a digest.", "Use 64 lower-case hexadecimal digits.")
    data = call.service.store.read(ChunkId(bytes.fromhex(text)))
    return Response(data, media_type="application/octet-stream", headers={"ETag": f'"{text}"', **IMMUTABLE})


_PACKAGE = "/content/v1/packages/{id}"

ENDPOINTS = (
    Endpoint(
        method="GET", path=f"{_PACKAGE}/current", permission=Permission.READ, act=_current, summary="The signed version shown"
    ),
    Endpoint(method="GET", path=f"{_PACKAGE}/{{version}}", permission=Permission.READ, act=_one, summary="One signed version held"),
    Endpoint(
        method="GET",
        path="/content/v1/chunks/{chunk}",
        permission=Permission.OPERATE,
        act=_chunk,
        summary="A chunk, manifest page or root page by its BLAKE3",
    ),
)
