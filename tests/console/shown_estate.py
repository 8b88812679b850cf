"""A made-up estate behind a real socket with TLS, with somebody of each role signed in; and what is looked for on its pages."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page

from haulage.console.app import Console
from haulage.console.frame.cookies import SESSION
from haulage.console.frame.sessions import Sessions
from haulage.domain.people import records
from haulage.domain.people.model import LOCAL, Caller, User
from haulage.domain.people.roles import Role
from haulage.server.app import create_app
from haulage.server.listener import Listener
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SMALL
from haulage.wiring.console import pages_of, writes_of

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PATIENCE_SECONDS = 60.0
NAMES = {Role.READER: "rita", Role.OPERATOR: "olaf", Role.ADMINISTRATOR: "administrator"}


class ShownEstate:
    """Runs until it is closed. Nothing is worked on: what it shows stays."""

    def __init__(self, folder: Path) -> None:
        self.estate = Estate(make_estate(str(folder / "home"), SMALL))
        service = self.estate.service()
        service.core.librarian.run()
        self.sessions = Sessions(service.clock, service.core.database, service.reception.local_proof)
        self.pages, self.writes = pages_of(service), writes_of(service, self.sessions)
        console = Console(service, self.sessions, self.pages, self.writes)
        self.app = create_app(service, pages=console)
        self.secrets = {role: self._signed_in(role) for role in Role}
        self.url = service.url()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener = Listener(self.app, self.estate.process.listen())
        self._run(self._listener.start())

    def close(self) -> None:
        """Stop listening, and let go of the home."""
        self.estate.process.service.bells.close()
        self._run(self._listener.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.estate.close()

    def _signed_in(self, role: Role) -> str:
        caller = LOCAL if role is Role.ADMINISTRATOR else Caller(name=NAMES[role], role=role)
        if not caller.local:
            made = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
            user = User(name=caller.name, display_name=caller.name, role=role, password_hash="", disabled=False, created=made)
            with self.estate.service().core.database.writing() as tx:
                records.put_user(tx, user)
        return self.sessions.begin(caller, browser="a test")

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)


class Window:
    """A browser's window of somebody signed in, whose requests and complaints are watched."""

    def __init__(self, chromium: Chromium, shown: ShownEstate, role: Role = Role.ADMINISTRATOR, **how: object) -> None:
        self._shown = shown
        self.context: BrowserContext = chromium.new_context(ignore_https_errors=True, base_url=shown.url, **how)  # type: ignore[arg-type]
        self.context.add_cookies([{"name": SESSION, "value": shown.secrets[role], "url": shown.url, "secure": True}])
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def complaints(self) -> list[str]:
        """What the browser complained of, and foreign addresses that were asked; empty for a page as it should be."""
        own = urlparse(self._shown.url).netloc
        foreign = [url for url in self.asked if urlparse(url).netloc != own and not url.startswith(("data:", "blob:"))]
        said, self.said, self.asked = self.said, [], []
        return [*foreign, *said]

    def barriers(self) -> list[str]:
        """What axe finds that keeps somebody from using the page, with where."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [one for one in found["violations"] if one["impact"] in ("moderate", "serious", "critical")]
        return [f"{one['id']}: {node['html'][:160]}" for one in grave for node in one["nodes"][:3]]

    def overflow(self) -> str:
        """The element that makes the page wider than the window; "" for none."""
        return str(
            self.page.evaluate(
                """() => {
                  const wide = document.documentElement.clientWidth;
                  if (document.documentElement.scrollWidth <= wide) return "";
                  const inside = (node) => node.closest(".scroll, .graph, pre, svg, .side") !== null;
                  const beyond = (node) => node.getBoundingClientRect().right > wide + 1 && !inside(node);
                  const found = [...document.querySelectorAll("main *")].find(beyond);
                  return found ? found.outerHTML.slice(0, 200) : "something outside of main";
                }"""
            )
        )
