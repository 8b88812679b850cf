"""Lists of packages tell the same truth as each package's own status, in every order and by every filter."""

from __future__ import annotations

from collections import Counter

import pytest

from haulage.base.errors import UsageError
from haulage.domain.catalog import records as catalog
from haulage.domain.reporting.packages.listing import package_list, package_rows, read_cursor
from haulage.domain.reporting.packages.overview import PlaceFilter, package_page, place_rows
from haulage.domain.reporting.packages.records import SHOWS, SORTS, Wanted
from haulage.domain.reporting.packages.standing import counts_of, standing_of
from haulage.domain.transit.views import package_status
from haulage.testing.estate.opened import Estate


def test_lists_and_the_status_of_a_package_are_one_truth(small_estate: Estate) -> None:
    with small_estate.service().core.database.reading() as tx:
        packages = catalog.list_packages(tx)
        names = [one.id for one in packages]
        standing, counts = standing_of(tx, names), counts_of(tx, names)
        for package in packages:
            status = package_status(tx, package)
            facts = [(one.place, one.state, one.reason, one.wanted, one.present) for one in standing[package.id]]
            assert sorted(facts) == sorted(
                (row["place"], row["state"], row["reason"], row["wanted"], row["present"]) for row in status
            )
            tally = Counter((row["state"], row["reason"]) for row in status)
            assert {(one.state, one.reason): one.count for one in counts[package.id]} == tally


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("down", [False, True])
def test_cursors_lead_through_every_order_once(small_estate: Estate, sort: str, down: bool) -> None:
    with small_estate.service().core.database.reading() as tx:
        everything = package_list(tx, Wanted(sort=sort, down=down, limit=1000))
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = package_list(tx, Wanted(sort=sort, down=down, limit=4, after=read_cursor(cursor) if cursor else None))
            found += [one.id for one in page.items]
            cursor = page.cursor
    assert found == [one.id for one in everything.items]
    assert len(set(found)) == everything.matched == 15
    keys = {
        "id": lambda one: one.id,
        "name": lambda one: one.name.lower(),
        "size": lambda one: one.bytes,
        "captured": lambda one: one.captured,
    }
    values = [keys[sort](one) for one in everything.items]
    assert values == sorted(values, reverse=down)


@pytest.mark.parametrize("show", SHOWS)
def test_each_filter_leaves_what_stands_so(small_estate: Estate, show: str) -> None:
    core = small_estate.service().core
    with core.database.reading() as tx:
        shown = {one.id for one in package_list(tx, Wanted(show=show, limit=1000)).items}
        everything = package_list(tx, Wanted(limit=1000)).items
    fits = {
        "moving": lambda states: bool(states & {"moving", "verifying", "planned"}),
        "present": lambda states: states == {"present"},
        "unpublished": lambda states: not states,
        "unassigned": lambda _states: False,
        "capture-failed": lambda _states: False,
        "report": lambda _states: None,
    }.get(show, lambda states: show in states)
    for one in everything:
        states = {count.state for count in one.counts}
        wanted = any(count.reason == "report" for count in one.counts) if show == "report" else fits(states)  # type: ignore[no-untyped-call]
        assert (one.id in shown) == wanted, (one.id, one.counts)


def test_words_and_owner_narrow_and_a_foreign_cursor_is_refused(small_estate: Estate) -> None:
    with small_estate.service().core.database.reading() as tx:
        assert {one.name for one in package_list(tx, Wanted(words="till soft")).items} == {
            "Till software",
            "Till software <nightly> & samples",
        }
        assert package_list(tx, Wanted(words="100% _")).matched == 0
        assert package_list(tx, Wanted(owner="CHI")).matched == 0
    with pytest.raises(UsageError):
        read_cursor("%%%")


def test_places_of_a_package_are_filtered_cut_and_listed_whole(small_estate: Estate) -> None:
    core = small_estate.service().core
    with core.database.reading() as tx:
        package = catalog.list_packages(tx)[4]
        view = package_page(tx, package, core.code, PlaceFilter(limit=5))
        assert view.places.items[0]["state"] == "failed"
        assert (view.places.matched, sum(one.count for one in view.counts)) == (view.total, view.total)
        seen = [row["place"] for row in view.places.items]
        cursor = view.places.cursor
        while cursor is not None:
            page = package_page(tx, package, core.code, PlaceFilter(limit=5, after=cursor)).places
            seen += [row["place"] for row in page.items]
            cursor = page.cursor
        some = package_page(tx, package, core.code, PlaceFilter(state="present", kind="point"))
        assert {(row["state"], row["kind"]) for row in some.places.items} == {("present", "point")}
        assert view.carried["bytes_saved"] == view.carried["bytes_whole"] - view.carried["bytes_sent"] > 0
    assert len(set(seen)) == len(seen) == view.total
    assert [row["place"] for row in place_rows(core.database, package, PlaceFilter())] == seen


def test_a_spreadsheet_has_every_package(small_estate: Estate) -> None:
    rows = list(package_rows(small_estate.service().core.database, Wanted(limit=4)))
    assert len(rows) == 15
    assert all(row["present"] for row in rows)
