"""The shells complete what the command line takes: bash is driven, as with the Tab key; all of it stands in the other scripts."""

from __future__ import annotations

import functools
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from cyclopts import App

from haulage.cli.main import main, make_app
from tests import peers


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def script(request: pytest.FixtureRequest) -> tuple[str, str]:
    return str(request.param), _script(str(request.param))


@functools.cache
def _script(shell: str) -> str:
    return make_app().generate_completion(prog_name="haulage", shell=shell)  # type: ignore[arg-type]


def _offered(line: str) -> set[str]:
    """What bash offers after a line; a blank at its end begins a new word."""
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    ask = f"""
        {_script("bash")}
        COMP_WORDS=({" ".join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; COMP_LINE={shlex.quote(line)}
        COMP_POINT=${{#COMP_LINE}}
        _haulage; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    # By standard input: all of it is longer than one argument may be.
    done = subprocess.run(["bash", "--norc"], input=ask, capture_output=True, text=True, timeout=60, check=True)
    return {one.strip() for one in done.stdout.splitlines() if one.strip()}


def _commands(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    for name in app:
        if not name.startswith("-"):
            yield (*path, name), app[name]
            yield from _commands(app[name], (*path, name))


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("haulage pack", {"package"}),
        ("haulage package pub", {"publish"}),
        ("haulage package publish --wa", {"--wait"}),
        ("haulage status list --output js", {"json", "jsonl"}),
        ("haulage completion ", {"bash", "zsh", "fish"}),
        ("haulage server ", {"unit"}),
        ("haulage nothing-of-this-name-x", set()),
    ],
)
def test_bash_offers(line: str, offered: set[str]) -> None:
    peers.need("bash")
    found = _offered(line)
    assert found >= offered
    assert not offered or all(one in offered or one.startswith("-") for one in found), found


def test_bash_offers_every_command_at_the_beginning() -> None:
    peers.need("bash")
    assert _offered("haulage ") >= {path[0] for path, _app in _commands(make_app()) if len(path) == 1}


def test_every_command_stands_in_every_script(script: tuple[str, str]) -> None:
    _shell, text = script
    missing = [path for path, _app in _commands(make_app()) if path[-1] not in text]
    assert missing == []


def test_a_shell_that_is_here_reads_its_script(script: tuple[str, str]) -> None:
    shell, text = script
    peers.need(shell)
    done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    assert capsys.readouterr().out.strip() == _script("bash").strip()
    assert main(["completion", "tcsh"]) == 2
