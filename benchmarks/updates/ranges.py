"""A file server on loopback that answers byte ranges, several in one request too, and counts every byte it sends and receives.
Stands in for the web server that zchunk and zsync fetch from. Knows no tool.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import socket
import threading
from collections.abc import Iterator

_BOUNDARY = "between-ranges"
_PIECE = 1 << 20


class Counted:
    """What crossed the line so far, headers included."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.count = 0


@contextlib.contextmanager
def serving(folder: str) -> Iterator[Counted]:
    """Serve the files of a folder until the end of the block."""
    counted = Counted(0)

    class Handler(_Handler):
        root = folder
        total = counted

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        counted.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield counted
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root = ""
    total: Counted

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.total.count += len(self.requestline) + 2 + len(bytes(self.headers))
        path = os.path.join(self.root, os.path.basename(self.path))
        if not os.path.isfile(path):
            self._head(404, {"Content-Length": "0"})
            return
        size = os.path.getsize(path)
        ranges = _ranges(self.headers.get("Range", ""), size)
        common = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if not ranges:
            self._head(200, {**common, "Content-Length": str(size)})
            parts = [(b"", 0, size)]
        elif len(ranges) == 1:
            start, end = ranges[0]
            self._head(206, {**common, "Content-Length": str(end - start), "Content-Range": f"bytes {start}-{end - 1}/{size}"})
            parts = [(b"", start, end)]
        else:
            parts = [(_part_head(start, end, size), start, end) for start, end in ranges]
            parts.append((f"\r\n--{_BOUNDARY}--\r\n".encode(), 0, 0))
            length = sum(len(head) + end - start for head, start, end in parts)
            self._head(206, {"Content-Type": f"multipart/byteranges; boundary={_BOUNDARY}", "Content-Length": str(length)})
        if body:
            self._send(path, parts)

    def _send(self, path: str, parts: list[tuple[bytes, int, int]]) -> None:
        with open(path, "rb") as file:
            for head, start, end in parts:
                self.wfile.write(head)
                self.total.count += len(head)
                file.seek(start)
                while start < end:
                    piece = file.read(min(_PIECE, end - start))
                    self.wfile.write(piece)
                    self.total.count += len(piece)
                    start += len(piece)

    def _head(self, status: int, fields: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.total.count += 64 + sum(len(name) + len(value) + 4 for name, value in fields.items())
        self.end_headers()


def _ranges(field: str, size: int) -> list[tuple[int, int]]:
    if not field.startswith("bytes="):
        return []
    found = re.findall(r"(\d+)-(\d*)", field)
    return [(int(first), min(size, int(last) + 1) if last else size) for first, last in found if int(first) < size]


def _part_head(start: int, end: int, size: int) -> bytes:
    return f"\r\n--{_BOUNDARY}\r\nContent-Range: bytes {start}-{end - 1}/{size}\r\n\r\n".encode()
