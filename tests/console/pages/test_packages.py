"""The pages about packages, over a real site with a tree that holds everything and hostile names: what they show, what they let
whom do, and that what reaches far tells so before."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from haulage.base.ids import PackageId
from haulage.domain.catalog import records as catalog
from haulage.domain.people.roles import Role
from haulage.operations.packages import assign_package, create_package, publish_package
from haulage.server.app import create_app
from haulage.testing.folders import hostile_tree, write_folder
from haulage.wiring.console import console_of
from haulage.wiring.founding import init_central
from tests.console.inert import assert_own_page
from tests.console.people import Person, let_in
from tests.server.asgi import Served

NAME = 'Tills "><script>alert(1)</script> \u202egnp.exe'


class Shelf:
    """A site with one package of two versions, and somebody of each role."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(init_central(str(folder / "hq"), code="HQ1", listen="127.0.0.1:0"))
        self.served.app = create_app(self.served.service, pages=console_of(self.served.service))
        self.served.join_child()
        self.source = folder / "source"
        self.source.mkdir()
        write_folder(hostile_tree(depth=6, stream_sizes=(30,)), str(self.source))
        service = self.served.service
        desk = service.local_desk
        self.package: PackageId = create_package(desk, "olaf", name=NAME, source=str(self.source), keep=9).id
        self.publish()
        self.change()
        self.publish()
        assign_package(desk, "olaf", self.package, ["CHI"])  # type: ignore[list-item]
        for name, role in (("rita", Role.READER), ("olaf", Role.OPERATOR)):
            let_in(self.served, name, role)
        self.reader, self.operator = (Person(self.served).sign_in(name) for name in ("rita", "olaf"))
        self.local = Person(self.served).sign_in_local()
        """Who may name any folder of the server."""

    def publish(self) -> None:
        publish_package(self.served.service.local_desk, "olaf", self.package)
        self.served.work()

    def change(self) -> None:
        """Moved, edited, added, gone, streams and rights alone."""
        shutil.rmtree(self.source)
        self.source.mkdir()
        write_folder(hostile_tree(depth=6, stream_sizes=(30, 40)), str(self.source))
        os.rename(self.source / "names", self.source / "named")
        (self.source / "zero").write_bytes(b"not any more")
        (self.source / "AUX.txt").write_bytes(b"x")
        (self.source / "id_rsa").write_bytes(b"not a key")
        os.remove(self.source / "old")
        os.chmod(self.source / "listed", 0o600)

    def page(self, target: str, status: int = 200, by: Person | None = None) -> str:
        reply = (by or self.operator).get(target)
        assert reply.status == status, (target, re.sub(r"<[^>]+>|\s+", " ", reply.body.decode())[-800:])
        html = reply.body.decode()
        assert_own_page(html)
        return html

    def json(self, target: str) -> Any:
        reply = self.operator.get(target)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def rows(self, target: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.operator.get(target).body.decode("utf-8-sig"))))

    @property
    def at(self) -> str:
        return f"/packages/{self.package}"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("packages"))
    yield shelf
    shelf.served.close()


def test_b17_hostile_names_are_text_on_every_page(shelf: Shelf) -> None:
    pages = [
        "",
        "/versions/1",
        "/versions/1?in=names",
        "/versions/1?q=e",
        "/versions/2/capture",
        "/diff",
        "/diff?in=named",
        "/report",
    ]
    pages += ["/diff?q=name", "/assign", "/unassign?to=CHI", "/change", "/verify", "/remove", "/rollback?version=1"]
    for page in ["/packages", "/packages/new", *(shelf.at + page for page in pages)]:
        html = shelf.page(page)
        assert "<script>alert" not in html
        # What is typed into a field is what it is.
        assert ("\u202e" in html) == page.endswith("/change")
        assert html.count("<h1") == 1, page


def test_the_list_leads_to_each_package_and_counts_its_places(shelf: Shelf) -> None:
    found = shelf.json("/packages.json")["list"]
    assert [(one["id"], one["version"], one["places"]) for one in found["items"]] == [(shelf.package, 2, 1)]
    counts = {(one["state"], one["reason"]): one["count"] for one in found["items"][0]["counts"]}
    assert counts == {("present", ""): 1, ("waiting", "report"): 1}
    assert f'href="{shelf.at}?state=waiting"' in shelf.page("/packages")
    assert [row["id"] for row in shelf.rows("/packages.csv")] == [shelf.package]
    assert "No package fits the filter." in shelf.page("/packages?q=nothing")
    assert shelf.operator.get("/packages?show=sideways").status == 400


