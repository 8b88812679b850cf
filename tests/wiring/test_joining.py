"""Joining against a parent in this process: what a kill on the way leaves, and whom a join string lets in."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import ConflictError, HaulageError
from haulage.base.files import watching_steps
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.engine.protocol import lines
from haulage.engine.protocol.problems import decode_problem, error_of
from haulage.operations.sites import invite_site
from haulage.wiring import joining
from haulage.wiring.founding import init_central
from haulage.wiring.home import UNFINISHED, load_home
from haulage.wiring.site import open_site
from tests.server.asgi import Served

MEDIA = {"Content-Type": "application/vnd.haulage.signed+json"}


class _Kill(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(init_central(str(tmp_path_factory.mktemp("parent") / "hq"), code="HQ1", listen="127.0.0.1:0"))
    yield served
    served.close()


@pytest.fixture
def line(parent: Served, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The way to the parent without a network; holds the claims that went over it."""
    claims: list[bytes] = []

    def send_claim(_url: str, claim: bytes, **_more: object) -> list[bytes]:
        claims.append(claim)
        reply = parent.ask("POST", "/hop/v1/claim", headers=MEDIA, body=claim)
        if reply.status != 200:
            raise error_of(decode_problem(reply.body), reply.status, "HQ1")
        return lines.split_lines(reply.body)

    monkeypatch.setattr(joining, "fetch_root", lambda *_args, **_more: parent.service.root_document)
    monkeypatch.setattr(joining, "send_claim", send_claim)
    return claims


def _invite(parent: Served, code: str) -> str:
    return invite_site(parent.service.desk, "test", SiteCode(code)).join


def _killed_at(at: int, act: Callable[[], object]) -> int:
    """Run it, killed at that durable step; how many steps there were."""
    count = 0

    def watch(_name: str) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise _Kill

    with watching_steps(watch):
        try:
            act()
        except _Kill:
            pass
    return count


def test_a_join_killed_anywhere_goes_on_with_the_same_keys(parent: Served, line: list[bytes], tmp_path: Path) -> None:
    whole = _invite(parent, "K00")
    total = _killed_at(0, lambda: joining.join(str(tmp_path / "whole"), whole, listen="127.0.0.1:0"))
    for number, at in enumerate(range(2, total + 1, max(1, total // 7)), 1):
        code, path = f"K{number:02}", str(tmp_path / f"at-{at}")
        string = _invite(parent, code)
        line.clear()
        _killed_at(at, functools.partial(joining.join, path, string, listen="127.0.0.1:0"))
        if os.path.exists(os.path.join(path, UNFINISHED)):
            with pytest.raises(ConflictError):
                load_home(path)
        if not os.path.exists(os.path.join(path, "haulage.toml")) or os.path.exists(os.path.join(path, UNFINISHED)):
            joining.join(path, string, listen="127.0.0.1:0")
        assert len(set(line)) == 1, "another claim for the same string would be refused"
        opened = open_site(load_home(path), SystemClock())
        with opened.core.database.reading() as tx, parent.opened.core.database.reading() as above:
            identity, known = estate.read_identity(tx), estate.find_site(above, SiteCode(code))
        assert identity is not None
        assert known is not None
        assert (identity.code, known.key) == (code, opened.site_key.public.text)
        opened.close()


def test_a_used_join_string_lets_nobody_else_in(parent: Served, line: list[bytes], tmp_path: Path) -> None:
    string = _invite(parent, "USD")
    joining.join(str(tmp_path / "first"), string, listen="127.0.0.1:0")
    with pytest.raises(HaulageError) as caught:
        joining.join(str(tmp_path / "thief"), string, listen="127.0.0.1:0")
    assert caught.value.code in ("join-string-used", "site-exists")
    with parent.opened.core.database.reading() as tx:
        known = estate.find_site(tx, SiteCode("USD"))
    assert known is not None
    assert known.key == load_home(str(tmp_path / "first")).keys.load("site").public.text
    assert parent.ask("POST", "/hop/v1/claim", headers=MEDIA, body=line[0]).status == 200, "the same claim again is harmless"


def test_i19_no_secret_of_a_join_lies_outside_the_key_folder(parent: Served, line: list[bytes], tmp_path: Path) -> None:
    string = _invite(parent, "SEC")
    home = joining.join(str(tmp_path / "home"), string, listen="127.0.0.1:0")
    assert line
    secrets = [
        string.encode(),
        *(_body(path) for path in _files(home.file("keys"))),
        *(_body(path) for path in _files(parent.opened.home.file("keys"))),
    ]
    for folder in (home.path, parent.opened.home.path):
        for path in _files(folder):
            if f"{os.sep}keys{os.sep}" not in path:
                data = Path(path).read_bytes()
                assert not any(secret in data for secret in secrets), path


def _body(path: str) -> bytes:
    """What is secret in a key file: the line after the first of a PEM, or the token."""
    rows = Path(path).read_bytes().split(b"\n")
    return rows[1] if rows[0].startswith(b"-----") else rows[0]


def _files(folder: str) -> list[str]:
    return [os.path.join(above, name) for above, _folders, names in os.walk(folder) for name in names]
