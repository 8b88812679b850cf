"""What keeps a server from starting is said before anything runs: key and certificate, the store's folder, the address."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import HaulageError
from haulage.engine.trust.certificates import make_tls_key
from haulage.server.bells import Bells
from haulage.server.listener import Address
from haulage.wiring.founding import init_central
from haulage.wiring.home import Home, load_home
from haulage.wiring.serving import assemble, serve
from haulage.wiring.site import open_site


class Later(SystemClock):
    """A clock that is wrong."""

    def __init__(self, days: int) -> None:
        self._ahead = dt.timedelta(days=days)

    def now(self) -> dt.datetime:
        return super().now() + self._ahead


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    return init_central(str(tmp_path_factory.mktemp("made") / "hq"), code="HQ1", listen="127.0.0.1:0").path


@pytest.fixture
def home(made: str, tmp_path: Path) -> Home:
    shutil.copytree(made, tmp_path / "hq")
    return load_home(str(tmp_path / "hq"))


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A server that starts takes over the log of its process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for one in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(one)
        one.close()
    root.setLevel(level)


def _files(home: Home, clock: Clock) -> Address:
    opened = open_site(home, clock)
    try:
        return assemble(home, opened, clock, Bells()).listen()
    finally:
        opened.close()


def _refused(home: Home) -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        serve(home.path)
    assert caught.value.hint
    assert not os.path.exists(home.file("run", "server.json"))
    return caught.value


def _set(home: Home, section: str, line: str) -> None:
    path = Path(home.file("haulage.toml"))
    text = path.read_text()
    name = line.partition(" ")[0]
    kept = [one for one in text.splitlines() if one.partition(" ")[0] != name]
    if f"[{section}]" not in kept:
        kept.append(f"[{section}]")
    kept.insert(kept.index(f"[{section}]") + 1, line)
    path.write_text("\n".join(kept) + "\n")


def test_b107_a_key_that_is_not_the_certificates(home: Home) -> None:
    Path(home.keys.path("tls")).write_bytes(make_tls_key())
    assert _refused(home).code == "certificate-key-mismatch"


def test_b107_a_key_that_is_none(home: Home) -> None:
    Path(home.keys.path("tls")).write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert _refused(home).code == "bad-key"


@pytest.mark.parametrize(("days", "code"), [(2000, "certificate-expired"), (-2000, "certificate-not-yet-valid")])
def test_b107_a_certificate_out_of_its_time(home: Home, days: int, code: str) -> None:
    with pytest.raises(HaulageError) as caught:
        _files(home, Later(days))
    assert caught.value.code == code


def test_b107_a_port_another_program_holds(home: Home) -> None:
    for other in (False, True):
        with socket.socket() as taken:
            if other:
                # It would share the port with us; we do not with it.
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            _set(home, "site", f'listen = "{address}"')
            error = _refused(home)
        assert error.code == "port-taken"
        assert address in error.message


@pytest.mark.parametrize("listen", ["203.0.113.7:8440", "no-such-host.invalid:8440", "[2001:db8::7]:8440"])
def test_b107_an_address_this_machine_has_not(home: Home, listen: str) -> None:
    _set(home, "site", f'listen = "{listen}"')
    error = _refused(home)
    assert error.code == "cannot-listen"
    assert listen.rpartition(":")[0].strip("[]") in error.message


@pytest.mark.parametrize("name", ["site.pem", "tls.pem", "admin.token"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_b105_no_start_with_a_secret_that_others_may_read(home: Home, name: str, mode: int) -> None:
    os.chmod(home.file("keys", name), mode) if name != "admin.token" else _token(home, mode)
    error = _refused(home)
    assert error.code == "key-exposed"
    assert name in error.message


def _token(home: Home, mode: int) -> None:
    path = Path(home.token_path)
    path.write_text("haulage_" + "A" * 43 + "\n")
    path.chmod(mode)


def test_b106_no_store_at_the_root_or_by_a_link(home: Home, tmp_path: Path) -> None:
    for path in ("/", "//", "/.", "/tmp/.."):
        _set(home, "content", f'path = "{path}"')
        assert _refused(home).code in ("bad-settings", "bad-store")
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "store")
    _set(home, "content", f'path = "{tmp_path}/link"')
    assert _refused(home).code == "bad-store"
    assert os.listdir(tmp_path / "store") == []


def test_b104_settings_that_are_no_file_are_not_waited_for(home: Home) -> None:
    path = home.file("haulage.toml")
    os.unlink(path)
    os.mkfifo(path)
    assert _refused(home).code == "no-home"


def test_b109_b103_a_start_names_file_and_line(home: Home) -> None:
    path = Path(home.file("haulage.toml"))
    before = path.read_text()
    path.write_text("a: &a [lol]\nb: &b [*a, *a]\n")
    error = _refused(home)
    assert error.code == "bad-settings"
    assert f"{path}, line 1," in error.message
    path.write_text(before + "\n[retry]\ntrys = 1\n")
    assert f"line {before.count(chr(10)) + 3}," in _refused(home).message