def test_a_package_shows_where_it_is_and_each_count_leads_there(shelf: Shelf) -> None:
    view = shelf.json(f"{shelf.at}.json")["of"]
    assert {row["place"]: (row["state"], row["reason"]) for row in view["places"]["items"]} == {
        "HQ1": ("present", ""),
        "CHI": ("waiting", "report"),
    }
    html = shelf.page(f"{shelf.at}?state=waiting&reason=report")
    assert f'href="{shelf.at}/at/CHI"' in html
    assert f'href="{shelf.at}/at/HQ1"' not in html
    assert [row["place"] for row in shelf.rows(f"{shelf.at}.csv?state=present")] == ["HQ1"]
    assert "come with deployments" in html


def test_a_reader_sees_and_changes_nothing(shelf: Shelf) -> None:
    html = shelf.reader.get(shelf.at).body.decode()
    assert "Where it is" in html
    assert f"{shelf.at}/publish" not in html
    for act in ("publish", "assign", "unassign", "rollback", "verify", "change", "remove"):
        assert shelf.reader.post(f"{shelf.at}/{act}", {"places": "CHI", "version": "1", "typed": shelf.package}).status == 403
    for page in ("/packages/new", f"{shelf.at}/assign", f"{shelf.at}/change", f"{shelf.at}/remove"):
        assert shelf.reader.get(page).status == 403
    assert shelf.operator.post(f"{shelf.at}/publish", token="another").status == 403


def test_a_version_is_looked_into_folder_by_folder_with_streams_and_attributes(shelf: Shelf) -> None:
    found = shelf.json(f"{shelf.at}/versions/1.json")["folder"]["items"]
    by_name = {one["name"]: one for one in found}
    assert found[0]["type"] == "folder"
    assert [one["name"] for one in by_name["nul"]["streams"]] == ["ends in NUL", "zeros"]
    assert by_name["attributes"]["attributes"][0]["name"] == "user.comment"
    assert by_name["listed"]["acls"]
    assert by_name["link"]["target"] == "../../etc/passwd"
    assert by_name["twin 2"]["same_as"] == "twin"
    assert "hidden" in by_name["windows"]["flags"]
    names = shelf.json(f"{shelf.at}/versions/1.json?in=names")["folder"]["items"]
    odd = next(one for one in names if one["at"].startswith("~"))
    assert len({one["at"] for one in names}) == len(names) > 5
    html = shelf.page(f"{shelf.at}/versions/1?in=names")
    assert "\\x" in odd["name"]
    assert html.count('class="name"') == len(names)
    assert shelf.json(f"{shelf.at}/versions/1.json?q=BOTTOM")["folder"]["items"][0]["path"].endswith("/bottom")
    assert "No name holds that." in shelf.page(f"{shelf.at}/versions/1?q=zzzzzz")
    shelf.page(f"{shelf.at}/versions/1?in=nowhere", status=404)
    shelf.page(f"{shelf.at}/versions/7", status=404)
    shelf.page(f"{shelf.at}/versions/x", status=400)


