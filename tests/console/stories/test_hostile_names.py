"""Whatever somebody called something: every kind of page there is shows it as text, and nothing of it runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from haulage.testing.lab.lab import Lab
from tests.console.stories.conftest import CHICAGO
from tests.console.stories.window import PASSWORD, Window

SCRIPT = "<script>window.ran=1</script>"
PICTURE = "<img src=x onerror=window.ran=1>"
PACKAGE = f"{SCRIPT}'\"> Till {PICTURE}"
PERSON = f'"><svg onload=window.ran=1> {SCRIPT}'
FILES = (f"{SCRIPT.replace('/', '')}.exe", "two\nlines \u202egpj.exe", '\'" onmouseover=window.ran=1 x="', PICTURE)
ARTICLE = f"""+++
id = "Q900102"
title = '''{SCRIPT} &lt;b&gt; "quoted"'''
products = ['''{PICTURE}''']
versions = ["1.0"]
errors = ["<b>code</b>"]
keywords = ["<i>word</i>"]
created = 2026-11-22
+++
# {SCRIPT}

{PICTURE} [here](javascript:window.ran=1) Run Q900102_en.exe.
"""
MOST_PAGES = 90
INJECTED = "main :is(img, iframe, object, embed, style, b, i, script, [onload], [onerror], [onmouseover]), svg[onload]"


def test_names_full_of_script_are_text_on_every_page(lab: Lab, window: Window, tmp_path: Path) -> None:
    package = hostile_site(lab, tmp_path)
    page = window.sign_in_local("/transfers?state=all")
    todo = ["/", f"/packages/{package}", f"/find?q={package}", "/knowledge/Q900102", "/knowledge?q=Q900102", "/fixes/Q900102"]
    shapes = {shape_of(target) for target in todo}
    texts: dict[str, str] = {}
    while todo and len(texts) < MOST_PAGES:
        target = todo.pop(0)
        answer = page.goto(target)
        assert answer is not None
        nothing = page.get_by_text("There is nothing to").count()  # to hold, release or cancel: said, with a 404
        assert answer.status == 200 or nothing, (target, answer.status)
        texts[target] = page.locator("main").inner_text()
        assert page.evaluate("window.ran") is None, target
        assert page.locator(INJECTED).count() == 0, target
        assert "\u202e" not in page.content(), target
        assert window.troubles == [], target
        for link in page.evaluate("[...document.querySelectorAll('a[href]')].map((link) => link.getAttribute('href'))"):
            found = link.partition("#")[0]
            if found.startswith("/") and not re.search(r"\.(json|csv|yaml|txt)\b", found) and shape_of(found) not in shapes:
                shapes.add(shape_of(found))
                todo.append(found)
    assert todo == [], "pages nobody opened"
    shown = {wanted: [target for target, text in texts.items() if wanted in text] for wanted in (SCRIPT, PICTURE, CHICAGO)}
    assert len(shown[SCRIPT]) >= 12, shown
    assert shown[PICTURE], shown
    assert shown[CHICAGO], shown
    assert any("two\\nlines \\u202egpj.exe" in text for text in texts.values())
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def hostile_site(lab: Lab, folder: Path) -> str:
    """A package, its files, a point's folder, a user, an article and a fix with such names. Returns the package."""
    source, shelf, articles = folder / "source <b>&'", folder / f"shelf {SCRIPT.replace('/', '')} \u202e", folder / "articles"
    for one in (source, articles):
        one.mkdir()
    for name in FILES:
        (source / name).write_text("x")
    (articles / "Q900102.md").write_text(ARTICLE)
    run: Callable[..., object] = lab.quick
    run("HQ1", "kb", "import", str(articles))
    run("HQ1", "kb", "confirm", "Q900102", "--yes")
    run("HQ1", "point", "add", "HQ1/EVIL", "--url", f"folder:{shelf}")
    run("HQ1", "group", "add", "evil", "HQ1/EVIL", "CHI")
    lab["HQ1"].api.post("/users", {"name": "mallory", "role": "reader", "password": PASSWORD, "display_name": PERSON})
    package = str(lab.quick("HQ1", "package", "create", PACKAGE, "--source", str(source), "--to", "@evil")["id"])
    run("HQ1", "package", "publish", package, "--wait")
    (source / FILES[0]).write_text("changed")
    run("HQ1", "package", "publish", package, "--wait")
    lab.wait_present(package)
    return package


def shape_of(target: str) -> str:
    """Addresses that differ only in what they are about are one kind of page."""
    path, _mark, query = target.partition("?")
    path = re.sub(r"(?<=/)(HQ1[0-9A-F]{5}|HQ1|CHI|[Q]\d+|HLG\d+|\d+|[0-9a-f-]{12,}|HQ1-\w+)(?=/|$)", "*", path)
    path = re.sub(r"^(/(points|sites|packages)/.*)/(EVIL|SHELF)", r"\1/*", path)
    return path if path not in ("/packages/*/diff", "/packages/*/rollback") else f"{path}?{bool(query)}"
