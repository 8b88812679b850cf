"""Nothing but keys: in, to a place, a transfer held and released; one always sees where one is."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from haulage.testing.lab.lab import Lab
from tests.console.stories.window import PASSWORD, Window

SEEN = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const bordered = style.boxShadow !== "none";
  const inside = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return (outlined || bordered) && inside ? "" : one.outerHTML.slice(0, 160);
}"""
"""What has the focus, if nobody sees that it has."""


def test_in_and_to_a_transfer_and_held_by_keys_alone(lab: Lab, window: Window, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("1;2\n")
    package = str(lab.quick("HQ1", "package", "create", "Prices", "--source", str(tmp_path), "--to", "CHI")["id"])
    lab.quick("HQ1", "package", "publish", package, "--wait")
    lab.wait_present(package)
    lab["HQ1"].api.post("/users", {"name": "olaf", "role": "operator", "password": PASSWORD})
    page, keys = window.page, window.page.keyboard

    page.goto("/")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    keys.type("olaf")
    keys.press("Tab")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    assert page.evaluate(SEEN) == ""
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.wait_for_load_state("load")  # the key is listened to once the page's script is there
    keys.press("/")
    expect(page.locator("#find")).to_be_focused()
    assert page.evaluate(SEEN) == ""
    keys.type(package)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Prices")
    past_the_menu(page)
    tab_to(page, page.get_by_role("main").get_by_role("link", name="CHI", exact=True).first)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Prices at CHI")
    past_the_menu(page)
    tab_to(page, page.get_by_role("button", name="Hold"))
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text(f"{package} at CHI is held")
    release = page.get_by_role("button", name="Release")
    expect(release).to_be_visible()
    past_the_menu(page)
    tab_to(page, release)
    keys.press("Space")
    expect(page.get_by_role("status").first).to_contain_text(f"{package} at CHI is released")
    expect(release).to_have_count(0)


def past_the_menu(page: Page) -> None:
    """The first stop of every page leads to its content."""
    page.wait_for_load_state("load")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")


def tab_to(page: Page, wanted: Locator) -> None:
    """By Tab alone, within reason; the focus is seen at every stop."""
    expect(wanted).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(SEEN) == ""
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by Tab")
