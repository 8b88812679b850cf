"""Articles and fixes over HTTP: permissions, uploads, questions with anything in them, answers in their stable form."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from haulage.engine.bundles import building
from haulage.engine.trust.keys import SigningKey
from haulage.operations.knowledge import stock_product_articles
from haulage.server.api import fixes, knowledge
from haulage.testing import demo_press as press
from haulage.wiring.knowledge import product_articles
from tests.server.asgi import Served

BINARY = {"Content-Type": "application/octet-stream"}
HOSTILE = (
    "",
    '"',
    "'; DROP TABLE articles; --",
    "NEAR(a b, 5) AND NOT title:*",
    "a\x00b",
    "\u202e\U0001f600 ﷽",
    "(((((((",
    "* *",
    "-",
    "x" * 3000,
    "[TO {* AND +",
)


@pytest.fixture(scope="module")
def stocked(served: Served) -> Served:
    stock_product_articles(served.service.desk, product_articles())
    served.work()
    return served


def upload(served: Served, target: str, data: bytes) -> int:
    headers = {"Authorization": f"Bearer {served.token}", **BINARY}
    return served.ask("PUT", target, headers=headers, body=data).status


@pytest.mark.parametrize("endpoint", [*knowledge.ENDPOINTS, *fixes.ENDPOINTS], ids=lambda one: f"{one.method} {one.path}")
def test_nothing_of_it_is_told_or_done_without_a_token(served: Served, endpoint: object) -> None:
    method, path = getattr(endpoint, "method"), getattr(endpoint, "path")  # noqa: B009
    reply = served.ask(method, path.format(id="Q1", number="1"))
    assert (reply.status, reply.code) == (401, "token-missing")


def test_an_uploaded_article_is_found_shown_and_removed(stocked: Served) -> None:
    data = b'+++\nid = "Q900001"\ntitle = "The xylophone jams"\ncreated = 2026-11-22\n+++\n# Symptoms\n\nNo sound.\n'
    assert upload(stocked, "/api/v1/article-imports/upload?name=x.md", data) == 202
    stocked.work()
    (done,) = [row for row in stocked.admin("GET", "/api/v1/article-imports").json if row["source"] == "x.md"]
    assert (done["state"], done["report"]["added"]) == ("done", 1)
    assert stocked.admin("GET", f"/api/v1/article-imports/{done['number']}").json["behind"] == 0
    found = stocked.admin("GET", "/api/v1/search?text=xylophone").json
    assert [hit["id"] for hit in found["items"]] == ["Q900001"]
    shown = stocked.admin("GET", "/api/v1/articles/q900001").json
    assert (shown["owner"], shown["sections"][0]["kind"], shown["fix"]) == ("HQ1", "symptoms", None)
    assert stocked.admin("GET", "/api/v1/articles?limit=1&cursor=Q900000").json["items"][0]["id"] == "Q900001"
    assert stocked.admin("DELETE", "/api/v1/articles/Q900001").json["removed"] is True
    stocked.work()
    assert stocked.admin("GET", "/api/v1/articles/Q900001").code == "no-such-article"
    assert stocked.admin("GET", "/api/v1/search?text=xylophone").json["total"] == 0


def test_a_mistake_in_an_uploaded_article_is_told_by_the_name_its_author_knows(stocked: Served) -> None:
    data = b'+++\nid = "Q900002"\ntitle = "t"\nproducts = "Press"\n+++\n# Symptoms\n\nNo sound.\n'
    assert upload(stocked, "/api/v1/article-imports/upload?name=own.md", data) == 202
    stocked.work()
    (failed,) = [row for row in stocked.admin("GET", "/api/v1/article-imports").json if row["source"] == "own.md"]
    (refused,) = stocked.admin("GET", f"/api/v1/article-imports/{failed['number']}").json["report"]["refused_files"]
    assert refused["name"] == "own.md"
    assert refused["detail"].startswith("own.md, line 4:")


@pytest.mark.parametrize("text", HOSTILE)
def test_b101_b102_any_text_is_a_question_and_none_an_error(stocked: Served, text: str) -> None:
    assert stocked.admin("GET", f"/api/v1/search?text={quote(text)}").status == 200
    wanted = 200 if text.strip() else 400
    assert stocked.admin("POST", "/api/v1/diagnosis", {"text": text}).status == wanted


def test_an_empty_value_narrows_nothing(stocked: Served) -> None:
    everything = stocked.admin("GET", "/api/v1/search?text=package").json["total"]
    assert everything > 0
    assert stocked.admin("GET", "/api/v1/search?text=package&product=&year=|&type=").json["total"] == everything
    assert stocked.admin("GET", "/api/v1/search?text=package&product=No+such").json["total"] == 0


def test_a_status_message_and_its_number_lead_to_the_articles_about_it(stocked: Served) -> None:
    explained = stocked.admin("GET", "/api/v1/status/numbers/2328").json
    assert explained["articles"][0]["id"] == "HLG2328"
    likely = stocked.admin("POST", "/api/v1/diagnosis", {"text": "it failed", "message": 2328}).json["items"]
    assert likely[0]["id"] == "HLG2328"
    assert stocked.admin("POST", "/api/v1/diagnosis", {"text": "", "message": 2328}).json["items"][0]["id"] == "HLG2328"


def test_what_comes_with_haulage_is_nobodys_and_cannot_be_removed(stocked: Served) -> None:
    assert stocked.admin("GET", "/api/v1/articles/HLG2328").json["owner"] == ""
    assert stocked.admin("DELETE", "/api/v1/articles/HLG2328").code == "owned-elsewhere"
    assert stock_product_articles(stocked.service.desk, product_articles()) is False


def test_a_bundle_is_imported_as_data_and_kept_only_if_somebody_vouches(stocked: Served, tmp_path: Path) -> None:
    for state in (0, 1):
        press.write_product(str(tmp_path / f"tree{state}"), state)
    key, path = SigningKey.generate(), str(tmp_path / "Q316316.pyz")
    said = {"id": "Q316316", "title": "A fix", "article": "Q316316"}
    building.build(building.prepare(said, [str(tmp_path / "tree0")], str(tmp_path / "tree1")), path, [key])
    home = Path(stocked.opened.home.path)
    assert stocked.admin("POST", "/api/v1/fixes", {"path": path}).code == "not-trusted"
    assert stocked.admin("POST", "/api/v1/fixes", {"path": path, "trust": [key.public.id], "dry_run": True}).status == 201
    data = Path(path).read_bytes()
    assert upload(stocked, "/api/v1/fixes/upload", data[:-1]) >= 400
    assert not list((home / "fixes").iterdir())
    made = stocked.admin("POST", "/api/v1/fixes", {"path": path, "trust": [key.public.id]}).json
    stocked.work()
    shown = stocked.admin("GET", "/api/v1/fixes/Q316316").json
    assert (shown["here"], shown["package"], shown["product"]) == (True, made["package"], press.PRODUCT)
    assert (home / "fixes" / "Q316316" / "Q316316.pyz").read_bytes() == data
    press.install(str(tmp_path / "machine"))
    (result,) = stocked.admin("POST", "/api/v1/assessments", {"root": str(tmp_path / "machine")}).json["results"]
    assert (result["fix"], result["state"]) == ("Q316316", "applicable")
    assert [one["root"] for one in stocked.admin("GET", "/api/v1/assessments").json] == [str(tmp_path / "machine")]
    assert not list((home / "uploads").iterdir())
