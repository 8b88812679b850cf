"""Every page there is, over a made-up estate: who may see it, in every form it has, in a real browser of every size and light."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ViewportSize, sync_playwright

from haulage.console.frame.cookies import SESSION
from haulage.domain.people.roles import Role
from haulage.testing.estate.addresses import addresses
from tests.console.inert import assert_own_page
from tests.console.shown_estate import ShownEstate, Window
from tests.peers import need, program
from tests.server.asgi import Reply, ask

SHOTS = "HAULAGE_SCREENSHOTS"
"""Names a folder in which pictures of every page are to be left."""
OWN = {"/settings/tokens/{token}/withdraw"}
"""Pages about what is somebody's own."""
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 860}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownEstate]:
    need("chromium")
    shown = ShownEstate(tmp_path_factory.mktemp("every-page"))
    yield shown
    shown.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def got(shown: ShownEstate, target: str, role: Role | None, method: str = "GET") -> Reply:
    headers = {} if role is None else {"cookie": f"{SESSION}={shown.secrets[role]}"}
    return asyncio.run(ask(shown.app, method, target, headers={"accept": "text/html", **headers}))


def beside(target: str, ending: str) -> str:
    path, mark, query = target.partition("?")
    return f"{'/overview' if path == '/' else path}{ending}{mark}{query}"


@pytest.mark.parametrize("role", list(Role))
def test_every_page_opens_for_who_may_see_it_and_for_nobody_else(shown: ShownEstate, role: Role) -> None:
    for page, target in addresses(shown.pages):
        reply = got(shown, target, role)
        if role < page.role:
            assert reply.status == 403, target
            assert b"role-too-low" in reply.body
            continue
        if page.path in OWN and role < Role.ADMINISTRATOR:
            assert reply.status == 404, target  # whose it is not does not hear that it is there
            continue
        if reply.status == 303 and target == "/first-run":
            continue  # leads to the step that is next
        assert reply.status == 200, (target, reply.body[-600:])
        found = assert_own_page(reply.body.decode())
        assert found.tags.count("h1") == 1, target
        assert page.open or page.place, f"{target} belongs to no entry of the menu"


def test_every_page_in_its_other_forms(shown: ShownEstate) -> None:
    for page, target in addresses(shown.pages):
        if page.has_json:
            reply = got(shown, beside(target, ".json"), Role.ADMINISTRATOR)
            assert reply.status == 200, (target, reply.body)
            msgspec.json.decode(reply.body)
        if page.rows is not None:
            reply = got(shown, beside(target, ".csv"), Role.ADMINISTRATOR)
            assert reply.status == 200, (target, reply.body)
            assert reply.headers["content-type"].startswith("text/csv")
        if page.live:
            assert f'hx-sse:connect="{beside(target, ".live")}"' in got(shown, target, Role.ADMINISTRATOR).body.decode().replace(
                "&amp;", "&"
            )


def test_nobody_who_is_not_signed_in_sees_a_page_in_any_form(shown: ShownEstate) -> None:
    for page, target in addresses(shown.pages):
        if page.open:
            continue
        assert got(shown, target, None).status == 303, target
        forms = {".json": page.has_json, ".csv": page.rows is not None, ".live": page.live}
        for ending in (ending for ending, is_there in forms.items() if is_there):
            assert got(shown, beside(target, ending), None).status in (204, 401, 403), (target, ending)


def test_a_reader_is_stopped_from_every_write(shown: ShownEstate) -> None:
    stopped = [write for write in shown.writes if write.role > Role.READER and not write.open]
    for write in stopped:
        path = re.sub(r"\{\w+(:\w+)?\}", "HQ1", write.path)
        headers = {
            "cookie": f"{SESSION}={shown.secrets[Role.READER]}",
            "origin": shown.url,
            "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded",
        }
        reply = asyncio.run(ask(shown.app, "POST", path, headers=headers, body=b"token=any"))
        assert reply.status == 403, path
        assert b"role-too-low" in reply.body, path


def test_every_link_of_every_page_leads_somewhere(shown: ShownEstate) -> None:
    """Links to pages of this console, wherever they stand: none leads to nothing."""
    known = {target for _page, target in addresses(shown.pages)}
    found: dict[str, str] = {}
    for target in sorted(known):
        seen = assert_own_page(got(shown, target, Role.ADMINISTRATOR).body.decode())
        found.update(
            {value.partition("#")[0]: target for name, value in seen.attributes if name == "href" and value.startswith("/")}
        )
    dead = {}
    for link, where in found.items():
        if link and not link.startswith("/console/"):
            status = got(shown, link, Role.ADMINISTRATOR).status
            if status not in (200, 303):
                dead[link] = f"{status}, on {where}"
    assert not dead, "\n".join(f"{link}: {why}" for link, why in sorted(dead.items()))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("light", ["light", "dark"])
def test_every_page_in_a_browser(chromium: Chromium, shown: ShownEstate, light: str, size: ViewportSize) -> None:
    """Nothing foreign is asked for, the browser complains of nothing, axe finds nothing, and nothing is wider than the window."""
    trouble: dict[str, list[str]] = {}
    window = Window(chromium, shown, color_scheme=light, viewport=size)
    for _page, target in addresses(shown.pages):
        window.page.goto(target)
        found = [*window.complaints(), *(["too wide: " + wide] if (wide := window.overflow()) else [])]
        if size is DESK:
            found += window.barriers()
        if found:
            trouble[target] = found
        _keep_picture(window, target, light, size)
    window.context.close()
    assert not trouble, "\n".join(f"{where}: {one}" for where, found in trouble.items() for one in found)


def _keep_picture(window: Window, target: str, light: str, size: ViewportSize) -> None:
    folder = os.environ.get(SHOTS)
    if folder:
        name = re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-") or "overview"
        Path(folder).mkdir(parents=True, exist_ok=True)
        window.page.screenshot(path=str(Path(folder) / f"{name}-{light}-{size['width']}.png"), full_page=size is DESK)
