"""The first step: name a folder of the server, see what would be captured, make a package of it and publish it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from haulage.base.errors import HaulageError, UsageError
from haulage.base.ids import PackageId
from haulage.console.first_run.steps import (
    MENU_PLACE,
    PATH,
    StepQuery,
    StepView,
    asked,
    may,
    mistake_of,
    run_of,
    shown,
    step_address,
)
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.catalog.looking import Folders, SourceLook, look_at_source
from haulage.domain.people.roles import Role
from haulage.operations.packages import create_package, publish_package

STREAMS = ("keep", "drop:Zone.Identifier", "drop:*", "refuse")
"""What a package can do with named streams, as far as this way offers it."""
_SPACES = re.compile(r"\s+")


class FolderView(StepView, frozen=True, kw_only=True):
    """What is in a folder, and which folders there are."""

    look: SourceLook | None
    folders: Folders | None
    """None for whoever may not look around on the server."""
    streams_choices: Sequence[str] = STREAMS
    known: PackageId | None
    """The package that is captured from this folder already."""


def folder_page() -> Page:
    """The page: by GET it looks, by POST it makes."""
    return Page(
        path=f"{PATH}/folder", template="first_run_folder.html", show=_show, query=StepQuery, place=MENU_PLACE, takes_form=True
    )


def _show(visit: Visit) -> Shown:
    typed = {name: asked(visit, name).strip() for name in ("source", "name", "streams", "at")}
    typed["streams"] = typed["streams"] or "keep"
    look, mistake = None, None
    if visit.form:
        visit.caller.require(Role.ADMINISTRATOR)
    try:
        if typed["source"] and may(visit, Role.ADMINISTRATOR):
            look = _looked(visit, typed["source"], typed["streams"])
            typed["name"] = typed["name"] or (_name_of(typed["source"]) if not visit.form else "")
        if visit.form:
            made = _made(visit, typed)
            return shown("publish it", _view(visit, typed, look), to=step_address("publish", made))
    except HaulageError as error:
        mistake = mistake_of(error, "source")
    return shown("choose a folder", _view(visit, typed, look, mistake=mistake))


def _view(visit: Visit, typed: Mapping[str, str], look: SourceLook | None, **more: object) -> FolderView:
    run, source = run_of(visit), typed["source"]
    at = typed["at"] or source
    return FolderView(
        step="folder",
        run=run,
        typed=typed,
        look=look,
        folders=_folders(visit, at),
        known=run.package.id if run.package is not None and source and run.package.source == source else None,
        **more,  # type: ignore[arg-type]
    )


def _looked(visit: Visit, source: str, streams: str) -> SourceLook:
    """Raises HaulageError for what cannot be a source."""
    service = visit.service
    with service.core.database.reading() as tx:
        visit.desk.check_source(tx, source)
    parts = service.core.parts
    return look_at_source(parts.sources, service.clock, source, streams=streams, rules=parts.capture_rules)


def _folders(visit: Visit, at: str) -> Folders | None:
    """What may be looked into: all of this machine by whoever has it, by other administrators what the settings name."""
    if not may(visit, Role.ADMINISTRATOR):
        return None
    found = visit.service.browse(at)
    return found if visit.caller.local or found.tops else None


def _made(visit: Visit, typed: Mapping[str, str]) -> PackageId:
    """A package, and its first capture asked for. Raises UsageError ``no-source`` and what the operations raise."""
    if not typed["source"]:
        raise UsageError("no-source", "No folder was named.", "Write its path on the server, or choose one below.")
    desk = visit.desk
    made = create_package(desk, visit.actor, name=typed["name"], source=typed["source"], streams=typed["streams"])
    publish_package(desk, visit.actor, made.id)
    return made.id


def _name_of(source: str) -> str:
    """A name to begin with: the folder's own."""
    return _SPACES.sub(" ", source.rstrip("/").rpartition("/")[2]).strip() or "Package"
