"""One package: how it stands everywhere, its versions, its source; watched live. What is done to it stands in ``package_acts``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.ids import PackageId, package_id
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.knowledge.diagnosis import likely
from haulage.domain.reporting.packages.overview import PackageView, PlaceFilter, package_page, place_rows
from haulage.domain.reporting.packages.proof import Proof, proof
from haulage.engine.database.transaction import Transaction
from haulage.operations.desk import require_package
from haulage.server.core import SiteCore

View = dict[str, object]


class PackageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which of its places are shown."""

    q: str = ""
    state: str = ""
    reason: str = ""
    kind: str = ""
    after: str = ""

    @property
    def words(self) -> dict[str, object]:
        """As an address has them."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if value}

    @property
    def filter(self) -> PlaceFilter:
        """As the view is asked."""
        return PlaceFilter(words=self.q, state=self.state, reason=self.reason, kind=self.kind, after=self.after)


class OnePackagePage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of a package."""

    query: Mapping[str, object]
    of: PackageView
    articles: Sequence[View]
    """What is known about the first failure that is listed."""
    under_way: tuple[int, int] | None
    """Entries and bytes a capture that runs has gone through."""


def asked_package(visit: Visit) -> PackageId:
    """The package in the path. Raises UsageError ``bad-package-id``."""
    return package_id(visit.path["id"])


def package_pages(core: SiteCore) -> tuple[Page, ...]:
    """The package, and the report to print."""

    def show(visit: Visit) -> Shown:
        asked: PackageQuery = visit.query
        with core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            view = package_page(tx, package, core.code, asked.filter)
            articles = _articles(core, tx, view)
        title = f"{package.id} {package.name}"
        under_way = core.publisher.under_way(package.id)
        return Shown(title=title, view=OnePackagePage(query=asked.words, of=view, articles=articles, under_way=under_way))

    def rows(visit: Visit) -> Iterator[Mapping[str, object]]:
        with core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
        return place_rows(core.database, package, visit.query.filter)

    def report(visit: Visit) -> Shown:
        found = _proof(visit)
        return Shown(title=f"Where {found.package} is", view=found)

    def report_rows(visit: Visit) -> Iterator[Mapping[str, object]]:
        found = _proof(visit)
        for row in found.rows:
            yield {"package": found.package, **msgspec.structs.asdict(row), "signer": found.signature.signer, "as_of": found.taken}

    def _proof(visit: Visit) -> Proof:
        with core.database.reading() as tx:
            return proof(tx, core.journal, require_package(tx, asked_package(visit)), core.code, visit.service.clock.now())

    return (
        Page(path="/packages/{id}/report", template="package_report.html", show=report, place="packages", rows=report_rows),
        Page(path="/packages/{id}", template="package.html", show=show, query=PackageQuery, place="packages", live=True, rows=rows),
    )


def _articles(core: SiteCore, tx: Transaction, view: PackageView) -> list[View]:
    for item in view.places.items:
        error = item.get("error")
        if isinstance(error, dict):
            return likely(tx, core.code, core.librarian, f"{error['code']}\n{error['message']}")
    return []
