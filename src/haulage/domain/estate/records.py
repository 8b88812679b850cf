"""The tables of sites, points and this server's own identity and counters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from haulage.base.ids import Place, SiteCode
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.estate.model import Identity, Point, Site, SiteStatus
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime

sites = sa.Table(
    "sites",
    metadata,
    sa.Column("code", sa.String(3), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("parent", sa.String(3)),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("certificate", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("life", sa.BigInteger, nullable=False),
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("site", sa.String(3), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("owner", sa.String(3), nullable=False),
    sa.Column("options", Json, nullable=False),
)

identity = sa.Table(
    "identity",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("code", sa.String(3), nullable=False),
    sa.Column("parent", sa.String(3)),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("joined", UtcTime, nullable=False),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

claims = sa.Table(
    "claims",
    metadata,
    sa.Column("code", sa.String(3), primary_key=True),
    sa.Column("invitation", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("taken", UtcTime, nullable=False),
)


# Built once: these are asked for so often that putting the question together would cost more than the answer.
_EPOCH = sa.select(identity.c.epoch)
_FIND_SITE = sa.select(sites).where(sites.c.code == sa.bindparam("code"))
_JOINED_CHILDREN = sa.select(sites.c.code).where(sites.c.parent == sa.bindparam("code"), sites.c.key != "")
_PARENTS = sa.select(sites.c.code, sites.c.parent)


def create_identity(tx: Transaction, code: SiteCode, parent: SiteCode | None, now: dt.datetime) -> None:
    """Say once who this server is."""
    tx.execute(identity.insert().values(one=1, code=code, parent=parent, epoch=1, joined=now))


def read_identity(tx: Transaction) -> Identity | None:
    """Who this server is; None before ``init`` or ``join``."""
    row = tx.execute(sa.select(identity)).one_or_none()
    if row is None:
        return None
    return Identity(code=row.code, parent=row.parent, epoch=row.epoch, joined=row.joined)


def epoch(tx: Transaction) -> int:
    """This site's epoch."""
    return int(tx.execute(_EPOCH).scalar_one())


def raise_epoch(tx: Transaction, above: int) -> int:
    """Raise the epoch past ``above`` and past what it is; returns it."""
    value = max(epoch(tx), above) + 1
    tx.execute(identity.update().values(epoch=value))
    return value


def lift_epoch(tx: Transaction, least: int) -> None:
    """A server that has sent nothing yet begins beyond every epoch of an earlier site of its code."""
    tx.execute(identity.update().where(identity.c.epoch < least).values(epoch=least))


def next_number(tx: Transaction, name: str, *, past: int = 0) -> int:
    """Count up; never gives a number twice, nor one at or below ``past``."""
    value = tx.execute(sa.select(counters.c.value).where(counters.c.name == name)).scalar_one_or_none()
    number = max(value or 0, past) + 1
    if value is None:
        tx.execute(counters.insert().values(name=name, value=number))
    else:
        tx.execute(counters.update().where(counters.c.name == name).values(value=number))
    return number


REVISIONS_LOST = 1_000_000
PACKAGES_LOST = 256
VERSIONS_LOST = 1000
"""So many numbers a restored site leaves out: what it gave since the backup was made, and does not remember."""


def leave_out_lost(tx: Transaction) -> None:
    """This site was restored: numbers it may have given and forgotten are not given again."""
    known = _counter(tx, "revision")
    if known != _counter(tx, "lost-through"):
        _set_counter(tx, "lost-after", known)
    _set_counter(tx, "lost-through", known + REVISIONS_LOST)
    _set_counter(tx, "revision", known + REVISIONS_LOST)
    _set_counter(tx, "package", _counter(tx, "package") + PACKAGES_LOST)
    _set_counter(tx, "lost-packages", _counter(tx, "package"))


def was_restored(tx: Transaction) -> bool:
    """Whether this site was ever put back to an older state."""
    return _counter(tx, "lost-through") > 0


def versions_to_leave_out(tx: Transaction, package: int, revision: int) -> int:
    """How many numbers lie between the newest version known of a package of this site, stated under ``revision`` (0: none is), and
    the next one: versions given since the backup and forgotten may live on below, and a number never means two things."""
    perhaps = revision <= _counter(tx, "lost-through") if revision else package <= _counter(tx, "lost-packages")
    return VERSIONS_LOST if was_restored(tx) and perhaps else 0


def is_lost(tx: Transaction, revision: int) -> bool:
    """Whether a revision is one of those this site may have given and forgotten."""
    return _counter(tx, "lost-after") < revision <= _counter(tx, "lost-through")


def lift_number(tx: Transaction, name: str, least: int) -> None:
    """Never give a number up to ``least``."""
    if _counter(tx, name) < least:
        _set_counter(tx, name, least)


def _counter(tx: Transaction, name: str) -> int:
    return tx.execute(sa.select(counters.c.value).where(counters.c.name == name)).scalar_one_or_none() or 0


def _set_counter(tx: Transaction, name: str, value: int) -> None:
    if tx.execute(counters.update().where(counters.c.name == name).values(value=value)).rowcount == 0:
        tx.execute(counters.insert().values(name=name, value=value))


def put_site(tx: Transaction, site: Site) -> None:
    """Write a site as it is now."""
    tx.execute(sites.delete().where(sites.c.code == site.code))
    tx.execute(
        sites.insert().values(
            code=site.code,
            name=site.name,
            parent=site.parent,
            url=site.url,
            key=site.key,
            certificate=site.certificate,
            status=site.status.value,
            life=site.life,
        )
    )


