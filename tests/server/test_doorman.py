"""One address cannot hold all connections: the share is fair, the newest beyond it are cut, and others are served meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import logging
import os
import resource
import select
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.server.doorman import Doorman, accepted, fair_share, network_of
from haulage.server.limits import Limits, limits_for, raise_open_files
from tests.server.asgi import Served
from tests.server.live import SHORT, Live

COUNTS = st.lists(st.integers(1, 500), max_size=60)


@given(counts=COUNTS, per_address=st.integers(1, 300), connections=st.integers(1, 3000))
def test_b59_the_share_is_the_largest_that_leaves_room(counts: list[int], per_address: int, connections: int) -> None:
    share = fair_share(counts, per_address=per_address, connections=connections)
    room = connections * 3 // 4

    def held(each: int) -> int:
        return sum(min(count, each) for count in counts)

    assert 1 <= share <= per_address
    assert held(share) <= room or share == 1
    assert share == per_address or held(share + 1) > room


@pytest.mark.parametrize(
    ("address", "counts_for"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_b59_whom_an_address_counts_for(address: str, counts_for: str) -> None:
    assert network_of(address) == counts_for


@pytest.fixture(scope="module")
def patient(served: Served) -> Iterator[Live]:
    """A server that ends no connection for being idle while a test lasts."""
    live = Live(served, dataclasses.replace(SHORT, head_seconds=30.0))
    yield live
    live.close()


def test_b59_idle_connections_of_one_address_are_capped_and_others_served(patient: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "haulage.server")
    address, count = "127.0.0.3", 300
    with contextlib.ExitStack() as held:
        wires = [held.enter_context(patient.dial(source=address)) for _ in range(count)]
        poll = select.poll()
        for wire in wires:
            poll.register(wire, select.POLLIN)
        gone: set[int] = set()
        while len(gone) < count - SHORT.per_address:
            found = poll.poll(30_000)
            assert found, "nobody cuts them"
            for number, _event in found:
                poll.unregister(number)
                gone.add(number)
        assert patient.serves(source="127.0.0.4")
        assert len(gone) == count - SHORT.per_address
    told = [record.getMessage() for record in caplog.records if f"{address} holds more than" in record.getMessage()]
    assert told == [f"the address {address} holds more than {SHORT.per_address} connections; the newest are cut"]


def _no_more_files(_what: object) -> list[str]:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def _ended(wire: socket.socket) -> bool:
    wire.setblocking(False)
    try:
        return wire.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("exhausted", [False, True])
def test_b59_the_newest_are_cut_and_nothing_but_connections_of_that_port(exhausted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a flood has taken the last file that may be opened."""
    if exhausted:
        monkeypatch.setattr(os, "listdir", _no_more_files)
        monkeypatch.setattr(os, "dup", _no_more_files)
    with contextlib.ExitStack() as held:
        listening = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        other = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listening.getsockname()[1]
        doorman = Doorman(listening, Limits(per_address=3))
        held.callback(doorman.stop)
        ours = []
        for _ in range(3):
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
            ours.append(held.enter_context(listening.accept()[0]))
        assert doorman.look() == 0
        late = held.enter_context(socket.create_connection(("127.0.0.1", port)))
        held.enter_context(listening.accept()[0])
        elsewhere = [held.enter_context(socket.create_connection(other.getsockname())) for _ in range(5)]
        theirs = [held.enter_context(other.accept()[0]) for _ in range(5)]
        assert len(list(accepted(port))) == 4
        assert doorman.look() == 1
        assert late.recv(1) == b""
        assert not any(_ended(one) for one in (*ours, *elsewhere, *theirs))
        assert doorman.look() in (0, 1)


def test_b59_where_few_files_may_be_open_there_are_fewer_connections() -> None:
    assert limits_for(512, 65_536) == Limits(connections=8192, per_address=512)
    assert limits_for(512, 4096) == Limits(connections=3072, per_address=512)
    assert limits_for(512, 256) == Limits(connections=128, per_address=64)


def test_as_many_files_as_the_system_grants(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    granted: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _which, pair: granted.append(pair))
    assert raise_open_files() == 4096
    assert granted == [(4096, 4096)]
    assert "grants 4096 open files" in caplog.text

    def refuse(_which: int, _pair: tuple[int, int]) -> None:
        raise OSError(os.strerror(1))

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_open_files() == 1024
