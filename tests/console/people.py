"""Somebody at a browser, signed in at a real site by name and password: keeps cookies, sends forms as a page of the site does."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from haulage.console.frame.cookies import SESSION
from haulage.domain.people import records
from haulage.domain.people.roles import Role
from haulage.operations import people
from tests.server.asgi import Reply, Served

PASSWORD = "correct horse battery"


def let_in(served: Served, name: str, role: Role) -> None:
    """A user with that password, if there is none yet."""
    with served.service.core.database.reading() as tx:
        known = any(user.name == name for user in records.list_users(tx))
    if not known:
        people.create_user(served.service.local_desk, "test", name=name, role=role, password=PASSWORD)


class Person:
    """One browser."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.cookies: dict[str, str] = {}

    def get(self, target: str) -> Reply:
        return self._keep(self.served.ask("GET", target, headers={"Accept": "text/html", **self._cookie()}))

    def post(self, target: str, form: dict[str, str] | None = None, *, token: str | None = None) -> Reply:
        given = {"token": self.token() if token is None and SESSION in self.cookies else token or "", **(form or {})}
        headers = {
            "Origin": self.served.service.url(),
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
            **self._cookie(),
        }
        return self._keep(self.served.ask("POST", target, headers=headers, body=urlencode(given).encode()))

    def sign_in(self, name: str, password: str = PASSWORD) -> Person:
        self.cookies = {}
        reply = self.post("/sign-in", {"name": name, "password": password})
        assert (reply.status, reply.headers["location"]) == (303, "/"), reply.headers
        return self

    def sign_in_local(self) -> Person:
        self.cookies = {}
        reply = self.post("/sign-in", {"secret": self.served.token})
        assert (reply.status, reply.headers["location"]) == (303, "/"), reply.headers
        return self

    def token(self) -> str:
        """What forms of this session bring back."""
        found = re.search(rb'action="/sign-out"><input type="hidden" name="token" value="([^"]+)"', self.get("/settings/me").body)
        assert found
        return found[1].decode()

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _keep(self, reply: Reply) -> Reply:
        for cookie in reply.headers.get("set-cookie", "").splitlines():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return reply