def remove_site(tx: Transaction, code: SiteCode) -> None:
    """Forget a site."""
    tx.execute(sites.delete().where(sites.c.code == code))


def _site(row: sa.Row[tuple[object, ...]]) -> Site:
    return Site(
        code=row.code,
        name=row.name,
        parent=row.parent,
        url=row.url,
        key=row.key,
        certificate=row.certificate,
        status=SiteStatus(row.status),
        life=row.life,
    )


def find_site(tx: Transaction, code: SiteCode) -> Site | None:
    """One site; None if unknown."""
    row = tx.execute(_FIND_SITE, {"code": code}).one_or_none()
    return None if row is None else _site(row)


def list_sites(
    tx: Transaction, *, words: str = "", parent: str | None = None, after: str = "", limit: int | None = None
) -> Sequence[Site]:
    """Sites by code: all of them, or so many behind a code, with all of these words in code or name, right below one site."""
    query = sa.select(sites).where(sites.c.code > after).order_by(sites.c.code).limit(limit)
    if parent is not None:
        query = query.where(sites.c.parent == parent)
    for word in words.split():
        query = query.where(sa.or_(sites.c.code.icontains(word, autoescape=True), sites.c.name.icontains(word, autoescape=True)))
    return [_site(row) for row in tx.execute(query)]


def joined_children(tx: Transaction, code: SiteCode) -> set[SiteCode]:
    """The direct children that have a server; asked for each package that changes."""
    return set(tx.execute(_JOINED_CHILDREN, {"code": code}).scalars())


def count_sites(tx: Transaction) -> dict[SiteStatus, int]:
    """How many sites of the hierarchy are known here, by where they stand."""
    query = sa.select(sites.c.status, sa.func.count()).group_by(sites.c.status)
    return {SiteStatus(status): int(count) for status, count in tx.execute(query)}


def hierarchy(tx: Transaction) -> Hierarchy:
    """The tree of the sites known here."""
    return tree_of({row.code: row.parent for row in tx.execute(_PARENTS)})


def tree_of(parents: Mapping[SiteCode, SiteCode | None]) -> Hierarchy:
    """A tree of sites. One whose parent is not known yet is left out until it is."""
    known = dict(parents)
    while True:
        stray = [code for code, parent in known.items() if parent is not None and parent not in known]
        if not stray:
            return Hierarchy(known)
        for code in stray:
            del known[code]


def put_point(tx: Transaction, point: Point) -> None:
    """Write a point as it is now."""
    tx.execute(points.delete().where(points.c.place == point.place))
    tx.execute(
        points.insert().values(
            place=point.place, site=point.site, kind=point.kind, url=point.url, owner=point.owner, options=point.options
        )
    )


def remove_point(tx: Transaction, where: Place) -> None:
    """Forget a point."""
    tx.execute(points.delete().where(points.c.place == where))


def _point(row: sa.Row[tuple[object, ...]]) -> Point:
    return Point(place=row.place, kind=row.kind, url=row.url, owner=row.owner, options=row.options)


def find_point(tx: Transaction, where: Place) -> Point | None:
    """One point; None if unknown."""
    row = tx.execute(sa.select(points).where(points.c.place == where)).one_or_none()
    return None if row is None else _point(row)


def list_points(
    tx: Transaction, site: SiteCode | None = None, *, words: str = "", after: str = "", limit: int | None = None
) -> Sequence[Point]:
    """Points by place: all of them, or those of one site, or so many behind a place, with all of these words in place or URL."""
    query = sa.select(points).where(points.c.place > after).order_by(points.c.place).limit(limit)
    for word in words.split():
        query = query.where(sa.or_(points.c.place.icontains(word, autoescape=True), points.c.url.icontains(word, autoescape=True)))
    if site is not None:
        query = query.where(points.c.site == site)
    return [_point(row) for row in tx.execute(query)]


def known_points(tx: Transaction, places: Collection[Place]) -> set[Place]:
    """Those of some places that are points known here."""
    wanted, found = list(places), set[Place]()
    for first in range(0, len(wanted), _AT_ONCE):
        query = sa.select(points.c.place).where(points.c.place.in_(wanted[first : first + _AT_ONCE]))
        found.update(tx.execute(query).scalars())
    return found


_AT_ONCE = 5000
"""Parameters of one statement; databases take a bounded number."""


def put_claim(tx: Transaction, code: SiteCode, invitation: str, key: str, document: bytes, now: dt.datetime) -> None:
    """Keep a proven claim in place of an earlier one of that site."""
    remove_claim(tx, code)
    tx.execute(claims.insert().values(code=code, invitation=invitation, key=key, document=document, taken=now))


def find_claim(tx: Transaction, code: SiteCode) -> bytes | None:
    """The claim of a site, as it was signed."""
    return tx.execute(sa.select(claims.c.document).where(claims.c.code == code)).scalar_one_or_none()


def claimed_key(tx: Transaction, invitation: str) -> str | None:
    """The site key an invitation (by its token key) was used with; None while it is unused."""
    return tx.execute(sa.select(claims.c.key).where(claims.c.invitation == invitation)).scalar_one_or_none()


def open_claims(tx: Transaction) -> Sequence[SiteCode]:
    """Sites whose claim the central site has not answered yet."""
    query = sa.select(claims.c.code).join(sites, sites.c.code == claims.c.code).order_by(claims.c.code)
    return list(tx.execute(query.where(sites.c.status != SiteStatus.ACTIVE.value)).scalars())


def remove_claim(tx: Transaction, code: SiteCode) -> None:
    """Forget a claim."""
    tx.execute(claims.delete().where(claims.c.code == code))
