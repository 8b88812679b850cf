"""Each step of the first run over a real site: what is done is seen in what there is, mistakes stand beside their field, and who
may not do a step is told who may."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.domain.people.roles import Role
from haulage.wiring.founding import init_central
from haulage.wiring.home import load_home
from tests.console.first_run.person import Person
from tests.server.asgi import Served

HOSTILE = "till <script>alert(1)</script> & 'co'"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0"))
    yield served
    served.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / HOSTILE.replace("/", "_")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "setup.exe").write_bytes(b"x" * 5000)
    (folder / "bin" / "aux.txt").write_text("a")
    (folder / "bin" / "<b>bold").write_text("a")
    (folder / "id_rsa").write_text("a")
    return folder


def made(person: Person, source: Path) -> str:
    """A package of the folder; its id."""
    reply = person.post("/first-run/folder", source=str(source), name="Till", streams="keep")
    assert reply.status == 303, reply.body
    found = re.search("package=(HQ1[0-9A-F]{5})$", reply.headers["location"])
    assert found, reply.headers
    return found[1]


def where_it_stands(person: Person) -> str:
    """Where the page about the whole way leads next."""
    found = re.search(r'<a class="button" href="([^"]+)">', person.page("/first-run"))
    assert found
    return html.unescape(found[1])


def test_f71_from_nothing_to_a_delivered_package(served: Served, source: Path, tmp_path: Path) -> None:
    person = Person(served)
    assert where_it_stands(person) == "/first-run/folder"
    look = html.unescape(person.page(f"/first-run/folder?source={source}".replace(" ", "%20").replace("&", "%26")))
    assert "What would be captured" in look
    assert "is the name of a device on Windows" in look
    package = made(person, source)
    assert where_it_stands(person) == f"/first-run/publish?package={package}"
    assert "The capture begins in a moment" in person.page(f"/first-run/publish?package={package}")
    served.work()
    assert "Version 1 is published" in person.page(f"/first-run/publish?package={package}")
    assert where_it_stands(person) == f"/first-run/place?package={package}"
    point = person.post("/first-run/place", act="point", package=package, point="SHOP", folder=str(tmp_path / "shop"))
    assert point.headers["location"] == f"/first-run/assign?package={package}&place=HQ1%2FSHOP"
    assert 'name="at.HQ1/SHOP" value="true" checked' in person.page(point.headers["location"])
    sent = person.post("/first-run/assign", package=package, **{"at.HQ1/SHOP": "true"})
    assert sent.headers["location"] == f"/first-run/arrive?package={package}"
    assert "Waiting for the first place" in person.page(f"/first-run/arrive?package={package}")
    served.work()
    assert "Delivered and verified" in person.page(f"/first-run/arrive?package={package}")
    assert where_it_stands(person) == f"/first-run/next?package={package}"
    assert (tmp_path / "shop" / package / "1" / "bin" / "setup.exe").read_bytes() == b"x" * 5000


def test_it_is_taken_up_again_where_what_there_is_says(served: Served, source: Path) -> None:
    """Whatever was done in a shell counts as well."""
    package = served.publish(str(source))
    assert where_it_stands(Person(served)) == f"/first-run/place?package={package}"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("relative", "is not a source"),
        ("/nowhere/at/all", "There is no folder /nowhere/at/all on the server"),
        ("{home}", "overlap"),
    ],
)
def test_b20_a_folder_that_cannot_be_taken_is_told_beside_the_field_and_stays_typed(served: Served, typed: str, told: str) -> None:
    person, typed = Person(served), typed.format(home=served.service.home)
    reply = person.get(f"/first-run/folder?source={typed}")
    page = html.unescape(reply.body.decode())
    assert reply.status in (400, 404, 409)
    assert told in page
    assert f'value="{typed}"' in page
    assert 'aria-invalid="true" aria-describedby="wrong-source"' in page
    assert person.post("/first-run/folder", source=typed, name="X").status == reply.status
    assert where_it_stands(person) == "/first-run/folder"


def test_b14_an_empty_folder_is_told_before_it_is_captured(served: Served, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = Person(served).page(f"/first-run/folder?source={tmp_path / 'empty'}")
    assert "It holds no file, link or stream." in page
    assert re.search(r'<button class="strong" disabled[^>]*>Create and publish it', page)


def test_a_folder_outside_of_what_the_settings_allow_is_neither_shown_nor_taken(tmp_path: Path, source: Path) -> None:
    home = init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0")
    (tmp_path / "srv" / "office").mkdir(parents=True)
    with open(home.file("haulage.toml"), "a", encoding="utf-8") as file:
        file.write(f'[capture]\nallowed = ["{tmp_path / "srv"}"]\n')
    served = Served(load_home(home.path))
    try:
        person = Person(served)
        start = person.page("/first-run/folder")
        assert f"<code>{tmp_path / 'srv'}</code>" in start
        assert "office" in person.page(f"/first-run/folder?at={tmp_path / 'srv'}")
        outside = person.page(f"/first-run/folder?at={tmp_path}")
        assert "It lies outside" in outside
        assert "script" not in outside.partition("Look around")[2].partition("</details>")[0]
        assert "outside the folders" in person.page("/first-run/folder?source=/tmp", status=403)
    finally:
        served.close()


def test_b18_names_from_outside_are_shown_as_text(served: Served, source: Path) -> None:
    """The pages themselves are looked through by the person who reads them."""
    person = Person(served)
    target = f"/first-run/folder?source={source}".replace(" ", "%20").replace("&", "%26")
    assert "<script>alert" not in person.page(target)
    reply = person.post("/first-run/folder", source=str(source), name=HOSTILE)
    served.work()
    assert "<script>alert" not in person.page(reply.headers["location"])


def test_mistakes_about_places_stand_beside_their_fields(served: Served, source: Path) -> None:
    person = Person(served)
    package = made(person, source)
    for form, field, told in (
        ({"act": "point", "point": "bad name", "folder": "/srv/x"}, "point", "is not a point name"),
        ({"act": "point", "point": "SHOP", "folder": "relative"}, "folder", "by its whole path"),
        ({"act": "point", "point": "SHOP", "folder": str(source / "inside")}, "folder", "overlaps the source"),
        ({"act": "site", "code": "chicago"}, "code", "is not a site code"),
        ({"act": "site", "code": "HQ1"}, "code", "is in the hierarchy already"),
    ):
        reply = person.post("/first-run/place", package=package, **form)
        page = html.unescape(reply.body.decode())
        assert reply.status in (400, 409), form
        assert f'id="wrong-{field}"' in page, form
        assert told in page, form
        for name in ("point", "folder", "code"):
            assert f'value="{form.get(name, "")}"' in page, form
    reply = person.post("/first-run/assign", package=package)
    assert (reply.status, b"No place was chosen." in reply.body) == (400, True)


def test_a_join_string_is_shown_once_with_the_commands(served: Served, source: Path) -> None:
    person = Person(served)
    package = made(person, source)
    reply = person.post("/first-run/place", act="site", package=package, code="chi", title="Chicago")
    page = html.unescape(reply.body.decode())
    joined = re.search(r"haulage join --home /srv/haulage (haulage1[a-z0-9]+)", page)
    assert joined
    assert "haulage serve --home /srv/haulage" in page
    assert "which only this machine itself can reach" in page
    again = person.page(f"/first-run/place?package={package}")
    assert "waits for it to join" in again
    assert joined[1] not in again
    told = person.get(f"/first-run/place.json?package={package}").body.decode()
    assert joined[1] not in told
    assert [one["state"] for one in json.loads(told)["run"]["places"]] == ["invited"]
    assert where_it_stands(person) == f"/first-run/publish?package={package}"


def test_a_capture_that_failed_says_why_and_is_asked_for_again(served: Served, source: Path) -> None:
    person = Person(served)
    package = made(person, source)
    for path in sorted(source.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    served.work()
    page = html.unescape(person.page(f"/first-run/publish?package={package}"))
    assert "The source holds no file, link or stream." in page
    (source / "file").write_text("x")
    assert person.post("/first-run/publish", package=package).status == 303
    served.work()
    assert "Version 1 is published" in person.page(f"/first-run/publish?package={package}")


def test_f81_readers_and_operators_see_the_way_and_are_told_who_goes_it(served: Served, source: Path) -> None:
    package = made(Person(served), source)
    reader, operator = Person(served, Role.READER), Person(served, Role.OPERATOR)
    assert "needs the role administrator" in reader.page("/first-run/folder")
    assert "needs the role administrator" in operator.page(f"/first-run/place?package={package}")
    hidden = reader.page(f"/first-run/publish?package={package}") + reader.get("/first-run/folder.json").body.decode()
    assert str(source.parent) not in hidden
    refused = (
        operator.post("/first-run/folder", source=str(source), name="X"),
        operator.post("/first-run/place", act="site", code="CHI"),
        reader.post("/first-run/publish", package=package),
        reader.post("/first-run/assign", package=package, **{"at.HQ1": "true"}),
    )
    assert [reply.status for reply in refused] == [403, 403, 403, 403]
    assert operator.post("/first-run/publish", package=package).status == 303


def test_an_administrator_from_afar_names_only_what_the_settings_name(served: Served, source: Path) -> None:
    person = Person(served, Role.ADMINISTRATOR)
    page = person.page("/first-run/folder")
    assert "Only whoever has this machine" in page
    assert "Look around" not in page
    assert person.get("/first-run/folder?source=/srv").status == 403
    assert person.post("/first-run/folder", source=str(source), name="X").status == 403


def test_steps_that_are_about_nothing_yet_lead_to_the_first(served: Served) -> None:
    person = Person(served)
    for step in ("publish", "assign", "arrive"):
        assert person.get(f"/first-run/{step}").headers["location"] == "/first-run/folder"
    assert person.get("/first-run/publish?package=nonsense").status == 400
