"""Somebody before a real site's console: signed in with a role, asking and sending forms as a browser does."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from haulage.domain.people.roles import Role
from haulage.operations.people import create_user
from haulage.server.app import create_app
from haulage.wiring.console import console_of
from tests.console.inert import assert_own_page
from tests.server.asgi import Reply, Served

PASSWORD = "correct horse battery"
FORM = "application/x-www-form-urlencoded"


class Person:
    """One signed-in browser. Without a role it is the local administrator."""

    def __init__(self, served: Served, role: Role | None = None) -> None:
        self._served = served
        self._cookie = ""
        served.app = create_app(served.service, pages=console_of(served.service))
        form = {"secret": served.token}
        if role is not None:
            name = f"a-{role.value}"
            create_user(served.service.desk, "test", name=name, role=role, password=PASSWORD)
            form = {"name": name, "password": PASSWORD}
        reply = self._send("POST", "/sign-in", urlencode(form).encode())
        assert reply.status == 303, reply.body
        self._cookie = reply.headers["set-cookie"].partition(";")[0]

    def page(self, target: str, status: int = 200) -> str:
        """A page, which is this server's own through and through."""
        reply = self.get(target)
        assert reply.status == status, (reply.status, reply.body)
        html = reply.body.decode()
        assert_own_page(html)
        return html

    def get(self, target: str) -> Reply:
        """Whatever is there."""
        return self._send("GET", target, b"")

    def post(self, target: str, **form: str) -> Reply:
        """A form of this session."""
        found = re.search(rb'name="token" value="([^"]+)"', self.get("/knowledge").body)
        assert found
        return self._send("POST", target, urlencode({"token": found[1].decode(), **form}).encode())

    def _send(self, method: str, target: str, body: bytes) -> Reply:
        headers = {"Origin": self._served.service.url(), "Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        if body:
            headers["Content-Type"] = FORM
        if self._cookie:
            headers["Cookie"] = self._cookie
        return self._served.ask(method, target, headers=headers, body=body)
