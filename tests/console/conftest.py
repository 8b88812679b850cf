"""A console over a few articles, called without a socket and without a site behind it."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from haulage.base.ids import SiteCode
from haulage.console.app import Console
from haulage.console.frame.sessions import Sessions
from haulage.console.frame.sign_in import SIGN_IN_PAGE, sign_in_writes
from haulage.console.knowledge.diagnose import diagnose_page
from haulage.console.knowledge.reading import knowledge_pages
from haulage.engine.database.template import fresh_database
from haulage.engine.status.journal import Journal
from haulage.engine.trust.password_hashes import Hasher
from haulage.engine.trust.tokens import new_token, token_digest
from haulage.server.app import create_app
from haulage.server.reception import Reception
from haulage.server.service import Service
from haulage.testing.clock import HandClock
from haulage.wiring.tables import TABLES
from tests.console.library import FewArticles, own_articles
from tests.server.asgi import CHEAP, Reply, ask

URL = "https://hq.example.org:8440"


class Browser:
    """Asks like one: keeps cookies, says where a form came from."""

    def __init__(self, sources: dict[str, bytes], url: str = URL) -> None:
        self.clock = HandClock()
        self.secret = new_token()
        self.library = FewArticles(sources)
        self.database = fresh_database(TABLES)
        journal = Journal(self.database, clock=self.clock, site=SiteCode("HQ1"), epoch=lambda _tx: 1)
        reception = Reception(self.database, journal, self.clock, Hasher(CHEAP), token_digest(self.secret))
        self.sessions = Sessions(self.clock, self.database, reception.local_proof)
        service = SimpleNamespace(code="HQ1", version="0.1.0", url=lambda: url, reception=reception, clock=self.clock)
        self.pages = (SIGN_IN_PAGE, *knowledge_pages(self.library), diagnose_page(self.library))
        self.writes = sign_in_writes(self.sessions)
        self.console = Console(cast(Service, service), self.sessions, self.pages, self.writes)
        self.app = create_app(cast(Service, service), endpoints=(), pages=self.console)
        self.cookies: dict[str, str] = {}

    def get(self, target: str, **headers: str) -> Reply:
        return self._ask("GET", target, b"", headers)

    def post(self, target: str, form: dict[str, str], **headers: str) -> Reply:
        given = {"origin": URL, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", target, urlencode(form).encode(), given)

    def sign_in(self) -> Browser:
        reply = self.post("/sign-in", {"secret": self.secret})
        assert reply.status == 303, reply.body
        return self

    def token(self) -> str:
        """What forms of this session bring back, taken from a page."""
        found = re.search(rb'action="/sign-out"><input type="hidden" name="token" value="([^"]+)"', self.get("/knowledge").body)
        assert found
        return found[1].decode()

    def _ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = asyncio.run(ask(cast(Any, self.app), method, target, headers=given, body=body))
        if "set-cookie" in reply.headers:
            name, _, value = reply.headers["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return reply


@pytest.fixture
def browser() -> Browser:
    """Nobody signed in yet; the articles that come with Haulage."""
    return Browser(own_articles())
