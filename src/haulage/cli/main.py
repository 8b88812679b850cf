"""``haulage``: puts the nouns together, runs one command, and turns whatever ends it into an exit code. Knows no noun's insides."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from cyclopts import App, CycloptsError

from haulage.base.errors import HaulageError, UsageError
from haulage.base.text import shown
from haulage.cli import (
    backup,
    declared,
    fix,
    group,
    kb,
    package,
    package_content,
    package_matrix,
    package_report,
    point,
    server,
    site,
    status,
    store,
    systemd_unit,
    token,
    transfer,
    user,
)
from haulage.cli.completion import completion_of
from haulage.cli.demo import demo
from haulage.cli.doctor import doctor
from haulage.cli.exits import Exit, exit_of
from haulage.cli.explain import explain
from haulage.cli.notify import app as notify
from haulage.cli.output import say, say_error
from haulage.cli.overview import overview
from haulage.cli.plan import plan
from haulage.cli.settings import settings
from haulage.cli.top import top

_HELP = """Carries software from one folder to every site, byte-exact.

haulage demo

haulage init --home /srv/haulage --site HQ1

haulage serve --home /srv/haulage

Every command tells more with --help. Data goes to stdout, everything said to a person to stderr. Exit codes: docs/cli.md.
"""


@functools.cache
def make_app() -> App:
    """All commands."""
    app = App(
        name="haulage", help=_HELP, version=lambda: version("haulage"), help_format="plaintext", help_formatter="plain", sort_key=0
    )
    package_content.add_to(package.app)
    package_matrix.add_to(package.app)
    package_report.add_to(package.app)
    commands: list[Any] = [
        server.init,
        site.invite,
        server.join,
        server.serve,
        server.upgrade,
        site.app,
        package.app,
        point.app,
        group.app,
    ]
    commands += [declared.diff, declared.apply, declared.app]
    commands += [status.app, plan, explain, kb.app, fix.app, store.app, backup.app, backup.restore, systemd_unit.app, doctor]
    commands += [settings, user.app, token.app]
    commands += [notify, top, overview]
    commands += [transfer.app, completion_of(make_app), demo]
    for command in commands:
        app.command(command)
    return app


def run() -> None:
    """The entry point of the command."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code."""
    try:
        _run_command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has what it wanted. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except HaulageError as error:
        say_error(error, wants_json(arguments))
        return exit_of(error)
    except KeyboardInterrupt as stop:
        say("haulage: stopped.")
        return exit_of(stop)
    except Exception as defect:
        if os.environ.get("HAULAGE_TRACEBACK"):
            raise
        say_error(_defect(defect), wants_json(arguments))
        return exit_of(defect)
    return Exit.OK


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors are wanted as JSON; looked up by hand because the arguments may be what is wrong."""
    for before, word in zip(["", *arguments], arguments, strict=False):
        if word in ("--output=json", "--output=jsonl", "-o=json", "-o=jsonl", "-ojson", "-ojsonl"):
            return True
        if before in ("-o", "--output") and word in ("json", "jsonl"):
            return True
    return False


def _run_command(arguments: Sequence[str]) -> None:
    app = make_app()
    try:
        app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise UsageError("usage", _sentence(str(error)), f"haulage {_command_words(app, arguments)}--help") from None


def _sentence(text: str) -> str:
    """The library's message on one line, at most some lines long."""
    return shown(" ".join(text.split()), limit=600)


def _command_words(app: App, arguments: Sequence[str]) -> str:
    words, _apps, _rest = app.parse_commands(list(arguments))
    return "".join(f"{word} " for word in words)


def _defect(defect: Exception) -> HaulageError:
    what = f"{type(defect).__name__}: {defect}"
    return HaulageError(
        "defect", f"Haulage stumbled: {shown(what, limit=500)}", "Please report it, with what HAULAGE_TRACEBACK=1 shows."
    )
