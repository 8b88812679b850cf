"""A fake server, and commands run in this process against it."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from haulage.cli.main import main
from tests.cli.fake_api import Ask, FakeApi, fake_api


@pytest.fixture
def api(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A running fake server; HAULAGE_HOME points to its home."""
    with fake_api(tmp_path) as running:
        for name in ("HAULAGE_URL", "HAULAGE_TOKEN", "HAULAGE_CA"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HAULAGE_HOME", running.home)
        yield running


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command; returns (exit code, stdout, stderr)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run
