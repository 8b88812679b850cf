"""The tables of packages, their assignments, versions and sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, VersionNumber
from haulage.domain.catalog.model import CaptureState, Package, Source, Version
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime

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
)

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


def put_package(tx: Transaction, package: Package) -> None:
    """Write a package and its assignments as they are now."""
    remove_package(tx, package.id)
    tx.execute(
        packages.insert().values(
            id=package.id,
            name=package.name,
            revision=package.revision,
            version=package.version,
            keep=package.keep,
            streams=package.streams,
        )
    )
    if package.assignments:
        tx.execute(assignments.insert(), [{"package": package.id, "place": where} for where in package.assignments])


def remove_package(tx: Transaction, package: PackageId) -> None:
    """Forget a package and its assignments; its versions are forgotten one by one."""
    tx.execute(assignments.delete().where(assignments.c.package == package))
    tx.execute(packages.delete().where(packages.c.id == package))


def find_package(tx: Transaction, package: PackageId) -> Package | None:
    """One package; None if unknown (or deleted)."""
    row = tx.execute(sa.select(packages).where(packages.c.id == package)).one_or_none()
    if row is None:
        return None
    places = tx.execute(sa.select(assignments.c.place).where(assignments.c.package == package).order_by(assignments.c.place))
    return _package(row, tuple(places.scalars()))


def list_packages(tx: Transaction) -> Sequence[Package]:
    """All packages, by id."""
    places: dict[str, list[Place]] = {}
    for row in tx.execute(sa.select(assignments).order_by(assignments.c.package, assignments.c.place)):
        places.setdefault(row.package, []).append(row.place)
    rows = tx.execute(sa.select(packages).order_by(packages.c.id))
    return [_package(row, tuple(places.get(row.id, ()))) for row in rows]


def _package(row: sa.Row[tuple[object, ...]], places: tuple[Place, ...]) -> Package:
    return Package(**(dict(row._mapping) | {"assignments": places}))


def put_version(tx: Transaction, version: Version) -> None:
    """Write a version; what is there already stays (a version never changes)."""
    if find_version(tx, version.package, version.number) is None:
        tx.execute(versions.insert().values({field.name: getattr(version, field.name) for field in dataclasses.fields(version)}))


def remove_versions(tx: Transaction, package: PackageId, numbers: Iterable[int]) -> None:
    """Forget versions of a package."""
    tx.execute(versions.delete().where(versions.c.package == package, versions.c.number.in_(list(numbers))))


def find_version(tx: Transaction, package: PackageId, number: VersionNumber) -> Version | None:
    """One version; None if its description is not here."""
    row = tx.execute(sa.select(versions).where(versions.c.package == package, versions.c.number == number)).one_or_none()
    return None if row is None else Version(**row._mapping)


def list_versions(tx: Transaction, package: PackageId) -> Sequence[Version]:
    """All versions known here, newest first."""
    rows = tx.execute(sa.select(versions).where(versions.c.package == package).order_by(versions.c.number.desc()))
    return [Version(**row._mapping) for row in rows]


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


def list_sources(tx: Transaction) -> Sequence[Source]:
    """All sources of this site's packages."""
    return [_source(row) for row in tx.execute(sa.select(sources).order_by(sources.c.package))]


def _source(row: sa.Row[tuple[object, ...]]) -> Source:
    values = dict(row._mapping)
    return Source(**(values | {"state": CaptureState(values["state"])}))