def test_h7_two_versions_side_by_side_tell_what_moved_and_what_is_streams_alone(shelf: Shelf) -> None:
    found = shelf.json(f"{shelf.at}/diff.json")
    assert (found["old"], found["new"], found["cost"]["how"]) == (1, 2, "estimated")
    assert 0 < found["cost"]["bytes_new"] < found["cost"]["bytes_total"]
    kinds = {one["path"]: one["kind"] for one in found["diff"]["items"]}
    assert (kinds["zero"], kinds["AUX.txt"], kinds["old"]) == ("changed", "added", "removed")
    assert (kinds["setup.exe"], kinds["listed"]) == ("streams", "attributes")
    folder = next(one for one in found["diff"]["folders"] if one["path"] == "named")
    assert (folder["own"]["kind"], folder["own"]["was"]) == ("moved", "names")
    inside = shelf.json(f"{shelf.at}/diff.json?from=1&to=2&in=named")["diff"]
    assert {one["kind"] for one in inside["items"]} == {"moved"}
    assert folder["counts"]["moved"] == len(inside["items"])
    only = shelf.json(f"{shelf.at}/diff.json?kind=streams")["diff"]
    assert [one["path"] for one in only["items"]] == ["setup.exe"]
    assert len(only["items"][0]["streams"]) == 1
    rows = shelf.rows(f"{shelf.at}/diff.csv")
    assert sum(found["diff"]["counts"].values()) == len(rows)
    assert "These are one and the same version." in shelf.page(f"{shelf.at}/diff?from=2&to=2")
    api = shelf.served.admin("GET", f"/api/v1/packages/{shelf.package}/diff?old=1&new=2").json
    assert [one["path"] for one in api if one["change"] == "removed"] == ["old"]
    assert {one["kind"] for one in api} == {row["kind"] for row in rows}


def test_b19_what_the_capture_noticed_is_listed_whole(shelf: Shelf) -> None:
    found = shelf.json(f"{shelf.at}/versions/2/capture.json")["capture"]
    kinds = {one["kind"]: one for one in found["kinds"]}
    assert kinds["warned possible-secret"]["count"] == kinds["warned possible-secret"]["listed"] == 1
    assert kinds["foreign device-name"]["count"] >= 1
    assert kinds["warned link-leaves-tree"]["count"] == 2
    rows = shelf.rows(f"{shelf.at}/versions/2/capture.csv")
    assert len(rows) == sum(one["count"] for one in found["kinds"])
    some = shelf.rows(f"{shelf.at}/versions/2/capture.csv?kind=foreign+device-name")
    assert "AUX.txt" in {row["path"] for row in some}
    assert "Left out" not in shelf.page(f"{shelf.at}/versions/2/capture")


def test_the_report_says_who_signed_what_is_where_and_how_old_each_fact_is(shelf: Shelf) -> None:
    found = shelf.json(f"{shelf.at}/report.json")
    with shelf.served.service.core.database.reading() as tx:
        newest = catalog.list_versions(tx, shelf.package)[0]
    assert found["manifest"] == found["signature"]["manifest"] == newest.manifest.hex()
    assert (found["signature"]["checked"], len(found["signature"]["signer"])) == (True, 64)
    assert (found["published_by"], found["published_how"], found["present"], found["places"]) == ("olaf", "publish", 1, 2)
    row = {row["place"]: row for row in found["rows"]}
    assert row["HQ1"]["manifest"] == found["manifest"]
    assert row["HQ1"]["verified"]
    assert (row["CHI"]["way"], row["CHI"]["manifest"], row["CHI"]["verified"]) == (["HQ1", "CHI"], "", None)
    html = shelf.page(f"{shelf.at}/report")
    assert found["manifest"] in html
    assert f"haulage package verify {shelf.package} --at PLACE" in html
    assert {line["as_of"] for line in shelf.rows(f"{shelf.at}/report.csv")} != {""}
    assert shelf.served.admin("GET", f"/api/v1/packages/{shelf.package}/report").json["manifest"] == found["manifest"]


def test_b63_what_is_no_package_is_told_so(shelf: Shelf) -> None:
    assert "There is no package HQ1FFFFF." in shelf.page("/packages/HQ1FFFFF", status=404)
    assert shelf.operator.get("/packages/..%2f").status in (400, 404)


def test_a_new_package_is_looked_at_before_it_is_made_and_mistakes_stand_beside_their_field(shelf: Shelf) -> None:
    typed = f"/packages/new?look=true&name=Printers&source={quote(str(shelf.source))}"
    html = shelf.page(typed, by=shelf.local)
    assert "What would be captured" in html
    assert "id_rsa" in html
    for field, query in (("source", "&source=/nowhere"), ("to", "&to=NOP"), ("streams", "&policy=drop"), ("keep", "&keep=0")):
        wrong = shelf.page(typed + query, by=shelf.local)
        assert f'id="bad-{field}"' in wrong, field
        assert 'value="Printers"' in wrong
    assert 'id="bad-source"' in shelf.page(typed), "an operator names only folders that [capture] allowed names"
    before = shelf.json("/packages.json")["list"]["matched"]
    refused = shelf.local.post("/packages/new", {"name": "Printers", "source": "/nowhere", "policy": "keep", "keep": "2"})
    assert refused.status == 303
    assert 'id="bad-source"' in shelf.page(refused.headers["location"], by=shelf.local)
    assert shelf.json("/packages.json")["list"]["matched"] == before
    made = shelf.local.post(
        "/packages/new", {"name": "Printers", "source": str(shelf.source), "policy": "keep", "keep": "2", "publish": "true"}
    )
    where = made.headers["location"]
    assert "The source is being read." in shelf.page(where) or "A capture waits" in shelf.page(where)
    shelf.served.work()
    assert shelf.json(f"{where}.json")["of"]["package"]["version"] == 1


