"""A central site and one below it, as processes, for all stories of this folder; and one browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect, sync_playwright

from haulage.testing.lab.lab import Lab
from tests.console.stories.window import PATIENCE_MILLISECONDS, Window
from tests.peers import need, program

CHICAGO = "Chicago <script>window.ran=1</script> \"'> & co"


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """HQ1, and CHI below it over a line that may be slowed, ``lab.lines["HQ1"]``. What fails is tried again seldom, so that a story
    that leaves something failing costs the others nothing."""
    need("chromium")
    with Lab(tmp_path_factory.mktemp("stories")) as lab:
        retry = {"retry": {"first_seconds": 0.2, "cap_seconds": 5.0}}
        lab.central("HQ1", bytes_per_second=1 << 30, settings=retry)
        invitation = lab.quick("HQ1", "invite", "site", "CHI", "--name", CHICAGO)
        lab.joined("CHI", invitation["join"], settings=retry)
        yield lab


@pytest.fixture(scope="package")
def chromium() -> Iterator[Chromium]:
    need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        yield browser
        expect.set_options(timeout=5_000)
        browser.close()


@pytest.fixture
def new_window(lab: Lab, chromium: Chromium) -> Iterator[Callable[[], Window]]:
    """Windows that know nothing of each other; nothing in any of them was wrong in the eyes of the browser."""
    made: list[Window] = []

    def make() -> Window:
        made.append(Window(chromium, lab))
        return made[-1]

    yield make
    for window in made:
        window.context.close()
    assert [trouble for window in made for trouble in window.troubles] == []


@pytest.fixture
def window(new_window: Callable[[], Window]) -> Window:
    """The only one, mostly."""
    return new_window()
