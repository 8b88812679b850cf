"""What every test may use: clocks of its own come from haulage.testing, peers from tests.peers, PostgreSQL from here."""

from __future__ import annotations

import functools
import os
from collections.abc import Generator, Iterator

import pytest

from haulage.base.clock import SystemClock
from haulage.testing.clock import HandClock
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SMALL
from haulage.testing.scratch import PostgresBackend, standing_on
from tests.peers import ABSENT, need
from tests.postgres import Cluster, running_cluster

_REPORTED = "haulage_absent"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A private PostgreSQL cluster, started when the first test asks for it."""
    need("postgresql")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_backend(postgres: Cluster) -> Iterator[PostgresBackend]:
    """Databases of that cluster, for simulated sites."""
    backend = PostgresBackend(postgres.furnished)
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def small_estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A whole small estate at which nothing works, made once for all: no test may rely on what another did, or change it. Its clock
    stands, or sites that nobody hears of would be away by the time of a later test."""
    clock = HandClock(SystemClock().now())
    with Estate(make_estate(str(tmp_path_factory.mktemp("estate") / "home"), SMALL, clock=clock), clock) as estate:
        yield estate


@pytest.fixture(autouse=True)
def each_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs once on each kind of database: simulated sites and ``empty_database`` stand on it. Of every test, so that it
    comes before all others that are made anew for each."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield "sqlite"
        return
    need("postgresql")
    backend: PostgresBackend = request.getfixturevalue("postgres_backend")
    with standing_on(backend):
        yield "postgresql"
    backend.give_all()


_STAND_ON_DATABASES = {"haulage.testing.scratch", "tests.domain.worlds", "tests.domain.replication.hops"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of a module that takes its databases or simulated sites from one of these runs on each kind of database, unless
    the module chooses itself."""
    used = {getattr(value, "__module__", "") for value in vars(metafunc.module).values()}
    if used & _STAND_ON_DATABASES and "standing_on" not in vars(metafunc.module):
        slow = metafunc.definition.get_closest_marker("slow_twice") and os.environ.get("HAULAGE_LONG") != "1"
        metafunc.parametrize("each_backend", ["sqlite"] if slow else ["sqlite", "postgresql"], indirect=True)


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
    config.addinivalue_line("markers", "slow_twice: runs on PostgreSQL, too, only with HAULAGE_LONG=1")


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