def test_assigning_tells_what_it_takes_and_withdrawing_what_goes(shelf: Shelf) -> None:
    made = shelf.local.post(
        "/packages/new", {"name": "Fonts", "source": str(shelf.source), "policy": "keep", "keep": "2", "to": ""}
    )
    where = made.headers["location"]
    assert "nothing is sent before it is" in shelf.page(f"{where}/assign?place=CHI")
    assert "There is no place NOP." in shelf.page(f"{where}/assign?to=NOP")
    assert shelf.operator.post(f"{where}/assign", {"places": "CHI"}).status == 303
    shelf.operator.post(f"{where}/publish")
    shelf.served.work()
    assert shelf.json(f"{where}.json")["of"]["total"] == 2
    going = shelf.json(f"{where}/unassign.json?place=CHI")
    assert [row["place"] for row in going["plan"]] == ["CHI"]
    assert shelf.operator.post(f"{where}/unassign", {"places": "CHI"}).headers["location"] == where
    assert shelf.json(f"{where}.json")["of"]["package"]["assigned"] == 0
    assert shelf.operator.post(f"{where}/unassign", {"places": ""}).status == 400


def test_rolling_back_tells_its_reach_and_moves_no_byte(shelf: Shelf) -> None:
    asked = shelf.json(f"{shelf.at}/rollback.json?version=1")
    assert [line["count"] for line in asked["reach"]] == [2, 0, None]
    with shelf.served.service.core.database.reading() as tx:
        assert catalog.list_versions(tx, shelf.package)[0].number == 2
    assert shelf.operator.post(f"{shelf.at}/rollback", {"version": "1"}).status == 303
    newest = shelf.json(f"{shelf.at}.json")["of"]["versions"][0]
    assert (newest["version"], newest["new_bytes"]) == (3, 0)
    assert shelf.json(f"{shelf.at}/versions/3/capture.json")["capture"]["of_version"] == 1
    assert shelf.json(f"{shelf.at}/report.json")["published_how"] == "rollback"
    assert "has that content already" in shelf.page(f"{shelf.at}/rollback?version=1", status=409)


def test_verifying_everywhere_asks_those_that_have_it(shelf: Shelf) -> None:
    shelf.served.work()
    asked = shelf.json(f"{shelf.at}/verify.json?repair=true")
    assert (asked["reach"][0]["count"], asked["fields"]) == (1, {"repair": "true"})
    reply = shelf.operator.post(f"{shelf.at}/verify", {"repair": "true"})
    assert reply.headers["location"] == shelf.at
    assert "1 places were asked to repair" in shelf.page(shelf.at)


def test_a_change_is_tried_before_and_a_removal_typed(shelf: Shelf) -> None:
    refused = shelf.operator.post(f"{shelf.at}/change", {"name": "Tills", "keep": "many"})
    assert "is no number of versions" in shelf.page(refused.headers["location"])
    assert shelf.operator.post(f"{shelf.at}/change", {"name": "Tills", "keep": "8"}).headers["location"] == shelf.at
    assert shelf.json(f"{shelf.at}.json")["of"]["package"]["keep"] == 8
    assert shelf.operator.post(f"{shelf.at}/remove", {"typed": "HQ1"}).status == 400
    assert shelf.json(f"{shelf.at}.json")["of"]["package"]["name"] == "Tills"
    assert shelf.operator.post(f"{shelf.at}/remove", {"typed": shelf.package}).headers["location"] == "/packages"
    assert shelf.operator.get(shelf.at).status == 404
