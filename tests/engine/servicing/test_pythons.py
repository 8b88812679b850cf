"""The room runs on every CPython from 3.9 that this machine has, alone: no site packages, no environment, nothing else of ours."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import haulage.engine.servicing
from haulage.engine.servicing import document
from haulage.testing.crash_points.press import NEW
from tests.engine.servicing.around import PLAIN, Press

SOURCE = Path(haulage.engine.servicing.__file__).parent

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from haulage.engine.servicing import apply, document, uninstall
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.clock import MachineClock
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.places import opened_root
from haulage.engine.servicing.switch import Given
places, log, machine = opened_root(sys.argv[2]), Log(MachineClock()), Machine(actor="test")
fix = document.from_bytes(open(sys.argv[3], "rb").read())
source = Given([open(path, "rb").read() for path in sys.argv[4:]])
print(apply.check(places, fix, "a" * 64, source, machine, log, apply.Options()).detected.state.value)
print(apply.install(places, fix, "a" * 64, source, machine, log, apply.Options()).act.value)
print(apply.install(places, fix, "a" * 64, source, machine, log, apply.Options()).act)
print(uninstall.uninstall(places, fix.id, machine, log, apply.Options()).act.value)
print(sorted(name for name in sys.modules if "haulage" in name and "servicing" not in name))
"""


def _pythons() -> list[str]:
    """The newest of each minor version from 3.9 on."""
    found = {}
    beside = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3"))
    on_path = [shutil.which(f"python3.{minor}") for minor in range(9, 20)]
    for path in [*beside, *on_path, shutil.which("python3")]:
        if path is None:
            continue
        said = subprocess.run([path, "-I", "-V"], capture_output=True, text=True, check=False).stdout
        match = re.match(r"Python 3\.([0-9]+)", said)
        if match and int(match[1]) >= 9:
            found[int(match[1])] = path
    return [found[minor] for minor in sorted(found)]


@pytest.mark.parametrize("python", _pythons())
def test_a_fix_is_installed_and_taken_away_by_python(python: str, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(SOURCE, alone / "haulage" / "engine" / "servicing", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("haulage", "haulage/engine"):
        (alone / folder / "__init__.py").write_text('""""""')
    press = Press(tmp_path)
    (tmp_path / "fix.json").write_bytes(document.to_bytes(PLAIN))
    before = press.everything()
    for number, data in enumerate(NEW.values()):
        (tmp_path / f"content-{number}").write_bytes(data)
    contents = [str(tmp_path / f"content-{number}") for number in range(len(NEW))]
    command = [python, "-I", "-S", "-B", "-c", PROGRAM, str(alone), str(press.root), str(tmp_path / "fix.json"), *contents]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["applicable", "installed", "None", "uninstalled", "['haulage', 'haulage.engine']"]
    left = press.everything()
    assert left.pop(".servicing/record.json")
    assert left == before
