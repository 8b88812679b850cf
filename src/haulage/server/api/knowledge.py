"""Articles: import, list, search, show, diagnosis, relations, proposals of fixes."""

from __future__ import annotations

import dataclasses

import msgspec

from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.domain.fixes import records as fixes
from haulage.domain.fixes.knowing import foremost as foremost_fixes
from haulage.domain.knowledge import records, views
from haulage.domain.knowledge.diagnosis import diagnose, hit_view, likely_view
from haulage.domain.knowledge.proposing import proposal_for, proposal_view
from haulage.domain.knowledge.remedies import edges_around, remedy
from haulage.domain.knowledge.taking import foremost, precedence, require_article
from haulage.engine.articles.article import article_id
from haulage.engine.search.model import Facet, Question
from haulage.operations import fixes as fix_operations
from haulage.operations import knowledge
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import check_limit, desk_for
from haulage.server.service import View

UPLOAD_MAX_BYTES = 64 << 20
"""Held in memory while it comes; more than that is read from a path on the server."""
TEXT_MAX_BYTES = 256 << 10
BINARY = "application/octet-stream"


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which articles; ``cursor`` is the id of the last one seen."""

    owner: str | None = None
    limit: int = 100
    cursor: str = ""


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question. Facets narrow it; values of one facet are separated by ``|``, and an empty one is none."""

    text: str = ""
    product: str = ""
    version: str = ""
    keyword: str = ""
    type: str = ""
    year: str = ""
    limit: int = 20
    cursor: str = ""

    def question(self) -> Question:
        """As the index takes it."""
        given = {facet: [value for value in getattr(self, facet.value).split("|") if value] for facet in Facet}
        only = {facet: values for facet, values in given.items() if values}
        return Question(text=self.text, only=only, limit=self.limit, after=self.cursor)


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody sees: a log, a status message, an error."""

    text: str
    message: int | None = None
    """The number, if it is a status message of Haulage."""
    limit: int = 5


class NewImport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder, archive or file on the server."""

    path: str
    dry_run: bool = False


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the uploaded file is called."""

    name: str


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal."""

    dry_run: bool = False


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of the proposal a person agrees with; None: all of it."""

    supersedes: list[str] | None = None
    contains: list[str] | None = None
    requires: list[str] | None = None
    dry_run: bool = False


def _list(call: Call) -> Answer:
    asked: Listing = call.query
    check_limit(asked.limit)
    with call.service.core.database.reading() as tx:
        rows = records.list_articles(tx, after=asked.cursor, limit=asked.limit, owner=asked.owner)
        chosen = foremost(rows, precedence(tx, call.service.code))
    listed = [views.article_row(chosen[name]) for name in sorted(chosen)]
    return Answer(value={"items": listed, "cursor": listed[-1]["id"] if len(listed) >= asked.limit else None})


def _search(call: Call) -> Answer:
    asked: Search = call.query
    check_limit(asked.limit)
    answer = call.service.core.librarian.search(asked.question())
    with call.service.core.database.reading() as tx:
        behind = call.service.core.librarian.behind(tx)
    facets = {
        facet.value: [{"value": one.value, "articles": one.articles} for one in counts] for facet, counts in answer.facets.items()
    }
    return Answer(
        value={
            "items": [hit_view(hit) for hit in answer.hits],
            "total": answer.total,
            "facets": facets,
            "did_you_mean": answer.did_you_mean,
            "behind": behind,
            "cursor": answer.next or None,
        }
    )


def _show(call: Call) -> Answer:
    name = article_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        return Answer(value=views.show_article(tx, call.service.code, require_article(tx, call.service.code, name)))


def _diagnose(call: Call) -> Answer:
    asked: Text = call.body
    check_limit(asked.limit)
    if not asked.text.strip() and asked.message is None:
        raise UsageError("nothing-to-diagnose", "The text is empty.", "Give what you see: a log line, a message, an error.")
    found = diagnose(
        call.service.core.librarian, asked.text, limit=asked.limit, messages=[] if asked.message is None else [asked.message]
    )
    with call.service.core.database.reading() as tx:
        rows = [likely_view(one, remedy(tx, call.service.code, one.hit.id)) for one in found]
    return Answer(value={"items": rows})


def _graph(call: Call) -> Answer:
    name = article_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        known = foremost_fixes(tx, call.service.code, fixes.list_fixes(tx))
        edges = edges_around(tx, known, name)
        return Answer(value=views.graph_view(tx, call.service.code, name, edges, remedy(tx, call.service.code, name)))


def _import(call: Call) -> Answer:
    asked: NewImport = call.body
    with desk_for(call.service, caller=call.caller, dry_run=asked.dry_run) as desk:
        number = knowledge.import_articles(desk, call.actor, asked.path)
    return Answer(value={"id": str(number), "number": number, "dry_run": asked.dry_run}, status=202)


def _upload(call: Call) -> Answer:
    asked: Upload = call.query
    spool = call.service.keep_upload(call.raw)
    try:
        number = knowledge.import_articles(call.service.desk, call.actor, asked.name, spool=spool)
    except BaseException:
        call.service.drop_upload(spool)
        raise
    return Answer(value={"id": str(number), "number": number}, status=202)


def _imports(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return Answer(value=[views.import_view(one) for one in records.list_imports(tx)])


def _import_shown(call: Call) -> Answer:
    text = call.path["number"]
    with call.service.core.database.reading() as tx:
        found = records.find_import(tx, int(text)) if text.isdecimal() and len(text) < 10 else None
        behind = call.service.core.librarian.behind(tx)
    if found is None:
        raise NotFoundError("no-such-import", f"There was no import {text[:20]} here.", "haulage kb imports lists them.")
    return Answer(value=views.import_view(found) | {"behind": behind})


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    name = article_id(call.path["id"])
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        knowledge.remove_article(desk, call.actor, name)
    return Answer(value={"id": name, "removed": not asked.dry_run, "dry_run": asked.dry_run})


def _propose(call: Call) -> Answer:
    name = article_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        return Answer(value=proposal_view(proposal_for(tx, call.service.code, name)))


def _confirm(call: Call) -> Answer:
    asked: Confirmation = call.body
    name = article_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        proposed = proposal_for(tx, call.service.code, name)
    chosen = dataclasses.replace(
        proposed,
        supersedes=proposed.supersedes if asked.supersedes is None else tuple(map(article_id, asked.supersedes)),
        contains=proposed.contains if asked.contains is None else tuple(map(article_id, asked.contains)),
        requires=proposed.requires if asked.requires is None else tuple(map(article_id, asked.requires)),
    )
    for field in ("supersedes", "contains", "requires"):
        beyond = set(getattr(chosen, field)) - set(getattr(proposed, field))
        if beyond:
            raise ConflictError(
                "not-proposed",
                f"The article does not say that {name} {field} {', '.join(sorted(beyond))}.",
                "haulage kb propose ID",
            )
    made: View
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        fix = fix_operations.confirm_fix(desk, call.actor, chosen)
        made = {"id": fix.fix, "supersedes": fix.supersedes, "contains": fix.contains, "requires": fix.requires}
    return Answer(value=made | {"dry_run": asked.dry_run}, status=201)


_ALL = "/api/v1/articles"
_ONE = f"{_ALL}/{{id}}"
_IMPORTS = "/api/v1/article-imports"

ENDPOINTS = (
    Endpoint(method="GET", path=_ALL, permission=Permission.READ, act=_list, query=Listing, summary="Articles by id"),
    Endpoint(method="GET", path="/api/v1/search", permission=Permission.READ, act=_search, query=Search, summary="Search articles"),
    Endpoint(
        method="POST",
        path="/api/v1/diagnosis",
        permission=Permission.READ,
        act=_diagnose,
        body=Text,
        body_max_bytes=TEXT_MAX_BYTES,
        summary="Likely articles for a text, best first, with why and the fix",
    ),
    Endpoint(method="GET", path=_IMPORTS, permission=Permission.READ, act=_imports, summary="Imports of this site"),
    Endpoint(
        method="POST",
        path=_IMPORTS,
        permission=Permission.ADMIN,
        act=_import,
        body=NewImport,
        summary="Import from a path on the server",
    ),
    Endpoint(
        method="PUT",
        path=f"{_IMPORTS}/upload",
        permission=Permission.OPERATE,
        act=_upload,
        query=Upload,
        media_type=BINARY,
        body_max_bytes=UPLOAD_MAX_BYTES,
        summary="Import an uploaded article or archive",
    ),
    Endpoint(
        method="GET",
        path=f"{_IMPORTS}/{{number}}",
        permission=Permission.READ,
        act=_import_shown,
        summary="One import with its report",
    ),
    Endpoint(method="GET", path=_ONE, permission=Permission.READ, act=_show, summary="One article, with references both ways"),
    Endpoint(
        method="DELETE",
        path=_ONE,
        permission=Permission.OPERATE,
        act=_remove,
        query=Removal,
        summary="Remove an article of this site",
    ),
    Endpoint(
        method="GET", path=f"{_ONE}/graph", permission=Permission.READ, act=_graph, summary="Which fix contains or replaces which"
    ),
    Endpoint(method="GET", path=f"{_ONE}/proposal", permission=Permission.READ, act=_propose, summary="The fix its text speaks of"),
    Endpoint(
        method="POST",
        path=f"{_ONE}/fix",
        permission=Permission.OPERATE,
        act=_confirm,
        body=Confirmation,
        summary="Make a fix of what its text says",
    ),
)
