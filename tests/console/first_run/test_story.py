"""The first run as somebody lives it: real sites in processes of their own, a real browser, from nothing to a package that lies,
verified, at a point and at another site."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from haulage.testing.lab.lab import Lab
from tests.peers import need, program

LONG_MILLISECONDS = 60_000
STREAM = "user.DosStream.Zone.Identifier:$DATA"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    need("chromium")
    with Lab(tmp_path_factory.mktemp("first-run")) as lab:
        lab.central("HQ1")
        yield lab


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(lab: Lab, chromium: Chromium) -> Iterator[Page]:
    """Of the local administrator, signed in; nothing it logs is an error of the page itself."""
    site = lab["HQ1"]
    context: BrowserContext = chromium.new_context(ignore_https_errors=True, base_url=site.api.target.url)
    page, said = context.new_page(), []
    page.set_default_timeout(LONG_MILLISECONDS)
    expect.set_options(timeout=LONG_MILLISECONDS)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/sign-in")
    page.get_by_text("With the token of this server").click()
    page.locator("#secret").fill(Path(site.home, "keys", "admin.token").read_text().strip())
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    yield page
    assert said == []
    context.close()


def a_folder(lab: Lab, name: str) -> Path:
    """A source with a stream where the file system keeps one."""
    folder = Path(lab.path(name))
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "setup.exe").write_bytes(os.urandom(300_000))
    (folder / "read me.txt").write_text("hello")
    try:
        os.setxattr(folder / "bin" / "setup.exe", STREAM, b"[ZoneTransfer]\0")
    except OSError:
        pytest.skip("this file system keeps no extended attributes")
    return folder


def test_f71_first_run_by_keyboard_alone(lab: Lab, page: Page) -> None:
    source, point = a_folder(lab, "office"), Path(lab.path("shop"))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is distributed here yet")
    page.get_by_role("link", name="Begin", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Folder on the server")).to_be_focused()
    page.keyboard.type(str(source) + "-misspelt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is no folder")
    expect(page.get_by_label("Folder on the server")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(str(source))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What would be captured")).to_be_visible()
    expect(page.get_by_text("bin/setup.exe:Zone.Identifier")).to_be_visible()
    expect(page.get_by_label("Name of the package")).to_be_focused()
    expect(page.get_by_label("Name of the package")).to_have_value("office")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Version 1 is published")).to_be_visible()
    tab_to(page, "Go on: name a place")
    page.keyboard.press("Enter")
    page.get_by_label("Name of the point").focus()
    page.keyboard.type("SHOP")
    page.keyboard.press("Tab")
    page.keyboard.type(str(point))
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_role("button", name="Send it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delivered and verified")).to_be_visible()
    package = re.search("package=(HQ1[0-9A-F]{5})", page.url)
    assert package
    there = point / package[1] / "1" / "bin" / "setup.exe"
    assert there.read_bytes() == (source / "bin" / "setup.exe").read_bytes()
    assert os.getxattr(there, STREAM) == b"[ZoneTransfer]\0"
    page.goto("/")
    expect(page.get_by_role("heading", name="Changed today")).to_be_visible()
    expect(page.get_by_text("office published")).to_be_visible()


def test_f71_another_site_is_invited_joins_while_one_looks_on_and_gets_the_package(lab: Lab, page: Page) -> None:
    source = a_folder(lab, "tills")
    page.goto(f"/first-run/folder?source={source}")
    page.get_by_role("button", name="Create and publish it").click()
    expect(page.get_by_role("heading", name="Version 1 is published")).to_be_visible()
    page.get_by_role("link", name="Go on: name a place").click()
    page.get_by_label("Site code").fill("chi")
    page.get_by_label("What it is called").fill("Chicago")
    page.get_by_role("button", name="Invite it").click()
    join = re.search("haulage1[a-z0-9]+", page.locator("pre").first.inner_text())
    assert join
    places = page.get_by_role("region", name="Places")
    expect(places.get_by_role("row", name=re.compile("CHI"))).to_contain_text("waits for it to join")
    lab.joined("CHI", join[0])
    # Nobody loads anything anew: the page follows by itself.
    expect(places.get_by_role("row", name=re.compile("CHI"))).to_contain_text("joined")
    page.get_by_role("link", name="Go on: send it there").click()
    page.get_by_role("checkbox", name=re.compile("CHI")).check()
    page.get_by_role("button", name="Send it").click()
    expect(places.get_by_role("row", name=re.compile("CHI"))).to_contain_text("verified")
    expect(page.get_by_role("heading", name="Delivered and verified")).to_be_visible()
    package = re.search("package=(HQ1[0-9A-F]{5})", page.url)
    assert package
    rows = lab.wait_present(package[1], 1)
    assert rows["CHI"]["present"] == 1


def tab_to(page: Page, name: str) -> None:
    """By the Tab key alone, within reason."""
    link = page.get_by_role("link", name=name)
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{name} is not reached by Tab")
