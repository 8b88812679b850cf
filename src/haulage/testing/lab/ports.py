"""Ports for servers that come and go: below the range from which the kernel takes ports for outgoing connections, so that nobody
takes one while its server is dead, and each claimed by one lab at a time. Knows nothing of sites."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile

_FIRST, _COUNT = 11_000, 20_000


class Ports:
    """Claimed ports; they are free again when this object is closed or its process ends."""

    def __init__(self) -> None:
        self._folder = os.path.join(tempfile.gettempdir(), f"haulage-lab-ports-{os.geteuid()}")
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._claims: list[int] = []
        self._next = (os.getpid() * 37) % _COUNT

    def claim(self) -> int:
        """A port of 127.0.0.1 on which nobody listens and which no other lab has."""
        for _ in range(_COUNT):
            port = _FIRST + self._next
            self._next = (self._next + 1) % _COUNT
            if self._take(port):
                return port
        raise OSError("no free port")

    def close(self) -> None:
        """Give all back."""
        while self._claims:
            os.close(self._claims.pop())

    def _take(self, port: int) -> bool:
        claim = os.open(os.path.join(self._folder, str(port)), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(claim)
            return False
        self._claims.append(claim)
        return True
