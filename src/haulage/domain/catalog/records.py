"""The tables of packages, their assignments, versions and sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from haulage.base.ids import GroupName, PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog.model import Capture, CaptureState, Package, Source, Version
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime

_BETWEEN_PLACES = ","
"""Stands in no name of a place."""

packages = sa.Table(
    "packages",
    metadata,
    sa.Column("id", sa.String(8), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("keep", sa.Integer, nullable=False),
    sa.Column("streams", sa.Text, nullable=False),
)

assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("place", sa.Text, primary_key=True, index=True),
    sa.Column("named", sa.Boolean, nullable=False),
)
"""Every place of a package; ``named`` by itself, not only by a group."""

package_groups = sa.Table(
    "package_groups",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("name", sa.String(63), primary_key=True, index=True),
)
"""The groups, of its owner, that a package is assigned to."""

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("manifest", sa.LargeBinary(32), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("files", sa.BigInteger, nullable=False),
    sa.Column("folders", sa.BigInteger, nullable=False),
    sa.Column("symlinks", sa.BigInteger, nullable=False),
    sa.Column("streams", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("new_bytes", sa.BigInteger, nullable=False),
    sa.Column("captured", UtcTime, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("streams", sa.Text, nullable=False),
    sa.Column("keep_special_bits", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("requested", sa.BigInteger, nullable=False),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("full", sa.Boolean, nullable=False),
    sa.Column("started", UtcTime),
    sa.Column("finished", UtcTime),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("report", Json, nullable=False),
    sa.Column("error_code", sa.String(64), nullable=False),
    sa.Column("error_message", sa.Text, nullable=False),
    sa.Column("error_hint", sa.Text, nullable=False),
    sa.Column("error_family", sa.String(16), nullable=False),
)


captures = sa.Table(
    "captures",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("of_version", sa.BigInteger, nullable=False),
    sa.Column("taken", UtcTime, nullable=False),
    sa.Column("figures", Json, nullable=False),
    sa.Column("counts", Json, nullable=False),
    sa.Column("lines", sa.LargeBinary, nullable=False),
)
"""What was noticed while a version was captured, as :mod:`~haulage.domain.catalog.captured` puts it down."""


def put_package(tx: Transaction, package: Package) -> None:
    """Write a package and its assignments as they are now; only what differs is touched, for it may be assigned to thousands."""
    values = {name: getattr(package, name) for name in ("name", "revision", "version", "keep", "streams")}
    if tx.execute(packages.update().where(packages.c.id == package.id).values(values)).rowcount == 0:
        tx.execute(packages.insert().values(values | {"id": package.id}))
    direct = set(package.direct)
    wanted = {where: where in direct for where in package.assignments}
    known = {row.place: row.named for row in tx.execute(sa.select(assignments).where(assignments.c.package == package.id))}
    gone = [where for where, named in known.items() if wanted.get(where) != named]
    fresh = [where for where, named in wanted.items() if known.get(where) != named]
    if gone:
        away = assignments.delete().where(assignments.c.package == package.id, assignments.c.place == sa.bindparam("gone"))
        tx.execute(away, [{"gone": where} for where in gone])
    if fresh:
        tx.execute(assignments.insert(), [{"package": package.id, "place": where, "named": wanted[where]} for where in fresh])
    tx.execute(package_groups.delete().where(package_groups.c.package == package.id))
    if package.groups:
        tx.execute(package_groups.insert(), [{"package": package.id, "name": name} for name in package.groups])


def remove_package(tx: Transaction, package: PackageId) -> None:
    """Forget a package and its assignments; its versions are forgotten one by one."""
    tx.execute(assignments.delete().where(assignments.c.package == package))
    tx.execute(package_groups.delete().where(package_groups.c.package == package))
    tx.execute(packages.delete().where(packages.c.id == package))


def find_package(tx: Transaction, package: PackageId) -> Package | None:
    """One package; None if unknown (or deleted)."""
    row = tx.execute(sa.select(packages).where(packages.c.id == package)).one_or_none()
    if row is None:
        return None
    places = tx.execute(sa.select(assignments).where(assignments.c.package == package).order_by(assignments.c.place)).all()
    groups = tx.execute(sa.select(package_groups.c.name).where(package_groups.c.package == package))
    return _package(row, [(one.place, one.named) for one in places], tuple(sorted(groups.scalars())))


def newest_number(tx: Transaction, package: PackageId) -> VersionNumber:
    """The number of the newest version; 0 if there is none, or no such package."""
    found = tx.execute(sa.select(packages.c.version).where(packages.c.id == package)).scalar_one_or_none()
    return VersionNumber(found or 0)


def list_packages(
    tx: Transaction, *, words: str = "", owner: str = "", after: str = "", limit: int | None = None
) -> Sequence[Package]:
    """Packages by id: all of them, or so many behind an id, with all of these words in id or name, of one owner. No more is read
    than is told."""
    chosen = sa.select(packages).where(packages.c.id > after).order_by(packages.c.id).limit(limit)
    if owner:
        chosen = chosen.where(packages.c.id.startswith(owner, autoescape=True))
    for word in words.split():
        chosen = chosen.where(sa.or_(*(one.icontains(word, autoescape=True) for one in (packages.c.id, packages.c.name))))
    rows = tx.execute(chosen).all()
    ids = chosen.with_only_columns(packages.c.id).subquery()
    of_these = [] if limit is None and not (words or owner or after) else [sa.select(ids.c.id)]
    at, within = sa.select(assignments), sa.select(package_groups)
    for one in of_these:
        at, within = at.where(assignments.c.package.in_(one)), within.where(package_groups.c.package.in_(one))
    places: dict[str, list[tuple[Place, bool]]] = {}
    known: dict[Place, Place] = {}
    for row in tx.execute(at.order_by(assignments.c.package, assignments.c.place)):
        places.setdefault(row.package, []).append((known.setdefault(row.place, row.place), row.named))
    groups: dict[str, list[GroupName]] = {}
    for row in tx.execute(within.order_by(package_groups.c.package, package_groups.c.name)):
        groups.setdefault(row.package, []).append(row.name)
    return [_package(row, places.get(row.id, []), tuple(groups.get(row.id, ()))) for row in rows]


def in_group(tx: Transaction, owner: SiteCode, name: GroupName) -> list[PackageId]:
    """The packages of a site that are assigned to its group of this name, by id."""
    query = sa.select(package_groups.c.package).where(package_groups.c.name == name, package_groups.c.package.startswith(owner))
    return list(tx.execute(query.order_by(package_groups.c.package)).scalars())


def count_in_group(tx: Transaction, owner: SiteCode, name: GroupName) -> int:
    """How many they are."""
    query = sa.select(sa.func.count()).select_from(package_groups)
    return tx.execute(query.where(package_groups.c.name == name, package_groups.c.package.startswith(owner))).scalar_one()


def users_of_groups(tx: Transaction) -> dict[tuple[SiteCode, GroupName], int]:
    """How many packages are assigned to each group, by the group's owner and name."""
    owner = sa.func.substr(package_groups.c.package, 1, 3)
    query = sa.select(owner.label("owner"), package_groups.c.name, sa.func.count().label("packages"))
    rows = tx.execute(query.group_by(owner, package_groups.c.name))
    return {(SiteCode(row.owner), row.name): row.packages for row in rows}


