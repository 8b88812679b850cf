"""Doing what a file declares: each difference by the operation a person would have used, with its own transaction and audit
message, so that an interrupted file is simply applied again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from haulage.base.errors import HaulageError, NotFoundError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.declared.comparing import Comparison
from haulage.domain.declared.model import Act, Standing, Step
from haulage.engine.status import on_requests
from haulage.operations import groups, packages, points, sites
from haulage.operations.desk import Desk
from haulage.operations.sites import Invited


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one step."""

    step: Step
    done: bool = False
    error: HaulageError | None = None
    """Why it failed. Without one, a step that is not done was not tried."""
    package: PackageId | None = None
    """What it made."""
    invited: Invited | None = None
    """Of a site that was let in; its join string is told once."""


def apply_comparison(desk: Desk, actor: str, comparison: Comparison, *, keep_going: bool = False) -> Iterator[Outcome]:
    """Do the steps that can be done. One that fails names itself; the others are still tried with ``keep_going`` only."""
    made: dict[str, PackageId] = {}
    done = failed = 0
    for step in comparison.steps:
        if step.standing is not Standing.READY or (failed and not keep_going):
            yield Outcome(step=step)
            continue
        outcome = _tried(desk, actor, step, made)
        done, failed = done + outcome.done, failed + (not outcome.done)
        yield outcome
    if done or failed:
        with desk.database.writing() as tx:
            desk.journal.record(
                tx, on_requests.DECLARED_APPLIED, actor=actor, done=done, steps=len(comparison.steps), failed=failed
            )


def _tried(desk: Desk, actor: str, step: Step, made: dict[str, PackageId]) -> Outcome:
    try:
        return _perform(desk, actor, step, made)
    except HaulageError as error:
        return Outcome(step=step, error=error)


def _perform(desk: Desk, actor: str, step: Step, made: dict[str, PackageId]) -> Outcome:
    if step.act is Act.INVITE_SITE:
        assert step.site is not None
        invited = sites.invite_site(desk, actor, SiteCode(step.name), parent=step.site.parent, name=step.site.name or "")
        return Outcome(step=step, done=True, invited=invited)
    if step.act is Act.ADD_POINT:
        points.add_point(desk, actor, Place(step.name), step.url)
    elif step.act is Act.REMOVE_POINT:
        points.remove_point(desk, actor, Place(step.name))
    elif step.group is not None:
        _perform_on_group(desk, actor, step)
    else:
        return Outcome(step=step, done=True, package=_perform_on_package(desk, actor, step, made))
    return Outcome(step=step, done=True)


def _perform_on_group(desk: Desk, actor: str, step: Step) -> None:
    assert step.group is not None
    if step.act is Act.REMOVE_GROUP:
        groups.remove_group(desk, actor, step.group, even_used=True)
    elif step.act is Act.DROP_FROM_GROUP:
        groups.drop_from_group(desk, actor, step.group, step.places)
    elif step.places:
        groups.add_to_group(desk, actor, step.group, step.places)
    else:
        groups.set_group(desk, actor, step.group, [], empty=True)


def _perform_on_package(desk: Desk, actor: str, step: Step, made: dict[str, PackageId]) -> PackageId:
    said = dict(step.changes)
    if step.act is Act.CREATE_PACKAGE:
        package = packages.create_package(
            desk,
            actor,
            name=step.name,
            source=str(said["source"]),
            streams=str(said.get("streams", "keep")),
            keep=int(said.get("keep", 2)),
            keep_special_bits=bool(said.get("keep_special_bits", False)),
            places=step.places,
            groups=step.groups,
        )
        made[step.name] = package.id
        return package.id
    package_id = step.package or made.get(step.name)
    if package_id is None:
        raise NotFoundError("no-such-package", f"Package {step.name} was not made.", "See why making it failed.")
    if step.act is Act.CHANGE_PACKAGE:
        packages.change_package(desk, actor, package_id, **said)  # type: ignore[arg-type]
    elif step.act is Act.ASSIGN:
        packages.assign_package(desk, actor, package_id, step.places, step.groups)
    elif step.act is Act.UNASSIGN:
        packages.unassign_package(desk, actor, package_id, step.places, step.groups)
    elif step.act is Act.REMOVE_PACKAGE:
        packages.remove_package(desk, actor, package_id)
    else:
        packages.publish_package(desk, actor, package_id)
    return package_id
