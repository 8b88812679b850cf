"""One hierarchy per test process for all tests that leave it whole; what its servers wrote goes into the report of a failure."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator

import pytest

from haulage.testing.lab.lab import QUICK, Lab

ZONES = {"HQ1": "America/New_York", "CHI": "UTC", "LA1": "Asia/Kolkata"}
"""The servers live in different time zones, always: nothing that crosses the hierarchy may show it (Q319427)."""

_labs: list[Lab] = []


@pytest.fixture
def new_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Lab]]:
    """Makes labs of a test's own."""
    made: list[Lab] = []

    def make() -> Lab:
        lab = Lab(tmp_path_factory.mktemp("lab"))
        made.append(lab)
        _labs.append(lab)
        return lab

    yield make
    for lab in made:
        lab.close()
        _labs.remove(lab)


@pytest.fixture(scope="session")
def _hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        _labs.append(lab)
        lab.central("HQ1", environment={"TZ": ZONES["HQ1"]})
        lab.site("CHI", parent="HQ1", environment={"TZ": ZONES["CHI"]})
        lab.site("LA1", parent="CHI", environment={"TZ": ZONES["LA1"]})
        yield lab
        _labs.remove(lab)


@pytest.fixture
def lab(_hierarchy: Lab) -> Lab:
    """HQ1, CHI below it and LA1 below that, all running. A test gives it back with all three able to run."""
    for site in _hierarchy:
        if not site.running:
            site.settings(QUICK)
            site.start()
    return _hierarchy


@pytest.fixture
def rounds() -> int:
    """How often something is done to chance: seldom, unless there is time."""
    return 12 if os.environ.get("HAULAGE_LONG") == "1" else 2


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, object, None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and "tests/lab" in item.nodeid:
        for lab in _labs:
            report.sections.append((f"servers in {lab.folder}", lab.tails()))
