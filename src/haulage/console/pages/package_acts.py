"""What is done to a package: published, assigned, withdrawn, rolled back, verified, changed, removed. What reaches far says so
first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haulage.base.errors import ConflictError, HaulageError, UsageError
from haulage.base.ids import NO_VERSION, GroupName, PackageId, Place, VersionNumber, owner_of, parted, place_or_group
from haulage.console.frame.addresses import package_address
from haulage.console.frame.asking import CONFIRM, Asked, Reach
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import address
from haulage.console.pages.package import asked_package
from haulage.console.pages.packages import Mistake
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.people.roles import Role
from haulage.domain.reporting.packages.reach import Choices, losing, to_choose
from haulage.domain.reporting.packages.standing import counts_of, standing_of
from haulage.operations import orders, packages
from haulage.operations.desk import require_group, require_package, require_place
from haulage.server.api.package_report import version_number
from haulage.server.core import SiteCore
from haulage.server.listing import desk_for

View = dict[str, object]
PLANNED_MOST = 60
"""Places planned on one page; more are counted."""
NAMED = 6
"""Places a page that asks names."""


class ChoosePlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Which places: chosen so far, and a search for more."""

    q: str = ""
    to: str = ""
    place: tuple[str, ...] = ()

    @property
    def chosen(self) -> list[str]:
        """Every place and group named, each once. Raises UsageError."""
        return list(dict.fromkeys(place_or_group(word) for word in [*self.to.replace(",", " ").split(), *self.place]))


class AssignPage(msgspec.Struct, frozen=True, kw_only=True):
    """Places to choose, those chosen, and what bringing the newest version there takes."""

    package: str
    name: str
    version: int
    words: str
    taking: bool
    """Whether it is withdrawn, not assigned."""
    chosen: Sequence[str]
    choices: Choices
    plan: Sequence[View]
    planned_more: int
    mistake: Mistake | None


class ChangeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed; nothing at first."""

    name: str | None = None
    keep: str | None = None
    source: str | None = None
    streams: str | None = None


class ChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a package, to be changed."""

    package: str
    form: dict[str, str]
    mistake: Mistake | None


class VersionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which version."""

    version: str = ""


class VerifyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what is damaged is written anew."""

    repair: bool = False


def act_pages(core: SiteCore) -> tuple[Page, ...]:
    """The pages that choose and ask."""
    acts = _Acts(core)
    one = "/packages/{id}"
    choosing = {"template": "package_places.html", "query": ChoosePlaces}
    return (
        Page(path=f"{one}/assign", show=acts.assign, place="packages", role=Role.OPERATOR, **choosing),  # type: ignore[arg-type]
        Page(path=f"{one}/unassign", show=acts.unassign, place="packages", role=Role.OPERATOR, **choosing),  # type: ignore[arg-type]
        _asking(f"{one}/rollback", acts.rollback, VersionQuery),
        _asking(f"{one}/verify", acts.verify, VerifyQuery),
        _asking(f"{one}/remove", acts.remove, None),
        Page(
            path=f"{one}/change",
            template="package_change.html",
            show=acts.change,
            query=ChangeQuery,
            place="packages",
            role=Role.OPERATOR,
        ),
    )


def _asking(path: str, show: object, query: type[msgspec.Struct] | None) -> Page:
    return Page(path=path, template=CONFIRM, show=show, query=query, place="packages", role=Role.OPERATOR)  # type: ignore[arg-type]


def act_writes(core: SiteCore) -> tuple[Write, ...]:
    """What is done."""
    doing, one = _Doing(core), "/packages/{id}"
    return (
        Write(path=f"{one}/publish", act=doing.publish),
        Write(path=f"{one}/assign", act=doing.assign),
        Write(path=f"{one}/unassign", act=doing.unassign),
        Write(path=f"{one}/rollback", act=doing.rollback),
        Write(path=f"{one}/verify", act=doing.verify),
        Write(path=f"{one}/change", act=doing.change),
        Write(path=f"{one}/remove", act=doing.remove),
    )


