"""Fixes: list, show, import a bundle, forget one, assess a product folder on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from haulage.base.errors import UsageError
from haulage.domain.fixes import records, views
from haulage.domain.fixes.knowing import require_fix
from haulage.domain.people.roles import Role
from haulage.engine.bundles.reading import BundleFacts
from haulage.operations import fixes
from haulage.operations.fixes import Kept
from haulage.server.api.knowledge import BINARY, UPLOAD_MAX_BYTES
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, desk_for, page_of

_FIX = re.compile(r"[A-Z][A-Z0-9-]{1,31}")


class NewFix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle on the server, and the fingerprints of signers the caller vouches for."""

    path: str
    trust: list[str] = []
    dry_run: bool = False


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same for a bundle in the body; fingerprints are separated by commas."""

    trust: str = ""
    dry_run: bool = False


class Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product folder on the server's machine."""

    root: str


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal."""

    dry_run: bool = False


@dataclass(slots=True)
class _Looked:
    """A bundle that is only tried: it is not kept."""

    facts: BundleFacts
    source: str

    def keep(self) -> None:
        """Nothing."""


def fix_of(call: Call) -> str:
    """The fix in the path. Raises UsageError ``bad-fix-id``."""
    text = call.path["id"].upper()
    if not _FIX.fullmatch(text):
        raise UsageError("bad-fix-id", f"{text[:60]!r} is not the id of a fix.", "Write it as in Q316316.")
    return text


def _list(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return page_of(views.list_fixes(tx, call.service.code), call.query, "id")


def _show(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return Answer(value=views.show_fix(tx, call.service.code, require_fix(tx, call.service.code, fix_of(call))))


def _import(call: Call) -> Answer:
    asked: NewFix = call.body
    call.desk.check_articles(asked.path)
    return _imported(call, asked.path, asked.trust, dry_run=asked.dry_run)


def _upload(call: Call) -> Answer:
    asked: Upload = call.query
    if asked.trust:
        # Whoever vouches for a signer decides what may run.
        call.require(Role.ADMINISTRATOR)
    path = call.service.keep_upload(call.raw)
    try:
        return _imported(call, path, [word for word in asked.trust.split(",") if word], dry_run=asked.dry_run)
    finally:
        call.service.drop_upload(path)


def _imported(call: Call, path: str, trust: list[str], *, dry_run: bool) -> Answer:
    service = call.service
    with service.stage_bundle(path) as staged, desk_for(service, dry_run=dry_run) as desk:
        bundle: Kept = _Looked(staged.facts, staged.source) if dry_run else staged
        fix = fixes.import_bundle(desk, call.actor, bundle, trust=trust, keys=service.fix_keys())
    return Answer(value=views.fix_view(fix) | {"dry_run": dry_run}, status=201)


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    name = fix_of(call)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        fixes.remove_fix(desk, call.actor, name)
    return Answer(value={"id": name, "removed": not asked.dry_run, "dry_run": asked.dry_run})


def _assess(call: Call) -> Answer:
    asked: Root = call.body
    return Answer(value=views.assessment_view(fixes.assess_root(call.service.desk, call.actor, asked.root, call.service.assess)))


def _assessments(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return Answer(value=[views.assessment_view(one) for one in records.list_assessments(tx)])


_ALL = "/api/v1/fixes"
_ONE = f"{_ALL}/{{id}}"

ENDPOINTS = (
    Endpoint(method="GET", path=_ALL, permission=Permission.READ, act=_list, query=Page, summary="All fixes known here"),
    Endpoint(
        method="POST",
        path=_ALL,
        permission=Permission.ADMIN,
        act=_import,
        body=NewFix,
        summary="Import a bundle from a path on the server",
    ),
    Endpoint(
        method="PUT",
        path=f"{_ALL}/upload",
        permission=Permission.OPERATE,
        act=_upload,
        query=Upload,
        media_type=BINARY,
        body_max_bytes=UPLOAD_MAX_BYTES,
        summary="Import an uploaded bundle",
    ),
    Endpoint(
        method="GET", path=_ONE, permission=Permission.READ, act=_show, summary="One fix, where its bundle is, what replaces it"
    ),
    Endpoint(
        method="DELETE", path=_ONE, permission=Permission.OPERATE, act=_remove, query=Removal, summary="Forget it, here and below"
    ),
    Endpoint(
        method="GET", path="/api/v1/assessments", permission=Permission.READ, act=_assessments, summary="What product folders lack"
    ),
    Endpoint(
        method="POST",
        path="/api/v1/assessments",
        permission=Permission.ADMIN,
        act=_assess,
        body=Root,
        summary="Assess a product folder",
    ),
)
