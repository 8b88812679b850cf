"""The unit is one that systemd takes, restricts the server, and names what it may write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from haulage.base.errors import UsageError
from haulage.cli.main import main
from haulage.cli.systemd_unit import unit_text
from haulage.testing.lab.site import program
from tests import peers


def _lines(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, _equals, value in pairs}


@pytest.mark.parametrize("home", ["/srv/haulage", "/srv/a home 100%"])
def test_systemd_takes_the_unit(tmp_path: Path, home: str) -> None:
    peers.need("systemd")
    path = tmp_path / "haulage.service"
    path.write_text(unit_text(home=home, user="root", writable=("/srv/points",), program=program()))
    done = subprocess.run(
        [str(peers.program("systemd-analyze")), "verify", "--man=no", "--recursive-errors=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "haulage.service:" not in done.stderr


def test_systemd_takes_no_unit_with_a_mistake(tmp_path: Path) -> None:
    """So that the test above can fail."""
    peers.need("systemd")
    path = tmp_path / "haulage.service"
    good = unit_text(home="/srv/haulage", user="root", writable=(), program=program())
    path.write_text(good.replace("ProtectSystem=strict", "ProtectSystems=strict"))
    command = [str(peers.program("systemd-analyze")), "verify", "--man=no", "--recursive-errors=no", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "haulage.service:" in done.stderr


def test_only_the_home_and_the_points_named_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "unit", "--home", "/srv/h", "--writable", "/srv/p", "--writable", "/mnt/a b"]) == 0
    lines = _lines(capsys.readouterr().out)
    assert lines["ProtectSystem"] == "strict"
    assert lines["ReadWritePaths"] == '/srv/h /srv/p "/mnt/a b"'
    assert lines["ExecStart"].endswith(" serve --home /srv/h")
    assert (lines["Type"], lines["User"], lines["NoNewPrivileges"]) == ("notify", "haulage", "yes")


@pytest.mark.parametrize("home", ["srv/haulage", "/srv/$HOME", "/srv/a\nExecStartPre=/bin/sh", '/srv/"', "/srv/\\"])
def test_a_path_that_would_be_read_as_something_else_is_refused(home: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a unit"):
        unit_text(home=home, user="haulage", writable=(), program="/usr/bin/haulage")


@pytest.mark.parametrize("user", ["", "a b", "root\nGroup=disk", "-x"])
def test_a_user_that_is_no_name_is_refused(user: str) -> None:
    with pytest.raises(UsageError, match="no name of a user"):
        unit_text(home="/srv/h", user=user, writable=(), program="/usr/bin/haulage")
