"""A teller with its thread, its tables and real receivers: in order, again after a crash, ended within moments."""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Theirs

from haulage.base.clock import SystemClock
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.base.notify_settings import EmailSettings, NotifySettings, WebhookSettings
from haulage.domain.telling.cursors import Cursors
from haulage.engine.database.transaction import Database, open_database
from haulage.engine.status.journal import Journal
from haulage.engine.status.on_packages import POINT_COPY_FAILED
from haulage.server.telling import teller as telling
from haulage.server.telling.teller import Teller
from haulage.wiring.tables import TABLES
from tests.server.telling.receivers import Post, Request, answering, hook_server, mail_server, until

HQ1 = SiteCode("HQ1")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database: Database = open_database(f"sqlite:///{folder}/site.db")
        with self.database.writing() as tx:
            TABLES.create_all(tx)
        self.journal = Journal(self.database, clock=SystemClock(), site=HQ1, epoch=lambda _tx: 1)
        self.secret = folder / "secret"
        self.secret.write_text(SECRET)
        self.secret.chmod(0o600)

    def hook(self, url: str, name: str = "ops", **more: Any) -> WebhookSettings:
        return WebhookSettings(name=name, url=url, secret_file=str(self.secret), **more)

    def teller(self, *hooks: WebhookSettings, email: tuple[EmailSettings, ...] = ()) -> Teller:
        clock = SystemClock()
        cursors = Cursors(
            HQ1,
            database=self.database,
            journal=self.journal,
            clock=clock,
            chance=random.Random(1),
            keep=dt.timedelta(days=3),
            keep_messages=100,
        )

        def newest() -> int:
            with self.database.reading() as tx:
                return self.journal.last_id(tx)

        return Teller(
            NotifySettings(webhook=hooks, email=email),
            cursors,
            code=HQ1,
            database=self.database,
            clock=clock,
            version="0.1",
            console=lambda: "https://hq.example.org",
            newest=newest,
        )

    def warn(self, index: int = 0) -> None:
        with self.database.writing() as tx:
            where = Place(f"HQ1/P{index}")
            self.journal.record(
                tx, POINT_COPY_FAILED, package=PackageId("HQ100001"), place=where, version=1, cause="x", code="x", tries=1
            )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(telling, "LOOK_SECONDS", 0.02)
    site = Site(tmp_path)
    yield site
    site.database.close()


def ended(teller: Teller) -> None:
    teller.stop()
    teller.join(5)
    assert not teller._thread.is_alive()


def hang(_request: Request, line: Any) -> None:
    line.recv(1)


def ids(requests: list[Request]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def test_each_message_in_order_and_believed(site: Site) -> None:
    with hook_server(answering("200 OK")) as server:
        teller = site.teller(site.hook(server.url))
        teller.start()
        for index in range(5):
            site.warn(index)
        requests = server.wait_for(5)
        until(lambda: teller.views()[0].told == 5)
        ended(teller)
    assert ids(requests) == [f"msg_HQ1_1_{index}" for index in range(1, 6)]
    bodies = [Theirs(SECRET).verify(request.body, request.headers) for request in requests]
    assert [body["place"] for body in bodies] == [f"HQ1/P{index}" for index in range(5)]
    assert set(bodies[0]) >= {"id", "sequence", "number", "severity", "type", "site", "component", "time", "text", "fields"}


def test_f16_killed_after_sending_and_before_remembering_it_comes_again_with_the_same_id(site: Site) -> None:
    """The receiver answers only after the teller was ended: it has the message, and nobody here knows."""
    teller: Teller

    def end_first(_request: Request, line: Any) -> None:
        teller.stop()
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with hook_server(end_first) as server:
        teller = site.teller(site.hook(server.url))
        teller.start()
        site.warn()
        server.wait_for(1)
        teller.join(5)
        server.respond = answering("200 OK")
        second = site.teller(site.hook(server.url))
        second.start()
        site.warn(1)
        requests = server.wait_for(3)
        ended(second)
    assert ids(requests) == ["msg_HQ1_1_1", "msg_HQ1_1_1", "msg_HQ1_1_2"]


def test_one_receiver_that_hangs_does_not_keep_others_from_it_nor_the_server_from_its_end(site: Site) -> None:
    with hook_server(hang) as mute, hook_server(answering("200 OK")) as server:
        teller = site.teller(site.hook(mute.url, timeout_seconds=60), site.hook(server.url, "other"))
        teller.start()
        site.warn()
        server.wait_for(1)
        mute.wait_for(1)
        ended(teller)


def test_a_failure_stands_in_its_view_without_its_secrets(site: Site) -> None:
    with hook_server(answering("500 Broken", "200 OK")) as server:
        teller = site.teller(site.hook(server.url))
        teller.start()
        site.warn()
        server.wait_for(1)
        until(lambda: teller.views()[0].tries == 1)
        view = teller.views()[0]
        ended(teller)
    assert (view.state, view.failure, view.waiting, view.failures) == ("failing", "500 Broken", 1, 1)
    assert view.due is not None
    assert "hidden" not in repr(view)
    assert SECRET not in repr(view)
    assert str(site.secret) not in repr(view)


def test_many_messages_are_one_mail(site: Site) -> None:
    post = Post()
    with mail_server(post) as port:
        settings = EmailSettings(
            name="people",
            host="127.0.0.1",
            port=port,
            security="none",
            sender="h@example.org",
            to=("o@example.org",),
            first_seconds=1,
        )
        for index in range(3):
            site.warn(index)
        teller = site.teller(email=(settings,))
        teller.start()
        for index in range(3, 9):
            site.warn(index)
        until(lambda: teller.views()[0].told == 6)
        ended(teller)
    assert len(post.mails) == 1
    assert b"6 " in post.mails[0].content


def test_body_is_the_stable_form_of_status_list(site: Site) -> None:
    with hook_server(answering("200 OK")) as server:
        teller = site.teller(site.hook(server.url))
        teller.start()
        site.warn()
        (request,) = server.wait_for(1)
        ended(teller)
    body = json.loads(request.body)
    assert (body["number"], body["severity"], body["type"], body["component"]) == (2328, "error", "milestone", "points")
    assert body["fields"]["cause"] == "x"