def names_of(tx: Transaction, ids: Iterable[PackageId]) -> dict[PackageId, str]:
    """What some packages are called."""
    rows = tx.execute(sa.select(packages.c.id, packages.c.name).where(packages.c.id.in_(list(ids))))
    return {row.id: row.name for row in rows}


def own_packages(tx: Transaction, owner: SiteCode) -> Iterator[Package]:
    """The packages of a site, by id, without their places."""
    for row in tx.execute(sa.select(packages).where(packages.c.id.startswith(owner)).order_by(packages.c.id)):
        yield _package(row, (), ())


def direct_assignments(tx: Transaction, owner: SiteCode) -> Iterator[tuple[PackageId, Sequence[Place]]]:
    """Packages of a site, and the places each is assigned to by name; a package without any is left out."""
    # Put together by the database: a row for each of hundreds of thousands of places takes several times as long.
    places = sa.func.aggregate_strings(assignments.c.place, _BETWEEN_PLACES)
    query = sa.select(assignments.c.package, places).where(assignments.c.package.startswith(owner), assignments.c.named)
    for package, joined in tx.execute(query.group_by(assignments.c.package)):
        yield package, joined.split(_BETWEEN_PLACES)


def assigned_groups(tx: Transaction, owner: SiteCode) -> dict[PackageId, list[GroupName]]:
    """The groups of the packages of a site that have any, by name."""
    out: dict[PackageId, list[GroupName]] = {}
    query = sa.select(package_groups).where(package_groups.c.package.startswith(owner))
    for row in tx.execute(query.order_by(package_groups.c.package, package_groups.c.name)):
        out.setdefault(row.package, []).append(row.name)
    return out


