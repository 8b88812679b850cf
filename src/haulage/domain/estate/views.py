"""What API and console show of sites and points."""

from __future__ import annotations

from haulage.base.clock import iso
from haulage.base.ids import SiteCode
from haulage.domain.estate import records
from haulage.domain.estate.model import Point, Site
from haulage.domain.replication import records as replication
from haulage.engine.database.transaction import Transaction

View = dict[str, object]


def list_sites(
    tx: Transaction, here: SiteCode, *, words: str = "", parent: str | None = None, after: str = "", limit: int | None = None
) -> list[View]:
    """Sites by code, as :func:`records.list_sites` chooses them."""
    streams = {stream.peer: stream for stream in replication.list_streams(tx)}
    found = records.list_sites(tx, words=words, parent=parent, after=after, limit=limit)
    return [_site(tx, site, here, streams) for site in found]


def site_tree(tx: Transaction, here: SiteCode) -> list[View]:
    """All sites as a list in tree order, each with its ``depth``."""
    tree = records.hierarchy(tx)
    streams = {stream.peer: stream for stream in replication.list_streams(tx)}
    known = {site.code: site for site in records.list_sites(tx)}
    out: list[View] = []

    def walk(code: SiteCode, depth: int) -> None:
        out.append(_site(tx, known[code], here, streams) | {"depth": depth})
        for child in tree.children(code):
            walk(child, depth + 1)

    if tree.central is not None:
        walk(tree.central, 0)
    return out


def _site(tx: Transaction, site: Site, here: SiteCode, streams: dict[SiteCode, replication.Stream]) -> View:
    stream = streams.get(site.code)
    link: View | None = None
    if stream is not None:
        link = {
            "messages_sent": stream.out_next - 1,
            "messages_acknowledged": stream.out_acknowledged,
            "messages_waiting": replication.count_dirty(tx, site.code),
            "bytes_sent": stream.out_bytes,
            "messages_received": stream.in_sequence,
        }
    return {
        "code": site.code,
        "name": site.name,
        "parent": site.parent,
        "url": site.url,
        "state": site.status.value,
        "here": site.code == here,
        "last_seen": iso(stream.heard) if stream is not None and stream.heard is not None else None,
        "link": link,
    }


def list_points(
    tx: Transaction, site: SiteCode | None = None, *, words: str = "", after: str = "", limit: int | None = None
) -> list[View]:
    """Points by place, as :func:`records.list_points` chooses them."""
    return [point_view(point) for point in records.list_points(tx, site, words=words, after=after, limit=limit)]


def point_view(point: Point) -> View:
    """One point."""
    return {"id": point.place, "place": point.place, "site": point.site, "kind": point.kind, "url": point.url, "owner": point.owner}
