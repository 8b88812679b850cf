"""Counts the connections of the listener and cuts those an address holds beyond its share, so that one address cannot shut out all
others (B59). Looks at this process's own sockets, because the HTTP server tells nobody what it accepted; knows no HTTP."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import os
import resource
import select
import socket
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from haulage.server.limits import Limits
from haulage.server.threads import Repeating

LOOK_SECONDS = 1.0
"""Without anybody seen to come."""
PAUSE_SECONDS = 0.05
"""From one who comes to the look: others that come with it are seen with it. A flood brings thousands in a second."""
STOP_SECONDS = 5.0

_log = logging.getLogger("haulage.server")
_OPEN_FILES = "/proc/self/fd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One accepted connection: its file descriptor, what the kernel calls its socket, and who is at the other end."""

    fd: int
    name: str
    address: str


def fair_share(counts: Collection[int], *, per_address: int, connections: int) -> int:
    """How many connections each address may hold: ``per_address``, or fewer, at least one, where all together would leave less than
    a quarter of ``connections`` to those who come next."""
    room = connections * 3 // 4
    if sum(min(count, per_address) for count in counts) <= room:
        return per_address
    low, high = 1, per_address
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(count, middle) for count in counts) <= room:
            low = middle
        else:
            high = middle - 1
    return low


class Doorman:
    """Watches the connections that come by ``listening`` in a thread of its own, as long as it is not stopped."""

    def __init__(self, listening: socket.socket, limits: Limits) -> None:
        self._listening = listening.dup()
        self._port: int = listening.getsockname()[1]
        self._limits = limits
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._arrival = select.poll()
        self._arrival.register(self._listening, select.POLLIN)
        self._arrival.register(self._wake, select.POLLIN)
        self._started = self._busy = False
        self._stopping = threading.Event()
        self._thread = Repeating("doorman", self._turn, self._stopping)
        self._arrived: dict[str, int] = {}
        self._arrivals = 0
        self._cut: dict[str, int] = {}

    def start(self) -> None:
        """Begin to watch."""
        self._started = True
        self._thread.start()

    def stop(self) -> None:
        """End, and let go of the port. Once."""
        self._stopping.set()
        os.eventfd_write(self._wake, 1)
        if self._started:
            self._thread.join(STOP_SECONDS)
        self._listening.close()
        os.close(self._wake)

    def look(self) -> int:
        """Cut what is too much now; how many connections that was."""
        by_address: dict[str, list[Connection]] = {}
        for connection in accepted(self._port):
            by_address.setdefault(connection.address, []).append(connection)
        self._remember([one for group in by_address.values() for one in group])
        share = fair_share(
            [len(group) for group in by_address.values()],
            per_address=self._limits.per_address,
            connections=self._limits.connections,
        )
        cut = sum(self._cut_newest(address, group, share) for address, group in by_address.items())
        self._tell_ended(by_address, share)
        return cut

    def _turn(self) -> None:
        if not self._busy:
            self._arrival.poll(LOOK_SECONDS * 1000)
        if not self._stopping.wait(PAUSE_SECONDS):
            self._busy = self.look() > 0

    def _remember(self, connections: Sequence[Connection]) -> None:
        """Who was here before whom: those who were served go on being served."""
        there = {one.name for one in connections}
        for name in self._arrived.keys() - there:
            del self._arrived[name]
        for one in connections:
            if one.name not in self._arrived:
                self._arrivals += 1
                self._arrived[one.name] = self._arrivals

    def _cut_newest(self, address: str, group: list[Connection], share: int) -> int:
        group.sort(key=lambda one: self._arrived[one.name])
        cut = sum(_end(one) for one in group[share:])
        if cut and address not in self._cut:
            _log.warning("the address %s holds more than %d connections; the newest are cut", address, share)
        if cut:
            self._cut[address] = self._cut.get(address, 0) + cut
        return cut

    def _tell_ended(self, by_address: dict[str, list[Connection]], share: int) -> None:
        """Once more for each address, when it keeps to its share again: an attack makes two lines, not thousands."""
        for address in [one for one in self._cut if len(by_address.get(one, ())) <= share]:
            _log.warning("the address %s keeps to %d connections again; %d were cut", address, share, self._cut.pop(address))


def accepted(port: int) -> Iterator[Connection]:
    """The connections this process has accepted at a port."""
    for number in _numbers():
        with contextlib.suppress(OSError, ValueError):
            target = os.readlink(f"{_OPEN_FILES}/{number}")
            if target.startswith("socket:["):
                with _borrowed(number) as handle:
                    address = _other_end(handle, port)
                if address:
                    yield Connection(fd=number, name=target, address=address)


def network_of(address: str) -> str:
    """Whom an address counts for: one IPv4 address, or the /64 of an IPv6 one, which a single customer has to itself."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _numbers() -> Iterable[int]:
    """Of all open files. Where no more may be opened, which is when this matters most, a folder cannot be listed."""
    try:
        return [int(name) for name in os.listdir(_OPEN_FILES)]
    except OSError:
        return range(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


@contextlib.contextmanager
def _borrowed(number: int) -> Iterator[socket.socket]:
    """What a number means now, held fast by a duplicate while it is looked at; where there can be none, as it is."""
    try:
        handle = socket.socket(fileno=os.dup(number))
    except OSError as cause:
        if cause.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        handle = socket.socket(fileno=number)
        try:
            yield handle
        finally:
            handle.detach()
        return
    with handle:
        yield handle


def _other_end(handle: socket.socket, port: int) -> str:
    if handle.family not in (socket.AF_INET, socket.AF_INET6) or handle.getsockname()[1] != port:
        return ""
    return network_of(handle.getpeername()[0])


def _end(connection: Connection) -> bool:
    """The number may mean something else by now: its name is compared, and that very socket is ended."""
    with contextlib.suppress(OSError), _borrowed(connection.fd) as handle:
        if os.readlink(f"{_OPEN_FILES}/{handle.fileno()}") == connection.name:
            handle.shutdown(socket.SHUT_RDWR)
            return True
    return False
