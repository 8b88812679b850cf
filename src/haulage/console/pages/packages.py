"""The list of packages, and making a new one: what would be captured is told before it is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.errors import HaulageError, UsageError
from haulage.base.ids import PackageId, parted, place_or_group
from haulage.console.frame.addresses import package_address
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import address
from haulage.domain.catalog.looking import SourceLook, look_at_source
from haulage.domain.people.roles import Role
from haulage.domain.reporting.packages.listing import PackageList, package_list, package_rows
from haulage.domain.reporting.packages.records import SHOWS, Wanted
from haulage.operations.packages import create_package, publish_package
from haulage.server.api.package_report import wanted_of
from haulage.server.core import SiteCore
from haulage.server.listing import desk_for

ROWS = 50
NEW = "/packages/new"
_FIELD_OF = {
    "bad-name": "name",
    "bad-keep": "keep",
    "bad-streams": "streams",
    "no-such-place": "to",
    "no-such-group": "to",
    "out-of-scope": "to",
    "bad-site-code": "to",
    "bad-point-name": "to",
    "bad-group-name": "to",
}


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of the list may say."""

    q: str = ""
    owner: str = ""
    show: str = ""
    sort: str = "id"
    down: bool = False
    after: str = ""

    @property
    def words(self) -> dict[str, object]:
        """As an address has them."""
        plain = {"sort": "id"}
        return {name: value for name, value in msgspec.to_builtins(self).items() if value and plain.get(name) != value}

    @property
    def wanted(self) -> Wanted:
        """As the tables are asked."""
        return wanted_of(self.q, self.owner, self.show, self.sort, down=self.down, cursor=self.after, limit=ROWS)


class PackagesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The list; ``shows`` are the ways to filter it."""

    query: Mapping[str, object]
    shows: Sequence[str]
    list: PackageList


class NewQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed so far."""

    name: str = ""
    source: str = ""
    policy: str = "keep"
    pattern: str = ""
    keep: str = "2"
    to: str = ""
    look: bool = False
    """Whether it is to be checked and looked at."""

    @property
    def streams(self) -> str:
        """The stream policy in one word."""
        return f"drop:{self.pattern.strip()}" if self.policy == "drop" else self.policy

    def places(self) -> list[str]:
        """Places and groups as they were named. Raises UsageError."""
        return [place_or_group(word) for word in self.to.replace(",", " ").split()]


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field."""

    message: str
    hint: str


class NewPackagePage(msgspec.Struct, frozen=True, kw_only=True):
    """The form, what is wrong with it, and what would be captured."""

    form: NewQuery
    mistakes: Mapping[str, Mistake]
    look: SourceLook | None
    home: str
    """The site that will own it."""


def packages_pages(core: SiteCore) -> tuple[Page, ...]:
    """The list and the form."""

    def listed(visit: Visit) -> Shown:
        asked: ListQuery = visit.query
        with core.database.reading() as tx:
            found = package_list(tx, asked.wanted)
        return Shown(title="Packages", view=PackagesPage(query=asked.words, shows=SHOWS, list=found))

    def rows(visit: Visit) -> Iterator[Mapping[str, object]]:
        return package_rows(core.database, dataclasses.replace(visit.query.wanted, after=None))

    def new(visit: Visit) -> Shown:
        asked: NewQuery = visit.query
        mistakes: dict[str, Mistake] = {}
        look = None
        if asked.look:
            try:
                _create(visit, asked, dry_run=True)
                look = look_at_source(
                    core.parts.sources, visit.service.clock, asked.source, streams=asked.streams, rules=core.parts.capture_rules
                )
            except HaulageError as error:
                mistakes[_field(error)] = Mistake(message=error.message, hint=error.hint)
        view = NewPackagePage(form=asked, mistakes=mistakes, look=look, home=core.code)
        return Shown(title="New package", view=view)

    return (
        Page(path="/packages", template="packages.html", show=listed, query=ListQuery, place="packages", rows=rows),
        Page(path=NEW, template="package_new.html", show=new, query=NewQuery, place="packages", role=Role.OPERATOR, has_json=False),
    )


def packages_writes() -> tuple[Write, ...]:
    """Making one."""

    def make(visit: Visit) -> Done:
        asked = msgspec.convert(dict(visit.form) | {"look": True}, NewQuery)
        try:
            made = _create(visit, asked, dry_run=False)
        except HaulageError:
            # The form says what is wrong, beside what was typed.
            return Done(to=address(NEW, msgspec.to_builtins(asked), look="true"))
        if not visit.form.get("publish"):
            return Done(to=package_address(made), said=f"Package {made} is made. Nothing is captured before it is published.")
        publish_package(visit.desk, visit.actor, made)
        return Done(to=package_address(made), said=f"Package {made} is made, and its source is being captured.")

    return (Write(path=NEW, act=make),)


def _create(visit: Visit, asked: NewQuery, *, dry_run: bool) -> PackageId:
    if not asked.keep.isdecimal():
        raise UsageError("bad-keep", f"{asked.keep[:20]!r} is no number of versions.", "Two is usual.")
    if not asked.source.strip():
        raise UsageError("bad-source", "A package is captured from a folder of this server.", "Name it, from the root on.")
    places, groups = parted(asked.places())
    with desk_for(visit.service, dry_run=dry_run, caller=visit.caller) as desk:
        made = create_package(
            desk,
            visit.actor,
            name=asked.name.strip(),
            source=asked.source.strip(),
            streams=asked.streams,
            keep=int(asked.keep),
            places=places,
            groups=groups,
        )
    return made.id


def _field(error: HaulageError) -> str:
    if error.code in _FIELD_OF:
        return _FIELD_OF[error.code]
    return "source" if "source" in error.code or "path" in error.code else "form"
