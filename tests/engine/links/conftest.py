"""A peer that does what a test says, and links to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.engine.links.exchange import Patience
from haulage.engine.links.https import HttpsLink
from haulage.engine.links.loop import LoopThread
from tests.engine.links.peer import (
    AUTHORITY,
    CHI,
    CHI_KEY,
    HQ1,
    HQ1_KEY,
    Peer,
    Script,
)


class OffClock(SystemClock):
    """A clock that is wrong."""

    def __init__(self, off: dt.timedelta) -> None:
        self._off = off

    def now(self) -> dt.datetime:
        return super().now() + self._off


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Callable[[Script], Peer]]:
    started: list[Peer] = []

    def start(script: Script) -> Peer:
        started.append(Peer(script=script, folder=tmp_path))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def link(loop: LoopThread) -> Iterator[Callable[..., HttpsLink]]:
    made: list[HttpsLink] = []

    def make(
        url: str, *, patience: Patience | None = None, authority_pem: str = AUTHORITY.certificate_pem, hours_off: int = 0
    ) -> HttpsLink:
        made.append(
            HttpsLink(
                url=url,
                site=CHI,
                peer=HQ1,
                key=CHI_KEY,
                peer_keys=lambda: [HQ1_KEY.public],
                authority_pem=authority_pem,
                clock=OffClock(dt.timedelta(hours=hours_off)),
                loop=loop,
                patience=patience,
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()
