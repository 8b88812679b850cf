"""A central site served in this process, for the tests of its endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.domain.catalog import records as catalog
from haulage.domain.transit.records import ParcelRecord, put_parcel
from haulage.wiring.founding import init_central
from tests.server.asgi import PARCEL, PARCEL_BYTES, Served
from tests.server.live import Live


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all: no test may rely on what another did."""
    folder: Path = tmp_path_factory.mktemp("served")
    served = Served(init_central(str(folder / "hq"), code="HQ1", listen="127.0.0.1:0"))
    served.join_child()
    yield served
    served.close()


@pytest.fixture(scope="session")
def live(served: Served) -> Iterator[Live]:
    """The same at a real socket, with short limits."""
    live = Live(served)
    yield live
    live.close()


@pytest.fixture(scope="session")
def parcel(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A parcel towards a version the child is to have."""
    name, source = PARCEL, tmp_path_factory.mktemp("source")
    (source / "file").write_text("parcel")
    package = served.publish(str(source), "CHI")
    with served.opened.core.database.reading() as tx:
        target = catalog.list_versions(tx, package)[0].manifest
    (Path(served.opened.home.content) / "parcels" / f"{name}.parcel").write_bytes(PARCEL_BYTES)
    size, now = len(PARCEL_BYTES), served.clock.now()
    record = ParcelRecord(
        id=name, target=target, bases=(), level="fast", needs=(), abilities=(), size=size, head_size=10, figures={}, used=now
    )
    with served.opened.core.database.writing() as tx:
        put_parcel(tx, record)
    return name