class _Acts:
    """What the pages show before."""

    def __init__(self, core: SiteCore) -> None:
        self._core = core

    def assign(self, visit: Visit) -> Shown:
        asked: ChoosePlaces = visit.query
        mistake, plan, more = None, [], 0
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            choices = to_choose(tx, package, self._core.code, asked.q, taken=False)
        chosen: list[str] = []
        try:
            chosen = asked.chosen
            places = self._places(visit, chosen)
            if package.version != NO_VERSION:
                plan = self._core.forecaster.plan(package, places[:PLANNED_MOST])
            more = max(0, len(places) - PLANNED_MOST)
        except HaulageError as error:
            mistake = Mistake(message=error.message, hint=error.hint)
        return _choosing(package, asked.q, chosen, choices, plan, more, mistake, taking=False)

    def unassign(self, visit: Visit) -> Shown:
        asked: ChoosePlaces = visit.query
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            choices = to_choose(tx, package, self._core.code, asked.q, taken=True)
            chosen = asked.chosen
            places, groups = parted(chosen)
            rows = losing(tx, package, places, groups) if chosen else []
        plan: list[View] = [
            {"place": row.place, "present": row.present, "state": row.state, "reason": row.reason} for row in rows[:PLANNED_MOST]
        ]
        return _choosing(package, asked.q, chosen, choices, plan, max(0, len(rows) - PLANNED_MOST), None, taking=True)

    def rollback(self, visit: Visit) -> Shown:
        package, number = asked_package(visit), version_number(visit.query.version)
        # What stands against it is told now.
        made = packages.rollback_number(visit.desk, package, number)
        with self._core.database.reading() as tx:
            known = require_package(tx, package)
            places = sum(row.count for row in counts_of(tx, [package])[package])
        here = package_address(package)
        reach = [
            Reach(
                text=f"places are to have version {made}, with the content of version {number}",
                count=places,
                href=here,
            ),
            Reach(text="bytes are new: where the old content is still kept, nothing crosses a line", count=0),
            Reach(text=f"what differs between version {known.version} and version {number}", href=f"{here}/diff?from={number}"),
        ]
        view = Asked(
            title=f"Roll {package} back to version {number}?",
            words=f"Its content is published again as version {made}. Until that is there, each place keeps what it has.",
            reach=reach,
            action=f"{here}/rollback",
            fields={"version": str(number)},
            button=f"Roll back to version {number}",
            back=here,
        )
        return Shown(title=view.title, view=view)

    def verify(self, visit: Visit) -> Shown:
        package, repair = asked_package(visit), visit.query.repair
        pairs = self._present(package)
        here, word = package_address(package), "Repair" if repair else "Verify"
        said = "Every byte, stream and attribute is read again there. Each place works on it by itself, as it finds time."
        more = (
            " What is damaged is written anew from the site's store, and from above where that is damaged, too." if repair else ""
        )
        view = Asked(
            title=f"{word} {package} everywhere?",
            words=said + more,
            reach=[Reach(text="places have it and will be asked", count=len(pairs), href=f"{here}?state=present")],
            action=f"{here}/verify",
            fields={"repair": "true"} if repair else {},
            button=f"{word} at {len(pairs)} places" if len(pairs) != 1 else f"{word} at 1 place",
            back=here,
        )
        return Shown(title=view.title, view=view)

    def remove(self, visit: Visit) -> Shown:
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            versions = len(catalog.list_versions(tx, package.id))
            standing = standing_of(tx, [package.id])[package.id]
        _require_own(self._core, package.id)
        here = package_address(package.id)
        view = Asked(
            title=f"Remove {package.id} {package.name}?",
            words="It is taken away everywhere it ever went, and its content is deleted. Its source is not touched.",
            reach=[
                Reach(text="places lose it", count=len(standing), href=here),
                Reach(text="versions are deleted; they cannot be brought back", count=versions, href=f"{here}#versions"),
            ],
            action=f"{here}/remove",
            button=f"Remove {package.id} everywhere",
            back=here,
            dangerous=True,
            must_type=package.id,
        )
        return Shown(title=view.title, view=view)

    def change(self, visit: Visit) -> Shown:
        asked: ChangeQuery = visit.query
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            source = catalog.find_source(tx, package.id)
        _require_own(self._core, package.id)
        was = {
            "name": package.name,
            "keep": str(package.keep),
            "source": "" if source is None else source.spec,
            "streams": package.streams,
        }
        typed = {name: value for name, value in msgspec.to_builtins(asked).items() if value is not None}
        mistake = None
        if typed:
            try:
                _change(visit, package.id, was | typed, dry_run=True)
            except HaulageError as error:
                mistake = Mistake(message=error.message, hint=error.hint)
        view = ChangePage(package=package.id, form=was | typed, mistake=mistake)
        return Shown(title=f"Change {package.id}", view=view)

    def _places(self, visit: Visit, words: Sequence[str]) -> list[Place]:
        """The places that are named, and those of the groups. Raises NotFoundError."""
        named, groups = parted(words)
        places: list[Place] = list(named)
        with self._core.database.reading() as tx:
            for where in named:
                require_place(tx, where)
            for name in groups:
                places += require_group(visit.desk, tx, name).places
        return list(dict.fromkeys(places))

    def _present(self, package: PackageId) -> list[orders.Pair]:
        return present_pairs(self._core, package)


def present_pairs(core: SiteCore, package: PackageId) -> list[orders.Pair]:
    """Where some version of a package is, but for sites this one does not command."""
    with core.database.reading() as tx:
        require_package(tx, package)
        standing = standing_of(tx, [package])[package]
    return [(package, one.place) for one in standing if one.present and one.state == "present"]


