"""The tables of groups and their places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from haulage.base.ids import GroupName, Place, SiteCode
from haulage.domain.groups.model import Group
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction

groups = sa.Table(
    "groups",
    metadata,
    sa.Column("owner", sa.String(3), primary_key=True),
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
)

members = sa.Table(
    "group_members",
    metadata,
    sa.Column("owner", sa.String(3), primary_key=True),
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("place", sa.Text, primary_key=True, index=True),
)


def put_group(tx: Transaction, group: Group) -> None:
    """Write a group as it is now."""
    remove_group(tx, group.owner, group.name)
    tx.execute(groups.insert().values(owner=group.owner, name=group.name, revision=group.revision))
    if group.places:
        tx.execute(members.insert(), [{"owner": group.owner, "name": group.name, "place": where} for where in group.places])


def remove_group(tx: Transaction, owner: SiteCode, name: GroupName) -> None:
    """Forget a group."""
    tx.execute(members.delete().where(members.c.owner == owner, members.c.name == name))
    tx.execute(groups.delete().where(groups.c.owner == owner, groups.c.name == name))


def forget_owner(tx: Transaction, owner: SiteCode) -> None:
    """A site is gone, and its groups with it."""
    tx.execute(members.delete().where(members.c.owner == owner))
    tx.execute(groups.delete().where(groups.c.owner == owner))


def find_group(tx: Transaction, owner: SiteCode, name: GroupName) -> Group | None:
    """One group; None if unknown."""
    row = tx.execute(sa.select(groups).where(groups.c.owner == owner, groups.c.name == name)).one_or_none()
    if row is None:
        return None
    places = sa.select(members.c.place).where(members.c.owner == owner, members.c.name == name).order_by(members.c.place)
    return Group(owner=row.owner, name=row.name, revision=row.revision, places=tuple(tx.execute(places).scalars()))


def list_groups(tx: Transaction, owner: SiteCode | None = None) -> Sequence[Group]:
    """All groups known here, or those of one site, by owner and name."""
    rows, places = sa.select(groups), sa.select(members)
    if owner is not None:
        rows, places = rows.where(groups.c.owner == owner), places.where(members.c.owner == owner)
    held: dict[tuple[str, str], list[Place]] = {}
    for row in tx.execute(places.order_by(members.c.place)):
        held.setdefault((row.owner, row.name), []).append(row.place)
    return [
        Group(owner=row.owner, name=row.name, revision=row.revision, places=tuple(held.get((row.owner, row.name), ())))
        for row in tx.execute(rows.order_by(groups.c.owner, groups.c.name))
    ]


def outlines(tx: Transaction) -> list[tuple[SiteCode, GroupName, int, int]]:
    """Every group known here with its revision and how many places it holds, by owner and name."""
    both = sa.and_(members.c.owner == groups.c.owner, members.c.name == groups.c.name)
    query = sa.select(groups.c.owner, groups.c.name, groups.c.revision, sa.func.count(members.c.place).label("places"))
    query = query.select_from(groups.outerjoin(members, both)).group_by(groups.c.owner, groups.c.name, groups.c.revision)
    return [(row.owner, row.name, row.revision, row.places) for row in tx.execute(query.order_by(groups.c.owner, groups.c.name))]


def members_of(tx: Transaction, owner: SiteCode, names: Iterable[GroupName]) -> dict[GroupName, list[Place]]:
    """The places of some groups of a site; one that is not known has none."""
    held: dict[GroupName, list[Place]] = {name: [] for name in names}
    if held:
        query = sa.select(members.c.name, members.c.place).where(members.c.owner == owner, members.c.name.in_(list(held)))
        for row in tx.execute(query.order_by(members.c.place)):
            held[row.name].append(row.place)
    return held


def groups_with(tx: Transaction, owner: SiteCode, where: Place) -> list[GroupName]:
    """The groups of a site that hold this place; of a site: or one of its points."""
    here = sa.or_(members.c.place == where, members.c.place.startswith(where + "/"))
    query = sa.select(members.c.name).where(members.c.owner == owner, here).distinct().order_by(members.c.name)
    return list(tx.execute(query).scalars())
