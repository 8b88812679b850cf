"""A bundle run as its users run it: by the oldest Python there is here, alone, with no site packages."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from haulage.engine.servicing import command
from haulage.engine.servicing.exits import SENTENCES, Exit
from tests.engine.bundles.making import AFTER, BEFORE, TRUSTED, make_bundle, write_keys, write_tree


def oldest_python() -> str:
    """The oldest Python on this machine that bundles promise to run on; at worst the one that runs the tests."""
    for minor in range(9, sys.version_info.minor):
        for found in (shutil.which(f"python3.{minor}"), *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")):
            if found and subprocess.run([found, "-c", "import lzma"], capture_output=True, check=False).returncode == 0:
                return str(found)
    return sys.executable


PYTHON = oldest_python()


class Desk:
    """A product, a bundle and a person."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bundle = make_bundle(folder).path
        self.root = write_tree(folder / "root", BEFORE)
        self.keys = write_keys(folder / "keys.json")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [PYTHON, "-I", "-S", self.bundle, *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=self.folder, timeout=60
        )

    def files(self) -> dict[str, str]:
        top = Path(self.root)
        return {
            str(path.relative_to(top)): path.read_text()
            for path in top.rglob("*")
            if path.is_file() and path.suffix != ".json" and "Logs" not in path.parts and ".servicing" not in path.parts
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_it_checks_installs_and_takes_away(desk: Desk) -> None:
    given = ("--root", desk.root, "--trust", desk.keys)
    assert desk.run("--check", *given).returncode == Exit.DONE
    assert desk.files() == BEFORE
    assert desk.run("/s", *given).returncode == Exit.DONE
    assert desk.files() == AFTER
    assert desk.run("--check", *given).returncode == Exit.INSTALLED
    again = desk.run("--json", *given)
    assert {each["decision"] for each in json.loads(again.stdout)["files"]} == {"already-current"}
    assert desk.run("--uninstall", "--quiet", "--root", desk.root).returncode == Exit.DONE
    assert desk.files() == BEFORE
    assert desk.run("--uninstall", "--quiet", "--root", desk.root).returncode == Exit.NOT_INSTALLED.posix


def test_b90_without_a_trusted_key_nothing_happens(desk: Desk) -> None:
    refused = desk.run("--quiet", "--root", desk.root)
    assert refused.returncode == Exit.NOT_TRUSTED.posix
    assert TRUSTED.fingerprint[:16] in refused.stderr
    assert "1625" in refused.stderr
    assert not (Path(desk.root) / ".servicing").exists()
    assert desk.run("--quiet", "--root", desk.root, "--trust", TRUSTED.fingerprint).returncode == Exit.DONE


def test_q287990_a_damaged_bundle_extracts_nothing(desk: Desk) -> None:
    data = bytearray(Path(desk.bundle).read_bytes())
    data[data.index(b"\xfd7zXZ") + 40] ^= 1
    Path(desk.bundle).write_bytes(data)
    for words in (("--extract", "out"), ("--quiet", "--root", desk.root, "--trust", desk.keys)):
        assert desk.run(*words).returncode == Exit.DAMAGED.posix
    assert not (desk.folder / "out").exists()
    assert desk.files() == BEFORE


def test_the_manual_way_and_what_it_needs(desk: Desk) -> None:
    printed = desk.run("--manual", "--root", desk.root).stdout
    assert "bin/press.py" in printed
    assert f"{desk.root}/gone" in printed
    manual = json.loads(desk.run("--manual", "--root", desk.root, "--json").stdout)["manual"]
    assert any(f"{desk.root}/gone" in line for line in manual)
    assert desk.run("--extract", "out").returncode == Exit.DONE
    assert (desk.folder / "out" / "files" / "bin" / "press.py").read_text() == AFTER["bin/press.py"]


def test_nobody_to_answer_is_said_and_not_waited_for(desk: Desk) -> None:
    assert desk.run("--root", desk.root).returncode == Exit.USAGE
    assert desk.run("--colour").returncode == Exit.USAGE
    assert "--uninstall and --extract" in desk.run("--check", "--uninstall", "--extract", "out").stderr
    assert desk.run("--help").returncode == 0


def test_a_bundle_that_is_not_there_is_no_failed_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--uninstall", "--yes", "--root", str(tmp_path)], str(tmp_path / "Q1")) is Exit.USAGE
    assert f"{tmp_path / 'Q1'} cannot be read" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(("last", "code", "files"), [("i", Exit.DONE, AFTER), ("q", Exit.CANCELLED, BEFORE)])
def test_the_wizard_on_a_dumb_terminal(desk: Desk, last: str, code: Exit, files: dict[str, str]) -> None:
    answers = [desk.root, TRUSTED.fingerprint[:8], "d", "m", last]
    shown, ended = at_terminal([PYTHON, "-I", "-S", desk.bundle], answers)
    assert ended == code.posix, shown
    assert desk.files() == files
    assert "Compressing stops with error 998" in shown
    assert "\x1b" not in shown
    if code is Exit.DONE:
        assert desk.run("--quiet", "--root", desk.root).returncode == Exit.DONE  # the key is remembered


def at_terminal(command: list[str], answers: list[str]) -> tuple[str, int]:
    """What a dumb terminal shows while somebody types, and the exit code."""
    near, far = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "60"}
    process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=environment, cwd="/")
    os.close(far)
    os.write(near, "".join(f"{each}\n" for each in answers).encode())
    shown = b""
    while True:
        try:
            piece = os.read(near, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(near)
    return shown.decode(errors="replace"), process.wait(timeout=60)


def test_every_exit_is_told_apart_by_its_low_byte() -> None:
    assert len({each.posix for each in Exit}) == len(Exit)
    assert [each for each in Exit if each and not each.posix] == []
    assert set(SENTENCES) == set(Exit)
    page = (Path(__file__).parents[3] / "docs" / "fix-bundles.md").read_text()
    assert [each for each in Exit if f"| {int(each)} | {each.posix} | {each.word} | {each.sentence} |" not in page] == []
