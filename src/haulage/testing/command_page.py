"""docs/cli.md, made from the commands themselves."""

from __future__ import annotations

import io
from collections.abc import Iterator

from cyclopts import App
from rich.console import Console

from haulage.cli.exits import MEANING
from haulage.cli.main import make_app

_WIDTH = 110

_INTRODUCTION = """`haulage <noun> <verb>`. Data goes to stdout; progress and everything said to a person goes to stderr. Bars \
are drawn only on a terminal, and without colour if `NO_COLOR` is set. A list comes as a table, or with `-o json|jsonl|csv` for \
scripts: sizes in bytes, times in UTC, text of others escaped. With `-o json` an error is \
`{"error": {"code", "message", "hint"}}` on stderr.

A change prints the id of what it made or changed, with `-o json` the whole object. `--dry-run` says what would be done. What \
cannot be undone asks first; without a terminal it refuses unless `--yes` is given. `--wait` returns when the work is done, \
`--timeout` bounds the wait and never the work.

A command finds its server by `--home DIR`; else by `HAULAGE_URL` with `HAULAGE_TOKEN` (and `HAULAGE_CA`, the file of the \
hierarchy's CA certificate, unless the system's authorities know it); else by `HAULAGE_HOME`. A place is `CODE` (a site's store \
and its built-in HTTP point) or `CODE/POINT`. `init`, `join`, `serve`, `backup`, `restore`, `demo` and `doctor` work without a \
server."""


def commands() -> str:
    """The page's text."""
    parts = ["# Commands", _INTRODUCTION, "## Exit codes", _exit_codes(), "## All commands"]
    app = make_app()
    for words in _leaves(app, ()):
        parts.append(f"### haulage {' '.join(words)}\n\n```\n{_help(app, words)}\n```")
    return "\n\n".join(parts)


def _exit_codes() -> str:
    rows = [f"| {code.value} | {meaning} |" for code, meaning in MEANING.items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def _leaves(app: App, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every command that does something, in the order of the help."""
    for name in app:
        if name.startswith("-"):
            continue
        below = app[name]
        inner = list(_leaves(below, (*words, name)))
        if inner and below.default_command is not None and below.default_command != below.help_print:
            yield (*words, name)
        yield from inner or [(*words, name)]


def _help(app: App, words: tuple[str, ...]) -> str:
    output = io.StringIO()
    app.help_print(list(words), console=Console(file=output, width=_WIDTH, no_color=True, highlight=False))
    return "\n".join(line.rstrip() for line in output.getvalue().strip().splitlines())
