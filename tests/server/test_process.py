"""Real server processes: what start, kill and stop leave, and a site that joins while the one above its parent is away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.errors import HaulageError
from haulage.cli.client import Client
from haulage.cli.exits import Exit
from haulage.cli.locate import Target
from haulage.testing.lab.lab import Lab
from haulage.testing.lab.site import program

STOP_SECONDS = 10.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("process")) as lab:
        lab.central()
        lab.site("CHI", parent="HQ1")
        yield lab


def _numbers(lab: Lab, code: str) -> list[int]:
    return [row["number"] for row in lab[code].api.get("/status", {"limit": 500, "newest": True})["items"]]


def _refused(home: str, expect: Exit = Exit.CONFLICT) -> str:
    done = subprocess.run([program(), "serve", "--home", home], capture_output=True, timeout=60, check=False)
    assert done.returncode == expect
    return done.stderr.decode()


def test_what_is_no_home_is_not_served(tmp_path: Path) -> None:
    assert "is not the home of a site" in _refused(str(tmp_path), Exit.NOT_FOUND)
    assert os.listdir(tmp_path) == []


def test_i19_a_served_home_shows_no_secret_and_no_chatter_of_libraries(lab: Lab) -> None:
    home = lab["HQ1"].home
    with pytest.raises(HaulageError):
        Client(Target(url=lab["HQ1"].api.target.url, token="haulage_" + "A" * 43, pin=lab["HQ1"].api.target.pin)).get("/site")
    keys = [path.read_bytes().split(b"\n") for path in Path(home, "keys").iterdir()]
    secrets = [rows[1] if rows[0].startswith(b"-----") else rows[0] for rows in keys]
    for path in Path(home).rglob("*"):
        if path.is_file() and path.parent.name != "keys":
            data = path.read_bytes()
            assert not any(secret in data for secret in secrets), path
    assert "alembic" not in Path(home, "logs", "haulage.log").read_text()
    for name in ("keys", "content", "logs"):
        assert os.stat(os.path.join(home, name)).st_mode & 0o077 == 0, name


def test_a_second_server_of_one_home_is_refused(lab: Lab) -> None:
    assert "is using the home" in _refused(lab["HQ1"].home)
    assert lab["HQ1"].api.get("/site")["code"] == "HQ1"


def test_b107_a_port_that_is_taken_is_said_at_start(lab: Lab, tmp_path: Path) -> None:
    address = lab["HQ1"].api.target.url.removeprefix("https://")
    home = str(tmp_path / "twin")
    subprocess.run(
        [program(), "init", "--home", home, "--site", "TW1", "--listen", address], check=True, capture_output=True, timeout=60
    )
    assert "listens at" in _refused(home)
    assert not os.path.exists(os.path.join(home, "run", "server.json"))


def test_a_lost_token_is_written_anew(lab: Lab) -> None:
    lab.stop("CHI")
    path = Path(lab["CHI"].home, "keys", "admin.token")
    before = path.read_text()
    path.unlink()
    lab.start("CHI")
    assert path.read_text() != before
    assert path.stat().st_mode & 0o777 == 0o600
    assert lab["CHI"].api.get("/site")["code"] == "CHI"


def test_after_a_kill_it_starts_again_and_says_so(lab: Lab) -> None:
    lab.kill("HQ1")
    assert os.path.exists(os.path.join(lab["HQ1"].home, "run", "server.json"))
    lab.start("HQ1")
    assert 502 in _numbers(lab, "HQ1")


def test_q317893_an_orderly_stop_is_quick_and_leaves_nothing_to_recover(lab: Lab) -> None:
    before = _numbers(lab, "CHI").count(502)
    assert lab.stop("CHI") < STOP_SECONDS
    assert not os.path.exists(os.path.join(lab["CHI"].home, "run", "server.json"))
    logs = os.path.join(lab["CHI"].home, "logs")
    told = "".join(Path(logs, name).read_text() for name in os.listdir(logs))
    assert "did not end in time" not in told, "every thread hears of the end"
    lab.start("CHI")
    numbers = _numbers(lab, "CHI")
    assert numbers.count(502) == before
    assert 501 in numbers


def test_a_site_joins_and_works_while_the_central_site_is_away(lab: Lab) -> None:
    join = lab.quick("HQ1", "invite", "site", "LA1", "--parent", "CHI")["join"]
    home = lab.path("LA1")

    def joined() -> bool:
        arguments = [program(), "join", "--home", home, "--listen", "127.0.0.1:0", join]
        return subprocess.run(arguments, capture_output=True, timeout=60, check=False).returncode == 0

    lab.until(lambda: any(row["code"] == "LA1" for row in lab["CHI"].api.rows("/sites")), "CHI knows of LA1")
    lab.stop("HQ1")
    lab.until(joined, "LA1 joins below CHI")
    site = lab._new("LA1", None)
    site.start()
    assert not site.certified
    assert site.api.get("/site")["state"] == "joining"
    assert "not-signed-yet" in {row["code"] for row in site.api.get("/doctor")}
    lab.start("HQ1")
    lab.until(lambda: site.certified, "the signed certificate is shown")
    assert site.api.get("/site")["state"] == "active"
    assert lab.quick("HQ1", "site", "list")[-1]["code"] == "LA1"
