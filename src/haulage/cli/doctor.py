"""``haulage doctor``: everything that is wrong and what to do, also when no server runs."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator

from haulage.base.errors import HaulageError
from haulage.base.settings import load_settings
from haulage.cli import output
from haulage.cli.client import Row
from haulage.cli.options import PLAIN, How

_COLUMNS = (output.field("severity"), output.field("what"), output.field("hint"))
_SCARCE_BYTES = 1 << 30


def doctor(*, how: How = PLAIN) -> None:
    """Everything that is wrong, and what to do. Ends with 1 if anything is an error.

    haulage doctor --home /srv/haulage
    """
    try:
        rows = list(how.client().rows("/doctor"))
    except HaulageError as error:
        home = how.home or os.environ.get("HAULAGE_HOME")
        if home is None or error.code in ("no-home", "no-server-named"):
            raise
        rows = [_finding("error", error.message, error.hint), *_look_at_home(os.path.abspath(home))]
    output.print_rows(rows, how.output, _COLUMNS, empty="Nothing is wrong.")
    errors = [row for row in rows if row["severity"] == "error"]
    if errors:
        raise HaulageError("unhealthy", f"{len(errors)} of the findings above {'is' if len(errors) == 1 else 'are'} an error.", "")


def _look_at_home(home: str) -> Iterator[Row]:
    """What can be seen without the server."""
    try:
        settings = load_settings(os.path.join(home, "haulage.toml"))
        content = settings.content.path or os.path.join(home, "content")
    except HaulageError as error:
        yield _finding("error", error.message, error.hint)
        content = os.path.join(home, "content")
    keys = os.path.join(home, "keys")
    if not os.path.isdir(keys):
        yield _finding("error", f"{keys} is missing.", "Restore it from a backup; without its keys the site is nobody.")
    elif stat.S_IMODE(os.stat(keys).st_mode) & 0o077:
        yield _finding("error", f"Others may look into {keys}.", f"chmod 700 {keys}")
    free = shutil.disk_usage(content if os.path.isdir(content) else home).free
    if free < _SCARCE_BYTES:
        yield _finding("warning", f"Only {output.size_text(free)} are free for {content}.", "Free space, or move the store.")


def _finding(severity: str, what: str, hint: str) -> Row:
    return {"severity": severity, "what": what, "hint": hint}
