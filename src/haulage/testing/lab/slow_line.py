"""A slow line: what a server sends through it takes its time. It hands bytes on as they are, and knows nothing of what they say."""

from __future__ import annotations

import contextlib
import socket
import threading

from haulage.base.clock import SystemClock

_PIECE_BYTES = 16 * 1024
_BUFFER_BYTES = 64 * 1024


class SlowLine:
    """Listens on ``port`` of this machine and connects whoever comes with ``target``, so many bytes a second towards them. The rate
    may be changed at any time; 0 is without a limit."""

    def __init__(self, port: int, target: int, *, bytes_per_second: int) -> None:
        self.bytes_per_second = bytes_per_second
        self.sent_bytes = 0
        """Handed on towards those who came."""
        self._target = target
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", port))
        self._start(self._accept)

    def close(self) -> None:
        """Cut every connection."""
        with self._lock:
            sockets = [self._listening, *self._open]
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listening.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                # What lies in buffers has not arrived, but is on its way all the same: little of it, so that the line is slow for
                # both ends.
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
                with self._lock:
                    self._open |= {near, far}
                self._start(lambda near=near, far=far: self._carry(far, near, slow=True))
                self._start(lambda near=near, far=far: self._carry(near, far, slow=False))

    def _carry(self, source: socket.socket, sink: socket.socket, *, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                if slow:
                    self._wait_for(len(piece))
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _wait_for(self, count: int) -> None:
        """Until the line has room for so many bytes."""
        with self._lock:
            self.sent_bytes += count
            now = self._clock.monotonic()
            begin = max(now, self._free_at)
            self._free_at = begin + (count / self.bytes_per_second if self.bytes_per_second else 0.0)
        if begin > now:
            self._clock.sleep(begin - now)

    @staticmethod
    def _start(work: object) -> None:
        threading.Thread(target=work, daemon=True).start()  # type: ignore[arg-type]
