"""The tables of known fixes and of assessments."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from haulage.base.ids import PackageId
from haulage.domain.fixes.model import Assessment, Fix, FixFile
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime

fixes = sa.Table(
    "fixes",
    metadata,
    sa.Column("fix", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(3), primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("article", sa.String(64), nullable=False, index=True),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("supersedes", Json, nullable=False),
    sa.Column("contains", Json, nullable=False),
    sa.Column("requires", Json, nullable=False),
    sa.Column("files", Json, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("bundle", sa.String(64), nullable=False),
    sa.Column("bundle_bytes", sa.BigInteger, nullable=False),
    sa.Column("package", sa.String(8), index=True),
    sa.Column("signer", sa.Text, nullable=False),
    sa.Column("known", UtcTime, nullable=False),
)

assessments = sa.Table(
    "fix_assessments",
    metadata,
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("product", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("service_level", sa.Text, nullable=False),
    sa.Column("taken", UtcTime, nullable=False),
    sa.Column("results", Json, nullable=False),
)


def put_fix(tx: Transaction, fix: Fix) -> None:
    """Write what an owner says of a fix now."""
    remove_fix(tx, fix.fix, fix.owner)
    values = {field.name: getattr(fix, field.name) for field in dataclasses.fields(fix)}
    lists = {name: list(values[name]) for name in ("supersedes", "contains", "requires")}
    files = {"files": [dataclasses.asdict(file) for file in fix.files]}
    tx.execute(fixes.insert().values(values | lists | files))


def remove_fix(tx: Transaction, fix: str, owner: str) -> None:
    """Forget what an owner said of a fix."""
    tx.execute(fixes.delete().where(fixes.c.fix == fix, fixes.c.owner == owner))


def forget_owner(tx: Transaction, owner: str) -> None:
    """Forget everything an owner said."""
    tx.execute(fixes.delete().where(fixes.c.owner == owner))


def list_fixes(tx: Transaction, *, documents: bool = True) -> Sequence[Fix]:
    """Every owner's word on every fix, by fix and owner. Without ``documents`` those are left out (and empty)."""
    columns = [column for column in fixes.c if documents or column.name != "document"]
    rows = tx.execute(sa.select(*columns).order_by(fixes.c.fix, fixes.c.owner))
    return [_fix(row) for row in rows]


def find_fixes(tx: Transaction, fix: str) -> Sequence[Fix]:
    """Every owner's word on one fix."""
    rows = tx.execute(sa.select(fixes).where(fixes.c.fix == fix).order_by(fixes.c.owner))
    return [_fix(row) for row in rows]


def _fix(row: sa.Row[tuple[object, ...]]) -> Fix:
    values: dict[str, object] = {"document": b"", **row._mapping}
    lists = {name: tuple(map(str, values[name])) for name in ("supersedes", "contains", "requires")}  # type: ignore[call-overload]
    files = tuple(FixFile(**file) for file in values["files"])  # type: ignore[attr-defined]
    package = {"package": None if values["package"] is None else PackageId(str(values["package"]))}
    return Fix(**(values | lists | package | {"files": files}))  # type: ignore[arg-type]


def put_assessment(tx: Transaction, assessment: Assessment) -> None:
    """Write what was found at a root, in place of what was found before."""
    tx.execute(assessments.delete().where(assessments.c.root == assessment.root))
    values = {field.name: getattr(assessment, field.name) for field in dataclasses.fields(assessment)}
    tx.execute(assessments.insert().values(values | {"results": list(assessment.results)}))


def list_assessments(tx: Transaction) -> Sequence[Assessment]:
    """The last assessment of every root looked at from this site."""
    rows = tx.execute(sa.select(assessments).order_by(assessments.c.root))
    return [Assessment(**(dict(row._mapping) | {"results": tuple(row.results)})) for row in rows]