class _Doing:
    """What the forms do."""

    def __init__(self, core: SiteCore) -> None:
        self._core = core

    def publish(self, visit: Visit) -> Done:
        package = asked_package(visit)
        packages.publish_package(visit.desk, visit.actor, package, full=visit.form.get("full") == "true")
        return Done(to=package_address(package), said=f"The source of {package} is being captured.")

    def assign(self, visit: Visit) -> Done:
        package, places, groups = _named(visit)
        try:
            packages.assign_package(visit.desk, visit.actor, package, places, groups)
        except HaulageError:
            return Done(to=address(f"{package_address(package)}/assign", {"to": visit.form.get("places", "")}))
        return Done(to=package_address(package), said=f"{package} is assigned to {_words(places, groups)}.")

    def unassign(self, visit: Visit) -> Done:
        package, places, groups = _named(visit)
        packages.unassign_package(visit.desk, visit.actor, package, places, groups)
        return Done(to=package_address(package), said=f"{package} is withdrawn from {_words(places, groups)}.")

    def rollback(self, visit: Visit) -> Done:
        package, number = asked_package(visit), version_number(visit.form.get("version", ""))
        made = packages.rollback_package(visit.desk, visit.actor, package, VersionNumber(number))
        return Done(to=package_address(package), said=f"Version {made.number} of {package} has the content of version {number}.")

    def verify(self, visit: Visit) -> Done:
        package = asked_package(visit)
        repair = visit.form.get("repair") == "true"
        count = orders.give_orders(
            visit.desk, visit.actor, "repair" if repair else "verify", present_pairs(self._core, package), f"{package} everywhere"
        )
        return Done(to=package_address(package), said=f"{count} places were asked to {'repair' if repair else 'verify'} {package}.")

    def change(self, visit: Visit) -> Done:
        package = asked_package(visit)
        typed = {name: visit.form[name] for name in ("name", "keep", "source", "streams") if name in visit.form}
        try:
            _change(visit, package, typed, dry_run=False)
        except HaulageError:
            return Done(to=address(f"{package_address(package)}/change", typed))
        return Done(to=package_address(package), said=f"What is said of {package} is changed.")

    def remove(self, visit: Visit) -> Done:
        package = asked_package(visit)
        if visit.form.get("typed", "").strip() != package:
            raise UsageError("not-confirmed", f"The id {package} was not typed.", "Nothing was removed. Go back and type it.")
        packages.remove_package(visit.desk, visit.actor, package)
        return Done(to="/packages", said=f"{package} is removed; places take it away as they hear of it.")


def _change(visit: Visit, package: PackageId, typed: dict[str, str], *, dry_run: bool) -> None:
    keep = typed.get("keep", "")
    if keep and not keep.isdecimal():
        raise UsageError("bad-keep", f"{keep[:20]!r} is no number of versions.", "Two is usual.")
    with desk_for(visit.service, dry_run=dry_run, caller=visit.caller) as desk:
        packages.change_package(
            desk,
            visit.actor,
            package,
            name=typed.get("name", "").strip() or None,
            keep=int(keep) if keep else None,
            source=typed.get("source", "").strip() or None,
            streams=typed.get("streams", "").strip() or None,
        )


def _choosing(
    package: Package,
    words: str,
    chosen: Sequence[str],
    choices: Choices,
    plan: Sequence[View],
    more: int,
    mistake: Mistake | None,
    *,
    taking: bool,
) -> Shown:
    view = AssignPage(
        package=package.id,
        name=package.name,
        version=package.version,
        words=words,
        taking=taking,
        chosen=chosen,
        choices=choices,
        plan=plan,
        planned_more=more,
        mistake=mistake,
    )
    return Shown(title=f"{'Withdraw' if taking else 'Assign'} {package.id}", view=view)


def _named(visit: Visit) -> tuple[PackageId, list[Place], list[GroupName]]:
    words = [place_or_group(word) for word in visit.form.get("places", "").replace(",", " ").split()]
    if not words:
        raise UsageError("no-places", "No place was chosen.", "Choose at least one.")
    places, groups = parted(words)
    return asked_package(visit), places, groups


def _words(places: Sequence[Place], groups: Sequence[GroupName]) -> str:
    words = [*(f"@{name}" for name in groups), *places]
    return ", ".join(words) if len(words) <= NAMED else f"{', '.join(words[:NAMED])} and {len(words) - NAMED} more"


def _require_own(core: SiteCore, package: PackageId) -> None:
    if owner_of(package) != core.code:
        owner = owner_of(package)
        raise ConflictError("owned-elsewhere", f"Package {package} belongs to site {owner}.", f"Do it in the console of {owner}.")
