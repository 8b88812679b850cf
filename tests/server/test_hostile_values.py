"""Every parameter of every endpoint, with what an enemy would write there: an answer below 500, the tables as they were."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from haulage.base.ids import SiteCode
from haulage.engine.status import on_sites
from haulage.engine.status.message import StatusFilter
from haulage.engine.trust.certificates import make_csr, make_tls_key
from haulage.engine.trust.enrolment import encode_join, make_claim, new_join, parse_join
from haulage.engine.trust.keys import SigningKey
from haulage.operations.knowledge import stock_product_articles
from haulage.server.app import ENDPOINTS
from haulage.server.budget import Budget
from haulage.server.endpoint import Endpoint
from haulage.wiring.knowledge import product_articles
from tests.server.asgi import Served

TEXTS = [
    "",
    "'; DROP TABLE sites; --",
    '" OR 1=1 --',
    "id;select pg_sleep(9)",
    "%' UNION SELECT key FROM keys --",
    "../../../etc/passwd",
    "..%2f..%2fetc",
    "\\\\host\\share",
    "//169.254.169.254/latest",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "HQ1/\uff0e\uff0e",
    "\u202etxt.exe",
    "a\nb",
    "a\0b",
    "\ud800",
    "x" * 5000,
    "${jndi:ldap://x}",
    "{{7*7}}",
    "*",
    "all",
    "null",
    "HQ100001",
    "HQ1",
]
NUMBERS = [-1, 0, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1e308, -1e308, 0.5]
OTHERS: list[Any] = [None, True, [], {}, [None], {"a": 1}, [[]], ["*"], ["HQ1"] * 3]
ANY: list[Any] = [*TEXTS, *NUMBERS, *OTHERS]


def _known(name: str) -> str:
    return {"id": "HQ100001", "code": "HQ1", "name": "point", "version": "1", "number": "501"}.get(name, "ab" * 32)


def _paths(endpoint: Endpoint) -> Iterator[str]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    for chosen in names:
        for text in TEXTS:
            path = endpoint.path
            for name in names:
                word = quote(text.encode("utf-8", "surrogatepass"), safe="") if name == chosen else _known(name)
                path = path.replace(f"{{{name}}}", word)
            yield path


def _path(endpoint: Endpoint) -> str:
    path = endpoint.path
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, _known(part[1:-1]))
    return path


def _queries(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.query is None:
        return
    fields = msgspec.structs.fields(endpoint.query)
    for chosen in fields:
        for value in (*TEXTS, *map(str, NUMBERS), "1e400", "nan", "0x10", "1_000", "\u0661"):
            word = quote(value.encode("utf-8", "surrogatepass"), safe="")
            rest = [f"{one.encode_name}=1" for one in fields if one.required and one is not chosen]
            yield "&".join([f"{chosen.encode_name}={word}", *rest])


def _bodies(endpoint: Endpoint) -> Iterator[bytes]:
    if endpoint.body is None:
        return
    fields = msgspec.structs.fields(endpoint.body)
    sound: dict[str, Any] = {"places": ["HQ1"], "place": "HQ1", "url": "folder:/nowhere/at/all", "code": "XY1", "version": 1}
    sound |= {"to": "/nowhere/at/all", "action": "retry", "name": "a", "source": "/nowhere/at/all", "target": "/nowhere/at/all"}
    sound |= {"root": "/nowhere/at/all", "path": "/nowhere/at/all", "text": "a", "role": "reader", "password": "x"}
    rest = {one.encode_name: sound[one.encode_name] for one in fields if one.required}
    if any(one.encode_name == "dry_run" for one in fields):
        rest["dry_run"] = True
    for chosen in fields:
        for value in ANY:
            yield json.dumps({**rest, chosen.encode_name: value}).encode("utf-8", "surrogatepass")
        yield json.dumps(rest).encode()[:-1] + b', "%s": 1e999}' % chosen.encode_name.encode()
    for value in ANY:
        yield json.dumps(value).encode("utf-8", "surrogatepass")
    yield from (b"", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"dry_run": NaN}', b"{}{}", b"\0")


@pytest.fixture(scope="module")
def searching(served: Served) -> Served:
    """A site whose articles can be searched: a question must reach the index."""
    stock_product_articles(served.service.desk, product_articles())
    served.work()
    return served


ADMIN = [one for one in ENDPOINTS if one.permission.role is not None and not one.path.endswith("/stream")]


@pytest.mark.parametrize("endpoint", ADMIN, ids=lambda one: f"{one.method} {one.path}")
def test_b64_no_parameter_is_more_than_a_value(searching: Served, endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    served = searching
    caplog.set_level(logging.ERROR, "haulage.server")
    asked = [(path, None) for path in _paths(endpoint)]
    asked += [(f"{_path(endpoint)}?{query}", None) for query in _queries(endpoint)]
    bodies = [(_path(endpoint), body) for body in _bodies(endpoint)]
    sound = b"{}" if endpoint.body is not None else None
    for target, body in [*((target, sound) for target, _none in asked), *bodies]:
        headers = {"Authorization": f"Bearer {served.token}"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        reply = served.ask(endpoint.method, target, headers=headers, body=body or b"")
        assert reply.status < 500, (target, body, reply.body, caplog.text)
        if reply.status >= 400:
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.code


FEED = "/hop/v1/feed?epoch={}&stream={}&sequence={}&wait=0"


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("value", [*map(str, NUMBERS), "", "nan", "'--", "\u0661", "1" * 5000])
def test_b64_a_childs_position_is_a_number_in_bounds(served: Served, which: int, value: str) -> None:
    numbers = ["0", "0", "0"]
    numbers[which] = quote(value)
    target = FEED.format(*numbers)
    reply = served.ask("GET", target, headers=served.signed("GET", target))
    assert reply.status < 500, reply.body


def test_b68_no_url_makes_this_server_ask_elsewhere(served: Served) -> None:
    for url in (
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "file:///etc",
        "folder:relative",
        "folder:",
        "\\\\host\\share",
        "//host/share",
        "smb://host/share",
        "folder:/a\0b",
        "folder:/" + "x" * 5000,
        "FOLDER:/a",
    ):
        reply = served.admin("POST", "/api/v1/points", {"place": "HQ1/b68", "url": url})
        assert (reply.status, reply.code) == (400, "bad-point-url"), url
        for source in (url, "relative", "~", ""):
            reply = served.admin("POST", "/api/v1/packages", {"name": "b68", "source": source})
            assert 400 <= reply.status < 500, source
    assert all(row["place"] != "HQ1/b68" for row in served.admin("GET", "/api/v1/points").json)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "AB" * 32,
        "ab" * 31 + "a\n",
        "ab" * 33,
        "zz" * 32,
        "\uff41" * 64,
        "..%2f" * 12 + "abcd",
        "ab" * 32 + "%00",
        "0x" + "ab" * 31,
    ],
)
def test_b54_a_digest_is_64_digits_or_nothing(served: Served, name: str) -> None:
    word = quote(name, safe="%")
    chunk = served.admin("GET", f"/content/v1/chunks/{word}")
    target = f"/hop/v1/parcels/{word}"
    parcel = served.ask("GET", target, headers=served.signed("GET", target))
    for reply in (chunk, parcel):
        assert (reply.status, reply.code) in ((400, "bad-digest"), (404, "no-such-resource"))
    assert served.admin("GET", f"/content/v1/chunks/{'ab' * 32}").status == 404


def test_a_claim_that_proves_nothing_does_not_wait_for_whoever_writes(served: Served) -> None:
    """It may come from anybody: a flood of them must not hold up the work."""
    media = {"Content-Type": "application/vnd.haulage.signed+json"}
    with served.service.core.database.writing():
        for body in (b"", b"{}", b"x" * 100_000, b'{"payload":"","payloadType":"","signatures":[]}'):
            reply = served.ask("POST", "/hop/v1/claim", headers=media, body=body)
            assert 400 <= reply.status < 500, reply.body


def test_strangers_cannot_fill_the_status_journal_with_refused_joins(served: Served) -> None:
    core, media = served.service.core, {"Content-Type": "application/vnd.haulage.signed+json"}
    join = encode_join(new_join(url="https://127.0.0.1:1", site=SiteCode("XY9"), parent=SiteCode("HQ1"), root_sha256="ab" * 32))
    csr = make_csr(make_tls_key(), code=SiteCode("XY9"), url="https://127.0.0.1:9")
    document = make_claim(parse_join(join), SigningKey.generate(), csr_pem=csr, url="https://127.0.0.1:9")

    def told() -> int:
        with core.database.reading() as tx:
            found = core.journal.find(tx, StatusFilter(numbers=(on_sites.JOIN_REFUSED.number,)), limit=5000)
        return len(found)

    before = told()
    for _ in range(60):
        assert 400 <= served.ask("POST", "/hop/v1/claim", headers=media, body=document).status < 500
    assert 1 <= told() - before <= 20


def test_a_budget_is_used_up_and_comes_again() -> None:
    budget = Budget(most=2, seconds=10)
    assert [budget.take(now) for now in (5, 6, 7, 14.9, 15, 16, 17)] == [True, True, False, False, True, True, False]
