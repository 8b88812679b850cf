"""The pages in a real browser: found, read, followed, printed; by keyboard alone and on a phone; nothing foreign is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from haulage.console.knowledge.article_view import Helps, Step
from haulage.engine.articles.fix_graph import Edge
from haulage.engine.articles.statement import StatementKind
from tests.console.library import own_articles
from tests.console.served import ServedConsole
from tests.peers import need, program

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
HOTFIX = """+++
id = "Q900001"
title = "Packages with several streams cannot be packed"
products = ["Press"]
versions = ["2.0"]
errors = ["998"]
keywords = ["press"]
created = 2026-11-22
+++
# Symptoms

The press logs: cannot write to output file, error 998. See Q900002.

# Resolution

| File | Version |
|---|---|
| press.bin | 2.0.1493.2038 |

```
a line of a log that is far wider than any phone is: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789
```
"""
ROLLUP = """+++
id = "Q900002"
title = "What the rollup of the press contains"
products = ["Press"]
versions = ["2.0"]
+++
# Summary

All fixes of the press since its first version.
"""
PAGES = (
    "/knowledge",
    "/knowledge?q=point",
    "/knowledge?q=zzzzqqqq",
    "/knowledge/Q900001",
    "/knowledge/HLG2328",
    "/diagnose?text=error+998",
    "/nowhere",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedConsole]:
    need("chromium")
    sources = {**own_articles(), "Q900001.md": HOTFIX.encode(), "Q900002.md": ROLLUP.encode()}
    served = ServedConsole(tmp_path_factory.mktemp("console"), sources)
    served.behind.library.edges = [Edge(subject="Q900002", kind=StatementKind.CONTAINS, object="Q900001")]
    step = Step(under="Q900001", over="Q900002", how="contained-in", said_by="text", evidence="It also contains the fix.")
    served.behind.library.helps["Q900001"] = Helps(
        fix="Q900002", title="", own=False, known=False, here=False, run="", package="", states=(), chain=(step,), held=("Q900002",)
    )
    yield served
    served.close()


@pytest.fixture(scope="module")
def chromium(served: ServedConsole) -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A window whose requests and console are watched."""

    def __init__(self, chromium: Chromium, served: ServedConsole, **how: object) -> None:
        self.served = served
        self.context: BrowserContext = chromium.new_context(ignore_https_errors=True, base_url=served.url, **how)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def sign_in(self, to: str = "/knowledge") -> Page:
        self.page.goto(to)
        self.page.get_by_label("Token").fill(self.served.secret)
        self.page.get_by_role("button", name="Sign in").click()
        return self.page

    def assert_quiet(self) -> None:
        """Only this server was asked, and nothing was wrong in the eyes of the browser."""
        assert {f"{urlparse(url).scheme}://{urlparse(url).netloc}" for url in self.asked} == {self.served.url}
        assert [line for line in self.said if "404" not in line] == []


@pytest.fixture
def window(chromium: Chromium, served: ServedConsole) -> Iterator[Watched]:
    watched = Watched(chromium, served)
    yield watched
    watched.assert_quiet()
    watched.context.close()


def test_f62_sign_in_search_open_follow(window: Watched) -> None:
    page = window.sign_in("/knowledge/Q900001")
    expect(page).to_have_url(f"{window.served.url}/knowledge/Q900001")
    page.get_by_role("link", name="Articles", exact=True).click()
    page.get_by_label("Search the knowledge base").fill("several streams packed")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{window.served.url}/knowledge?q=several+streams+packed")
    page.get_by_role("link", name="Packages with several streams cannot be packed", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Packages with several streams cannot be packed")
    expect(page.get_by_label("What fixes this")).to_contain_text("Q900001 is contained in Q900002")
    page.get_by_label("What fixes this").get_by_role("link", name="Q900002").last.click()
    expect(page).to_have_url(f"{window.served.url}/knowledge/Q900002")
    expect(page.get_by_role("heading", name="Referred to by 1")).to_be_visible()
    page.locator("svg a").first.click()
    expect(page).to_have_url(f"{window.served.url}/knowledge/Q900001")


def test_f62_facets_narrow_and_let_go_again(window: Watched) -> None:
    page = window.sign_in("/knowledge?q=point")
    page.get_by_label("Narrow the search").get_by_role("link", name="Haulage").click()
    expect(page).to_have_url(f"{window.served.url}/knowledge?q=point&product=Haulage")
    page.locator(".chip.on").click()
    expect(page).to_have_url(f"{window.served.url}/knowledge?q=point")


def test_a_text_is_diagnosed_and_kept_nowhere(window: Watched) -> None:
    page = window.sign_in("/diagnose")
    page.get_by_label("A log, an error message or a status message").fill(
        "press: cannot write to output file,\n error 998 <script>"
    )
    page.get_by_role("button", name="Find likely articles").click()
    first = page.get_by_label("Likely articles").get_by_role("listitem").first
    expect(first).to_contain_text("Packages with several streams")
    expect(first).to_contain_text("998")
    expect(page).to_have_url(f"{window.served.url}/diagnose")


def test_signing_out_ends_it(window: Watched) -> None:
    page = window.sign_in()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/knowledge/HLG2328")
    expect(page.get_by_label("Token")).to_be_visible()


def test_everything_by_keyboard_alone(window: Watched) -> None:
    page = window.page
    page.goto("/knowledge")
    expect(page.locator("input:focus")).to_have_count(1)
    page.keyboard.type(window.served.secret)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search the knowledge base")).to_be_focused()
    page.keyboard.type("several streams packed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/knowledge?q=*")
    page.wait_for_load_state("load")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.hit h2') !== null"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{window.served.url}/knowledge/Q900001")


@pytest.mark.parametrize("light", ["light", "dark"])
def test_nothing_keeps_anybody_from_using_a_page(chromium: Chromium, served: ServedConsole, light: str) -> None:
    watched = Watched(chromium, served, color_scheme=light)
    page = watched.page
    page.goto("/sign-in")
    found = {"/sign-in": _barriers(page)}
    watched.sign_in()
    for where in PAGES:
        page.goto(where)
        found[where] = _barriers(page)
    assert {where: rules for where, rules in found.items() if rules} == {}
    watched.assert_quiet()
    watched.context.close()


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_is_wider_than_a_phone(chromium: Chromium, served: ServedConsole, width: int) -> None:
    watched = Watched(chromium, served, viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True)
    page = watched.sign_in()
    for where in PAGES:
        page.goto(where)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
    watched.context.close()


def test_the_light_is_chosen_and_stays(window: Watched) -> None:
    page = window.sign_in()
    shade = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(shade)
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(shade) != before
    page.goto("/diagnose")
    assert page.evaluate(shade) != before
    page.get_by_role("button", name="As the system").click()
    expect(page).to_have_url(f"{window.served.url}/diagnose")
    assert page.evaluate(shade) == before


def test_paper_has_the_article_and_nothing_around_it(window: Watched) -> None:
    page = window.sign_in("/knowledge/Q900001")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("2.0.1493.2038")).to_be_visible()
    for selector in (".top", ".bottom", ".contents", ".keywords"):
        expect(page.locator(selector).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def _barriers(page: Page) -> list[str]:
    """What axe finds of weight, with where."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    grave = [one for one in found["violations"] if one["impact"] in ("moderate", "serious", "critical")]
    return [f"{one['id']}: {node['html'][:160]}" for one in grave for node in one["nodes"][:3]]
