"""A console at a real socket with TLS, for a real browser: the server's own listener and bounds, a few articles, the real index."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from haulage.base.clock import SystemClock
from haulage.base.ids import SiteCode
from haulage.engine.trust.certificates import make_tls_key, self_issue
from haulage.server.listener import Address, Listener
from haulage.testing.lab.ports import Ports
from tests.console.conftest import Browser

PATIENCE_SECONDS = 60.0


class ServedConsole:
    """Runs until it is closed."""

    def __init__(self, folder: Path, sources: dict[str, bytes]) -> None:
        self._ports = Ports()
        port = self._ports.claim()
        self.url = f"https://127.0.0.1:{port}"
        key = make_tls_key()
        (folder / "key.pem").write_bytes(key)
        certificate = self_issue(key, code=SiteCode("HQ1"), url=self.url, now=SystemClock().now())
        (folder / "certificate.pem").write_text(certificate)
        (folder / "index").mkdir()
        self.behind = Browser(sources, url=self.url)
        self.behind.library.indexed(str(folder / "index"))
        self.secret = self.behind.secret
        address = Address(
            host="127.0.0.1", port=port, certificate_path=str(folder / "certificate.pem"), key_path=str(folder / "key.pem")
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener = Listener(self.behind.app, address)
        self._run(self._listener.start())

    def close(self) -> None:
        """Stop listening."""
        self._run(self._listener.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._ports.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)
