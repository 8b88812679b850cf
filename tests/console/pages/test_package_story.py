"""A story, lived in a real browser over a real server: a folder becomes a package by clicks, its next version is compared with the
first, and it is rolled back; an auditor takes the report along."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from haulage.cli.main import main
from haulage.testing.folders import hostile_tree, write_folder
from haulage.testing.lab.lab import Lab
from tests.console.inert import seen
from tests.peers import need, program

PATIENCE = 60_000
"""Milliseconds until something is seen; most comes by itself within two seconds."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    need("chromium")
    with Lab(tmp_path / "lab") as lab:
        lab.central("HQ1")
        yield lab


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        window = browser.new_context(ignore_https_errors=True, base_url=lab["HQ1"].api.target.url)
        found = window.new_page()
        found.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        found.goto("/packages")
        found.get_by_text("With the token of this server").click()
        found.get_by_label("Token").fill(Path(lab["HQ1"].home, "keys", "admin.token").read_text().strip())
        found.get_by_label("Token").press("Enter")
        yield found
        expect.set_options(timeout=5_000)
        browser.close()


def source_of(folder: Path, *, second: bool) -> None:
    """What is captured: everything a tree can hold, and in the second version renames, new streams and other rights."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_folder(hostile_tree(depth=5, stream_sizes=(30, 40) if second else (30,)), str(folder))
    (folder / "<script>alert(1)").mkdir()
    (folder / "<script>alert(1)" / "run.exe").write_bytes(b"runs" * 5000)
    if second:
        os.rename(folder / "<script>alert(1)", folder / "plain")
        os.chmod(folder / "listed", 0o600)
        (folder / "zero").write_bytes(b"not any more")


def test_h7_a_package_is_made_compared_and_rolled_back_by_clicks(lab: Lab, page: Page, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source_of(source, second=False)
    page.get_by_role("link", name="Make the first package").click()
    page.get_by_label("Name", exact=True).fill("Till <b>software</b>")
    page.get_by_label("Folder on this server").fill("/nowhere")
    page.get_by_role("button", name="See what it would be").click()
    expect(page.locator("#bad-source")).to_contain_text("/nowhere")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Till <b>software</b>")
    page.get_by_label("Folder on this server").fill(str(source))
    page.get_by_role("button", name="See what it would be").click()
    expect(page.get_by_label("What would be captured")).to_contain_text("named streams", ignore_case=True)
    page.get_by_role("button", name="Make it and publish").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Till <b>software</b>")
    versions = page.get_by_role("region", name="List of versions")
    expect(versions.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("region", name="Places")).to_contain_text("present")

    source_of(source, second=True)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status").first).to_contain_text("being captured")
    expect(versions.get_by_role("row")).to_have_count(3)

    page.get_by_role("link", name="What differs").first.click()
    table = page.get_by_role("region", name="Differences")
    expect(table.get_by_role("row", name="plain/")).to_contain_text("was <script>alert(1)")
    expect(table.get_by_role("row", name="setup.exe")).to_contain_text("streams")
    expect(table.get_by_role("row", name="listed")).to_contain_text("attributes")
    page.get_by_label("Kind").select_option("moved")
    expect(page).to_have_url(re.compile("kind=moved"))
    page.get_by_role("link", name="plain/").click()
    expect(table).to_contain_text("run.exe")

    page.get_by_role("link", name="Places").first.click()
    page.get_by_role("link", name="roll back").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("back to version 1?")
    expect(page.locator(".reach")).to_contain_text("0 bytes are new")
    page.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 3 of HQ100001 has the content of version 1.")
    expect(versions.get_by_role("row")).to_have_count(4)

    page.get_by_role("link", name="Proof", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text("1 of 1")
    expect(page.locator(".facts")).to_contain_text("checked for this report and is right")
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    told = page.locator(".facts code").first.inner_text()
    alone = seen(printed("package", "report", "HQ100001", "--home", lab["HQ1"].home, "-o", "html"))
    assert told in "".join(alone.words)
    assert not {"script", "link", "img", "b"} & set(alone.tags)
    assert lab.quick("HQ1", "package", "versions", "HQ100001")[0]["manifest"] == told
    assert "run.exe" in printed("package", "files", "HQ100001:2", "--find", "RUN", "--home", lab["HQ1"].home)
    assert "link-leaves-tree" in printed("package", "noted", "HQ100001:1", "--home", lab["HQ1"].home)
    assert {row["kind"] for row in lab.quick("HQ1", "package", "diff", "HQ100001:1", "HQ100001:2")} >= {"moved", "streams"}
    assert [row["id"] for row in lab.quick("HQ1", "package", "standing", "till", "--show", "present")] == ["HQ100001"]


def printed(*arguments: str) -> str:
    """What a command says on stdout."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(list(arguments)) == 0
    return out.getvalue()