def _package(row: sa.Row[tuple[object, ...]], places: Sequence[tuple[Place, bool]], groups: tuple[GroupName, ...]) -> Package:
    every = tuple([where for where, _named in places])
    direct = tuple([where for where, named in places if named]) if groups else ()
    return Package(**(dict(row._mapping) | {"assignments": every, "groups": groups, "named": direct}))


def put_version(tx: Transaction, version: Version) -> None:
    """Write a version; what is there already stays (a version never changes)."""
    if find_version(tx, version.package, version.number) is None:
        tx.execute(versions.insert().values({field.name: getattr(version, field.name) for field in dataclasses.fields(version)}))


def remove_versions(tx: Transaction, package: PackageId, numbers: Iterable[int]) -> None:
    """Forget versions of a package."""
    gone = list(numbers)
    tx.execute(versions.delete().where(versions.c.package == package, versions.c.number.in_(gone)))
    tx.execute(captures.delete().where(captures.c.package == package, captures.c.number.in_(gone)))


def find_version(tx: Transaction, package: PackageId, number: VersionNumber) -> Version | None:
    """One version; None if its description is not here."""
    row = tx.execute(sa.select(versions).where(versions.c.package == package, versions.c.number == number)).one_or_none()
    return None if row is None else Version(**row._mapping)


def list_versions(tx: Transaction, package: PackageId) -> Sequence[Version]:
    """All versions known here, newest first."""
    rows = tx.execute(sa.select(versions).where(versions.c.package == package).order_by(versions.c.number.desc()))
    return [Version(**row._mapping) for row in rows]


def put_capture(tx: Transaction, package: PackageId, number: VersionNumber, capture: Capture) -> None:
    """Write what was noticed while a version was captured."""
    values = {field.name: getattr(capture, field.name) for field in dataclasses.fields(capture)}
    tx.execute(captures.insert().values(values | {"package": package, "number": number}))


def find_capture(tx: Transaction, package: PackageId, number: VersionNumber) -> Capture | None:
    """What was noticed; None for versions of others, and for those captured before this was written down."""
    row = tx.execute(sa.select(captures).where(captures.c.package == package, captures.c.number == number)).one_or_none()
    if row is None:
        return None
    return Capture(**{name: value for name, value in row._mapping.items() if name not in ("package", "number")})


def put_source(tx: Transaction, source: Source) -> None:
    """Write where a package is captured from and how far that is."""
    tx.execute(sources.delete().where(sources.c.package == source.package))
    values = {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}
    tx.execute(sources.insert().values(values | {"state": source.state.value}))


def remove_source(tx: Transaction, package: PackageId) -> None:
    """Forget where a package was captured from."""
    tx.execute(sources.delete().where(sources.c.package == package))


def find_source(tx: Transaction, package: PackageId) -> Source | None:
    """The source of a package of this site; None for packages of others."""
    row = tx.execute(sa.select(sources).where(sources.c.package == package)).one_or_none()
    return None if row is None else _source(row)


def newest_source(tx: Transaction) -> PackageId | None:
    """The package of this site that was made last and has a source; None if there is none."""
    return tx.execute(sa.select(sources.c.package).order_by(sources.c.package.desc()).limit(1)).scalar_one_or_none()


def list_sources(tx: Transaction) -> Sequence[Source]:
    """All sources of this site's packages."""
    return [_source(row) for row in tx.execute(sa.select(sources).order_by(sources.c.package))]


def _source(row: sa.Row[tuple[object, ...]]) -> Source:
    values = dict(row._mapping)
    return Source(**(values | {"state": CaptureState(values["state"])}))
