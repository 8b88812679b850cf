"""The page that compares a file with what there is and applies it, and the page about the API."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.domain.people.roles import Role
from haulage.server.app import ENDPOINTS
from haulage.server.description import described
from haulage.wiring.founding import init_central
from tests.console.first_run.person import Person
from tests.server.asgi import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(init_central(str(tmp_path_factory.mktemp("declared") / "hq"), code="HQ1", listen="127.0.0.1:0"))
    served.join_child()
    yield served
    served.close()


@pytest.fixture(scope="module")
def person(served: Served) -> Person:
    return Person(served)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found[1])


def test_a_file_is_compared_and_what_was_shown_is_applied(person: Person, tmp_path: Path) -> None:
    lines = ("format = 1", "[sites.NEW]", 'name = "<b>New</b>"', "[groups]", 'fresh = ["CHI"]', "[packages.Till]")
    text = "\r\n".join([*lines, f'source = "{tmp_path}"', ""])
    shown = person.post("/declared", text=text).body.decode()
    assert "let site NEW in below HQ1" in shown
    assert "<b>New" not in shown
    done = person.post("/declared/applied", text=hidden(shown, "text"), expected=hidden(shown, "expected")).body.decode()
    assert "<strong>3</strong> changes made" in done
    assert "haulage join --home DIR" in done
    again = person.post("/declared", text=text).body.decode()
    assert "Nothing differs" in again
    stale = person.post("/declared/applied", text=text + "[groups.x]\n", expected=hidden(shown, "expected"))
    assert stale.status in (400, 409)


def test_mistakes_are_all_told_with_their_lines(person: Person) -> None:
    reply = person.post("/declared", text='format = 1\n[packages.a]\nsorce = "<script>"\nkeep = 0\n')
    shown = reply.body.decode()
    assert reply.status == 400
    assert "line 3: packages.a.sorce is not known here" in html.unescape(shown)
    assert "line 4: keep" in shown
    assert "<script>&quot;" not in shown.replace("&lt;script&gt;", "")


def test_much_is_removed_only_if_its_number_is_typed(person: Person) -> None:
    person.post("/groups/a/set", places="CHI")
    text = 'format = 1\n[manage]\nremove = ["groups"]\n'
    shown = person.post("/declared", text=text).body.decode()
    assert "This removes much" in shown
    refused = person.post("/declared/applied", text=text, expected=hidden(shown, "expected"))
    assert refused.status == 409
    assert "must be asked for" in refused.body.decode()
    number = re.search(r"Type <code>(\d+)</code>", shown)
    assert number
    done = person.post("/declared/applied", text=text, expected=hidden(shown, "expected"), allow_removing=number[1])
    assert done.status == 200


def test_what_there_is_comes_as_a_file_that_does_not_differ(person: Person) -> None:
    page = person.page("/declared/now")
    text = html.unescape(page.partition("<code>")[2].partition("</code>")[0])
    assert "format = 1" in text
    assert "Nothing differs" in person.post("/declared", text=text).body.decode()


def test_an_operator_compares_and_does_not_apply_and_a_reader_does_neither(served: Served) -> None:
    operator, text = Person(served, Role.OPERATOR), 'format = 1\n[groups]\nlater = ["CHI"]\n'
    shown = operator.post("/declared", text=text).body.decode()
    assert "An administrator can apply this" in shown
    assert operator.post("/declared/applied", text=text, expected="x").status == 403
    reader = Person(served, Role.READER)
    assert reader.get("/declared").status == 403
    assert reader.post("/declared", text=text).status == 403
    assert reader.get("/declared/now").status == 200


def test_every_endpoint_stands_on_the_page_of_the_api_with_a_command(person: Person) -> None:
    page = html.unescape(person.page("/api"))
    for endpoint in described(ENDPOINTS):
        assert f"<code>{endpoint.path}</code>" in page
    assert page.count("curl --cacert ca.pem") == len(described(ENDPOINTS))
