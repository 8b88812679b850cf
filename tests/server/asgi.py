"""Calling the application without a socket: one request in, one answer out."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from haulage.base.clock import SystemClock
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.engine.content.digest import digest
from haulage.engine.content.model import ManifestId
from haulage.engine.delta.encoding import Method
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.engine.parcels.head import MAGIC, TRAILER, SectionKind, encode_head
from haulage.engine.trust.certificates import make_csr, make_tls_key
from haulage.engine.trust.enrolment import make_claim, parse_join
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.password_hashes import Cost, Hasher
from haulage.engine.trust.requests import body_digest, new_nonce, sign_request
from haulage.operations.packages import assign_package, create_package, publish_package
from haulage.operations.sites import invite_site
from haulage.server.app import create_app
from haulage.server.bells import Bells
from haulage.server.pipeline import Pump
from haulage.server.service import Service
from haulage.wiring.home import Home
from haulage.wiring.serving import assemble, wakes_of
from haulage.wiring.site import OpenedSite, open_site

CHI = SiteCode("CHI")
CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
"""Of hashes nobody is to attack."""


def _parcel() -> tuple[str, bytes]:
    """A parcel of three batches that nobody could unpack, but whole."""
    parts = [os.urandom(size) for size in (900_000, 900_000, 700_000)]
    rows = [(int(SectionKind.BATCH), int(Method.STORED), len(part), len(part), digest(part)) for part in parts]
    total = sum(map(len, parts))
    head = encode_head(ManifestId(b"\1" * 32), (), bytes_total=total, bytes_new=total, sections=rows)
    return digest(head[: -TRAILER.size]).hex(), MAGIC + b"".join(parts) + head


PARCEL, PARCEL_BYTES = _parcel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


async def ask(
    app: Any, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | list[bytes] = b""
) -> Reply:
    path, _mark, query = target.partition("?")
    pieces = [body] if isinstance(body, bytes) else body
    lowered = {"host": "127.0.0.1", **{name.lower(): value for name, value in (headers or {}).items()}}
    if isinstance(body, bytes) and body:
        lowered.setdefault("content-length", str(len(body)))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in lowered.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.Event().wait()
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told: dict[str, str] = {}
    for name, value in sent[0]["headers"]:
        # Cookies come several times.
        key = name.decode().lower()
        told[key] = f"{told[key]}\n{value.decode()}" if key == "set-cookie" and key in told else value.decode()
    return Reply(status=sent[0]["status"], headers=told, body=b"".join(message.get("body", b"") for message in sent[1:]))


class Served:
    """A central site whose application is called in this process, and a child that has joined it on paper."""

    def __init__(self, home: Home) -> None:
        self.clock = SystemClock()
        self.bells = Bells()
        opened = open_site(home, self.clock, wakes_of(home.code, self.bells))
        self.opened: OpenedSite = dataclasses.replace(opened, desk=dataclasses.replace(opened.desk, hasher=Hasher(CHEAP)))
        self.process = assemble(home, self.opened, self.clock, self.bells)
        self.service: Service = self.process.service
        self.app = create_app(self.service)
        self.token = home.token
        self.child_key = SigningKey.generate()

    def close(self) -> None:
        self.opened.close()

    def work(self) -> None:
        """What a running server does by itself: everything that is due now."""
        core = self.service.core
        jobs = SteppedJobs(self.clock)
        pump = Pump(core, jobs, self.clock)
        jobs.start()
        while pump.turn() or jobs.step():
            pass

    def publish(self, source: str, *places: str) -> PackageId:
        """A package with one version, held here and assigned."""
        made = create_package(self.service.local_desk, "test", name="demo", source=source)
        if places:
            assign_package(self.service.desk, "test", made.id, [Place(where) for where in places])
        publish_package(self.service.desk, "test", made.id)
        self.work()
        return made.id

    def ask(self, method: str, target: str, **more: Any) -> Reply:
        return asyncio.run(ask(self.app, method, target, **more))

    def admin(self, method: str, target: str, body: object = None, **more: Any) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        return self.ask(method, target, headers=headers, body=data, **more)

    def signed(
        self, method: str, target: str, body: bytes = b"", *, key: SigningKey | None = None, **change: str
    ) -> dict[str, str]:
        return sign_request(
            method,
            target,
            body_digest(body),
            sender=SiteCode(change.get("sender", "CHI")),
            receiver=SiteCode(change.get("receiver", "HQ1")),
            now=self.clock.now(),
            nonce=change.get("nonce", new_nonce()),
            key=key or self.child_key,
        )

    def join_child(self) -> None:
        invited = invite_site(self.service.desk, "test", CHI)
        join = parse_join(invited.join)
        csr = make_csr(make_tls_key(), code=CHI, url="https://127.0.0.1:9")
        document = make_claim(join, self.child_key, csr_pem=csr, url="https://127.0.0.1:9")
        reply = self.ask("POST", "/hop/v1/claim", headers={"Content-Type": "application/vnd.haulage.signed+json"}, body=document)
        assert reply.status == 200, reply.body
