"""What every test may use: clocks of its own come from haulage.testing, peers from tests.peers, PostgreSQL from here."""

from __future__ import annotations

import functools
import os
from collections.abc import Generator, Iterator

import pytest

from tests.peers import ABSENT, need
from tests.postgres import Cluster, running_cluster

_REPORTED = "haulage_absent"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A private PostgreSQL cluster, started when the first test asks for it."""
    need("postgresql")
    with running_cluster() as cluster:
        yield cluster


@functools.cache
def _gathered() -> dict[str, str]:
    """In the controlling process: what the workers found absent."""
    return {}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_REPORTED] = dict(ABSENT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    _gathered().update(getattr(node, "workeroutput", {}).get(_REPORTED, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    absent = {**_gathered(), **ABSENT}
    if absent:
        listed = "; ".join(f"{name} ({why})" for name, why in sorted(absent.items()))
        terminalreporter.write_line(f"peers absent, their tests were skipped: {listed}", yellow=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: runs only with HAULAGE_LONG=1 (make test-long)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests are not selected here; that is no skip: `make test-long` runs them."""
    if os.environ.get("HAULAGE_LONG") == "1":
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hostile text that a test logged may hold lone surrogates, which the workers of a parallel run cannot send home."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
