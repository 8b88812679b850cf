"""``haulage settings``: what a server runs with."""

from __future__ import annotations

from haulage.cli import output
from haulage.cli.options import PLAIN, How

_COLUMNS = (
    ("setting", lambda row: f"[{row['section']}] {row['name']}"),
    ("value", lambda row: "not shown" if row["value"] is None else str(row["value"])),
    ("default", lambda row: "yes" if row["is_default"] else str(row["default"])),
    ("from the next start on", lambda row: output.text_of(row["pending"])),
)


def settings(*, how: How = PLAIN) -> None:
    """What the server runs with, and what its file says by now where that is something else. Where anything lies is shown to
    administrators.

    haulage settings

    haulage settings -o json
    """
    output.print_rows(how.client().get("/settings"), how.output, _COLUMNS)
