"""The pages over a real site: its tables, shelves and index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from haulage.domain.fixes import records
from haulage.domain.fixes.model import Assessment, Fix, FixFile
from haulage.operations.knowledge import import_articles, stock_product_articles
from haulage.server.app import create_app
from haulage.wiring.console import console_of
from haulage.wiring.founding import init_central
from haulage.wiring.knowledge import product_articles
from tests.console.test_browser import ROLLUP
from tests.server.asgi import Reply, Served

RULE, LINE = "-" * 79, "=" * 70
HOTFIX = f"""DOCUMENT:Q900001  06-AUG-2002  [press]
TITLE   :Press: Error 998 While Packing Files of Several Streams
PRODUCT :Press
PROD/VER::2.0
OPER/SYS:
KEYWORDS:kbpress

{LINE}
{RULE}
The information in this article applies to:

 - Press version 2.0
{RULE}

SYMPTOMS
========

The log of the press has this line:

   Cannot write to output file, error = 998

RESOLUTION
==========

Apply the hotfix that is described in the following article:

   Q900002 What the rollup of the press contains

The hotfix that is described in Q900002 also contains the fix for the problem
that is described in this article.

{LINE}
Keywords          : kbpress
Version           : :2.0
Issue type        : kbbug
"""
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


class Site:
    """A site with articles, asked as a program with its API token."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.served.app = create_app(served.service, pages=console_of(served.service))

    def page(self, target: str) -> Reply:
        return self.served.ask("GET", target, headers={"Authorization": f"Bearer {self.served.token}"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "articles").mkdir()
    (folder / "articles" / "Q900001.TXT").write_text(HOTFIX.replace("\n", "\r\n"))
    (folder / "articles" / "Q900002.md").write_text(ROLLUP)
    served = Served(init_central(str(folder / "hq"), code="HQ1", listen="127.0.0.1:0"))
    stock_product_articles(served.service.desk, product_articles())
    import_articles(served.service.local_desk, "test", str(folder / "articles"))
    served.work()
    yield Site(served)
    served.close()


def fix(name: str, *, contains: tuple[str, ...] = ()) -> Fix:
    return Fix(
        fix=name, owner="HQ1", revision=1, title=f"Title <of> {name}", article=name, origin="person", evidence="It says so.",
        supersedes=(), contains=contains, requires=(), files=(FixFile(path="bin/press.bin", version="2.0.1", bytes=1234),),
        document=b"", bundle="", bundle_bytes=0, package=None, signer="", known=NOW,
    )  # fmt: skip


def test_f62_search_finds_own_and_imported_articles(site: Site) -> None:
    found = site.page("/knowledge.json?q=press+998").json
    assert [hit["id"] for hit in found["hits"]][:1] == ["Q900001"]
    assert site.page("/knowledge.json?q=2352").json["hits"][0]["id"] == "HLG2352"


def test_f62_an_article_shows_both_ways_and_what_helps(site: Site) -> None:
    view = site.page("/knowledge/Q900001.json").json
    assert [(one["id"], one["held"]) for one in view["references"]] == [("Q900002", True)]
    assert [(one["under"], one["over"]) for one in view["helps"]["chain"]] == [("Q900001", "Q900002")]
    assert view["helps"]["fix"] == "Q900002"
    assert [(line["tail"], line["head"]) for line in view["picture"]["lines"]] == [("Q900001", "Q900002")]
    back = site.page("/knowledge/Q900002.json").json
    assert [one["id"] for one in back["referenced_by"]] == ["Q900001"]
    assert [one["id"] for one in back["fixes"]] == ["Q900001"]


def test_an_id_is_taken_in_any_spelling_and_another_one_is_not_there(site: Site) -> None:
    assert site.page("/knowledge/q900001.json").json["id"] == "Q900001"
    assert (site.page("/knowledge/Q1.json").status, site.page("/knowledge/%3F.json").status) == (404, 400)


def test_f63_a_text_leads_to_the_article_and_its_fix(site: Site) -> None:
    found = site.page("/diagnose.json?text=press:+cannot+write+to+output+file,+error+998").json["likely"]
    assert found[0]["hit"]["id"] == "Q900001"
    assert found[0]["helps"]["fix"] == "Q900002"
    assert {reason["clue"] for reason in found[0]["reasons"]} & {"error", "words"}


def test_fixes_are_listed_and_shown_with_what_was_found(site: Site) -> None:
    assert site.page("/knowledge/fixes.json").json["fixes"] == []
    assert site.page("/fixes/Q900002.json").status == 404
    looked = Assessment(
        root="/srv/press", product="press", version="2.0", service_level="SP3", taken=NOW,
        results=({"fix": "Q900002", "state": "applicable", "reasons": ["press.bin is older"]},),
    )  # fmt: skip
    with site.served.service.core.database.writing() as tx:
        records.put_fix(tx, fix("Q900002", contains=("Q900001",)))
        records.put_assessment(tx, looked)
    assert [one["fix"] for one in site.page("/knowledge/fixes.json").json["fixes"]] == ["Q900002"]
    shown = site.page("/fixes/Q900002.json").json
    assert shown["found"] == [{"root": "/srv/press", "state": "applicable", "reasons": ["press.bin is older"]}]
    assert site.page("/knowledge/Q900001.json").json["helps"]["states"] == ["applicable at /srv/press"]
    for where in ("/knowledge/fixes", "/fixes/Q900002", "/knowledge/Q900001", "/diagnose?text=error+998"):
        reply = signed_in(site, where)
        assert (where, reply.status) == (where, 200)
        assert b"<of>" not in reply.body


def signed_in(site: Site, target: str) -> Reply:
    headers = {"Origin": site.served.service.url(), "Content-Type": "application/x-www-form-urlencoded"}
    reply = site.served.ask("POST", "/sign-in", headers=headers, body=f"secret={site.served.token}".encode())
    return site.served.ask("GET", target, headers={"Cookie": reply.headers["set-cookie"].partition(";")[0]})
