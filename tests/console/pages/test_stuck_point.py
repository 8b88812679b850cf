"""A story, lived in a real browser over a real server: files of a point are damaged, the point is found, told why, and repaired."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from haulage.testing.lab.lab import Lab
from tests.peers import need, program

PATIENCE = 60_000
"""Milliseconds until something is seen; most comes by itself within two seconds."""
GOOD = b"what the owner signed\n" * 2000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Lab, Path, str]]:
    """A served site with a package on a point of its own: the lab, the point's folder, the package."""
    need("chromium")
    source, folder = tmp_path / "source", tmp_path / "shop"
    source.mkdir()
    (source / "till.exe").write_bytes(GOOD)
    (source / "prices.csv").write_bytes(b"1;2\n")
    with Lab(tmp_path / "lab") as lab:
        lab.central("HQ1")
        package = str(lab.quick("HQ1", "package", "create", "Till software", "--source", str(source))["id"])
        lab.quick("HQ1", "point", "add", "HQ1/SHOP", "--url", f"folder:{folder}")
        lab.quick("HQ1", "package", "assign", package, "--to", "HQ1/SHOP")
        lab.quick("HQ1", "package", "publish", package, "--wait")
        lab.wait_present(package)
        yield lab, folder, package


@pytest.fixture
def page(shop: tuple[Lab, Path, str]) -> Iterator[Page]:
    lab, _folder, _package = shop
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        window = browser.new_context(ignore_https_errors=True, base_url=lab["HQ1"].api.target.url)
        found = window.new_page()
        found.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        found.goto("/points")
        found.get_by_text("With the token of this server").click()
        found.get_by_label("Token").fill(Path(lab["HQ1"].home, "keys", "admin.token").read_text().strip())
        found.get_by_label("Token").press("Enter")
        yield found
        expect.set_options(timeout=5_000)
        browser.close()


def test_a_stuck_point_is_found_told_why_and_repaired(shop: tuple[Lab, Path, str], page: Page) -> None:
    _lab, folder, package = shop
    expect(page.get_by_role("heading", level=1, name="Points")).to_be_visible()
    page.get_by_role("link", name="HQ1/SHOP").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Point HQ1/SHOP")
    expect(page.get_by_role("link", name="1 present")).to_be_visible()
    damaged = next(path for path in folder.rglob("till.exe"))
    damaged.chmod(0o644)
    damaged.write_bytes(GOOD.replace(b"owner", b"thief"))

    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status").first).to_contain_text("is being read again")
    told = page.locator(".trouble")
    expect(told).to_contain_text("is damaged")
    expect(told).to_contain_text("till.exe")
    expect(told.get_by_role("link", name=package)).to_be_visible()

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Points").click()
    page.get_by_label("Problems only").check()
    expect(page).to_have_url(re.compile("problems=true"))
    row = page.get_by_role("row").filter(has_text="HQ1/SHOP")
    expect(row).to_contain_text("1 stuck")
    row.get_by_role("link", name="HQ1/SHOP").click()

    told.get_by_role("link", name="Repair it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Repair HQ1/SHOP")
    expect(page.get_by_text("no other place is touched")).to_be_visible()
    page.get_by_role("button", name="Repair it").click()
    expect(page).to_have_url(re.compile("/points/HQ1/SHOP$"))
    expect(told).to_have_count(0)
    expect(page.get_by_role("link", name="1 present")).to_be_visible()
    assert next(path for path in folder.rglob("till.exe")).read_bytes() == GOOD
    page.goto("/points?problems=true")
    expect(page.get_by_text("No point is like that.")).to_be_visible()
