"""What people do with groups of places."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import GroupName, Place
from haulage.domain.groups import records
from haulage.domain.groups.model import Reach
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import GROUPS_MAX
from haulage.engine.status import on_requests
from haulage.operations.desk import Desk, require_below, require_group


def add_to_group(desk: Desk, actor: str, name: GroupName, places: Sequence[Place]) -> Reach:
    """Make a group, or let more places into it. Every package assigned to it goes there."""
    _require_some(places)
    with desk.database.writing() as tx:
        require_below(desk, tx, places)
        known = records.find_group(tx, desk.code, name)
        if known is None:
            _require_room(desk, tx)
        held = () if known is None else known.places
        return _put(desk, tx, actor, name, {*held, *places}, is_new=known is None)


def set_group(desk: Desk, actor: str, name: GroupName, places: Sequence[Place], *, empty: bool = False) -> Reach:
    """Say which places a group holds from now on. None at all must be meant: ``empty`` (I11)."""
    if not empty:
        _require_some(places)
    with desk.database.writing() as tx:
        known = records.find_group(tx, desk.code, name)
        held = () if known is None else known.places
        if known is None:
            _require_room(desk, tx)
        require_below(desk, tx, [where for where in places if where not in held])
        return _put(desk, tx, actor, name, set(places), is_new=known is None)


def drop_from_group(desk: Desk, actor: str, name: GroupName, places: Sequence[Place]) -> Reach:
    """Take places out of a group; packages leave them unless something else brings them there."""
    _require_some(places)
    with desk.database.writing() as tx:
        known = require_group(desk, tx, name)
        absent = [where for where in places if where not in known.places]
        if absent:
            raise ConflictError("not-in-group", f"{', '.join(absent)} is not in group {name}.", f"haulage group show {name}")
        return _put(desk, tx, actor, name, set(known.places) - set(places), is_new=False)


def remove_group(desk: Desk, actor: str, name: GroupName, *, even_used: bool = False) -> Reach:
    """Forget a group. While packages are assigned to it that is refused, unless it is meant: they leave its places then, as far as
    nothing else brings them there."""
    with desk.database.writing() as tx:
        known = require_group(desk, tx, name)
        reach = desk.regrouping.remove(tx, name)
        if reach.packages and not even_used:
            raise ConflictError(
                "group-in-use",
                f"{reach.packages} packages are assigned to group {name}; without it they would be taken from places "
                f"{reach.removals} times.",
                f"haulage group remove {name} --dry-run shows where; withdraw them first, or give --yes.",
            )
        desk.journal.record(
            tx, on_requests.GROUP_REMOVED, actor=actor, group=name, places=len(known.places), packages=reach.packages
        )
        return reach


def _put(desk: Desk, tx: Transaction, actor: str, name: GroupName, places: set[Place], *, is_new: bool) -> Reach:
    reach = desk.regrouping.put(tx, name, places)
    if is_new or reach.gained or reach.lost:
        desk.journal.record(
            tx,
            on_requests.GROUP_CHANGED,
            actor=actor,
            group=name,
            gained=len(reach.gained),
            lost=len(reach.lost),
            packages=reach.packages,
        )
    return reach


def _require_some(places: Sequence[Place]) -> None:
    if not places:
        raise UsageError("no-places", "No place was named.", "Name places: CODE or CODE/POINT.")


def _require_room(desk: Desk, tx: Transaction) -> None:
    if len(records.list_groups(tx, desk.code)) >= GROUPS_MAX:
        raise ConflictError("too-many-groups", f"Site {desk.code} has {GROUPS_MAX} groups.", "Remove one that is not used.")
