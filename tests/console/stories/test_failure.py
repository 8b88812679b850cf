"""A place where something fails is on the first page, and clicks alone lead from there to its known issue and to the fix."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import expect

from haulage.testing.lab.lab import Lab
from tests.console.stories.window import Window

ARTICLE = """+++
id = "Q900101"
title = "Shelf driver loses the folder of a point at night"
products = ["Shelf driver"]
versions = ["2.0"]
errors = ["point-not-there"]
keywords = ["shelf"]
created = 2026-11-22
+++
# Symptoms

A point cannot be written to, error point-not-there: the shelf driver has let go of its folder.

# Resolution

Run Q900101_en.exe on the machine of the point.
"""


def test_a_failure_leads_to_its_article_and_to_the_fix(lab: Lab, window: Window, tmp_path: Path) -> None:
    source, shelf, articles = tmp_path / "source", tmp_path / "shelf", tmp_path / "articles"
    for folder in (source, articles):
        folder.mkdir()
    (source / "labels.txt").write_text("one\n")
    (articles / "Q900101.md").write_text(ARTICLE)
    lab.quick("HQ1", "kb", "import", str(articles))
    lab.quick("HQ1", "kb", "confirm", "Q900101", "--yes")
    lab.quick("HQ1", "point", "add", "HQ1/SHELF", "--url", f"folder:{shelf}")
    package = str(lab.quick("HQ1", "package", "create", "Labels", "--source", str(source), "--to", "HQ1/SHELF")["id"])
    shutil.rmtree(shelf)
    lab.quick("HQ1", "package", "publish", package, "--wait")

    page = window.sign_in_local("/")
    needs = page.get_by_role("region", name="Needs you")
    need = needs.get_by_role("link", name=f"{package} at HQ1/SHELF")
    expect(need).to_be_visible()
    need.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Labels at HQ1/SHELF")
    issues = page.locator(".known")
    expect(issues).to_contain_text("could not be put on a distribution point")
    issues.get_by_role("link", name="HLG2328").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A version could not be put on a distribution point")

    page.get_by_role("main").get_by_role("link", name="point-not-there", exact=True).first.click()
    page.get_by_role("link", name="Shelf driver loses the folder of a point at night").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Shelf driver loses the folder of a point at night")
    page.get_by_role("region", name="What fixes this").get_by_role("link", name="Q900101").click()
    expect(page).to_have_url(f"{window.url}/fixes/Q900101")
    expect(page.get_by_text("No bundle of it is known")).to_be_visible()
    page.get_by_role("link", name="Q900101").click()
    expect(page).to_have_url(f"{window.url}/knowledge/Q900101")

    lab.quick("HQ1", "package", "unassign", package, "--from", "HQ1/SHELF")
