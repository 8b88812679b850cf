"""A reader sees and changes nothing; made an operator, may; signed out, is out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from haulage.testing.lab.lab import Lab
from tests.console.stories.window import PASSWORD, Window

OWN = {"/light", "/sign-out"}
"""Acts that change nothing but one's own window."""


def test_a_reader_sees_is_stopped_and_becomes_an_operator(lab: Lab, new_window: Callable[[], Window], tmp_path: Path) -> None:
    (tmp_path / "menu.txt").write_text("soup\n")
    package = str(lab.quick("HQ1", "package", "create", "Menu", "--source", str(tmp_path), "--to", "CHI")["id"])
    lab.quick("HQ1", "package", "publish", package, "--wait")
    lab.wait_present(package)
    lab["HQ1"].api.post("/users", {"name": "rita", "role": "reader", "password": PASSWORD})
    reader = new_window()
    page = reader.page
    at = f"/packages/{package}/at/CHI"

    page.goto(at)
    reader.sign_in("rita", "wrong horse battery")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    expect(page.get_by_label("Name", exact=True)).to_have_value("rita")
    reader.sign_in("rita")
    expect(page).to_have_url(reader.url + at)
    expect(page.get_by_role("heading", level=1)).to_have_text("Menu at CHI")
    for target in (at, "/", f"/packages/{package}", "/transfers?state=all", "/sites/CHI", "/points", "/groups", "/store"):
        page.goto(target)
        acts = page.evaluate("[...document.querySelectorAll('form[method=post]')].map((form) => form.getAttribute('action'))")
        assert set(acts) <= OWN, target
    for target in (f"/transfers/hold?package={package}&state=all", f"/packages/{package}/edit", "/points/add", "/settings/users"):
        answer = page.goto(target)
        assert answer is not None
        assert answer.status in (403, 404), (target, answer.status)
        assert answer.status == 404 or page.get_by_text("role-too-low").is_visible(), target

    administrator = new_window()
    theirs = administrator.sign_in_local("/settings/users/rita")
    theirs.get_by_role("radio", name=re.compile("operator", re.IGNORECASE)).check()
    theirs.get_by_role("button", name="Change").click()
    expect(theirs.get_by_role("status").first).to_contain_text("rita")

    page.goto(at)
    reader.sign_in("rita")
    expect(page).to_have_url(reader.url + at)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status").first).to_contain_text(f"{package} at CHI is read again")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(page.get_by_text("Menu at CHI")).to_have_count(0)
