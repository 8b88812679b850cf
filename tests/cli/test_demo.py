"""The real demo: three real servers, nine acts, nothing left behind."""

from __future__ import annotations

import fcntl
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from haulage.testing import demo_payload

RUN = [sys.executable, "-c", "from haulage.cli.main import run; run()", "demo"]
_LONGEST_SECONDS = 570
"""Only against hanging for ever; how fast it is, is measured elsewhere."""


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One demo at a time, whichever workers run these tests: each starts three servers."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with open(shared / "demo.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def environment(folder: pathlib.Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder)}


@pytest.mark.usefixtures("alone")
def test_q316316_q319207_q323206_the_demo_holds_from_the_first_act_to_the_last(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(RUN, capture_output=True, text=True, env=environment(tmp_path), timeout=_LONGEST_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    titles = ("It arrives", "A plain copy", "Version 2", "A killed server", "A broken point")
    for act, title in enumerate((*titles, "A known defect", "A rollup", "It is run", "And taken away"), 1):
        assert any(line.startswith(f"{act}  {title} (") for line in lines), title
    assert "0 of 2 streams" in done.stdout
    assert "0 jobs towards children" in done.stdout
    assert "Q316316 first of" in done.stdout
    assert "3 of 3 files as before" in done.stdout
    assert lines[-4] == "Next:"
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("alone")
def test_ctrl_c_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    process = subprocess.Popen(
        RUN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        start_new_session=True,
        # Whoever runs these tests in the background may have it ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=_LONGEST_SECONDS)
    assert process.returncode == 130, err
    assert os.listdir(tmp_path) == []


def test_the_payload_has_what_a_plain_copy_loses(tmp_path: pathlib.Path) -> None:
    source, copy = str(tmp_path / "source"), str(tmp_path / "copy")
    demo_payload.make_source(source)
    riches = demo_payload.riches(source)
    assert (riches.streams, riches.attributes) == (2, 2)
    assert riches.stream_bytes > 2 * 1024 * 1024
    demo_payload.plain_copy(source, copy)
    assert demo_payload.riches(copy).streams == 0
    assert demo_payload.small_update(source) == 8
