"""A central site served in this process, for the tests of its endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.wiring.founding import init_central
from tests.server.asgi import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all: no test may rely on what another did."""
    folder: Path = tmp_path_factory.mktemp("served")
    served = Served(init_central(str(folder / "hq"), code="HQ1", listen="127.0.0.1:0"))
    served.join_child()
    yield served
    served.close()
