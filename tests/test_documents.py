"""The generated pages are what the code says."""

from __future__ import annotations

import pathlib

from haulage.engine.status.catalogue import MESSAGES
from haulage.testing.documents import PAGES, stale, write

TOP = pathlib.Path(__file__).parent.parent


def test_generated_pages_are_current() -> None:
    assert stale(str(TOP)) == [], "run `make docs`"


def test_a_changed_page_is_noticed_and_written_again(tmp_path: pathlib.Path) -> None:
    (tmp_path / "docs").mkdir()
    assert stale(str(tmp_path)) == sorted(PAGES, key=list(PAGES).index)
    write(str(tmp_path))
    assert stale(str(tmp_path)) == []
    page = tmp_path / next(iter(PAGES))
    page.write_text(page.read_text() + "x")
    assert stale(str(tmp_path)) == [next(iter(PAGES))]


def test_every_status_message_stands_on_its_page() -> None:
    headings = {line.split()[1] for line in PAGES["docs/status-messages.md"](str(TOP)).splitlines() if line.startswith("### ")}
    assert headings == {str(number) for number in MESSAGES}
