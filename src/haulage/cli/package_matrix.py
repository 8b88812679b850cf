"""``haulage package matrix``: how each package stands at each site, for a spreadsheet or a script."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.ids import site_code
from haulage.cli import output
from haulage.cli.client import Query
from haulage.cli.options import PLAIN, How

_SHORT = {
    "failed": "FAIL",
    "stuck": "STUCK",
    "late": "late",
    "held": "held",
    "report": "?",
    "busy": "…",
    "leaving": "-",
    "present": "ok",
}


def add_to(app: App) -> None:
    """Make this verb of the noun."""
    app.command(matrix)


def matrix(
    *,
    search: Annotated[str | None, Parameter(help="Words in the ids or names of packages.")] = None,
    below: Annotated[str | None, Parameter(help="A site: it and everything below it.")] = None,
    show: Annotated[
        str | None,
        Parameter(help="Only packages and sites with something like this: problems, failed, stuck, late, held, report, busy."),
    ] = None,
    how: How = PLAIN,
) -> None:
    """How each package stands at each site: the worst of it there and at the site's points.

    haulage package matrix --show problems

    haulage package matrix --below CHI -o csv
    """
    query: Query = {"q": search, "below": None if below is None else site_code(below), "show": show}
    rows = how.client().rows("/matrix", query)
    if how.output in ("json", "jsonl"):
        output.print_rows(rows, how.output, ())
        return
    listed = list(rows)
    codes = list(dict.fromkeys(code for row in listed for code in row["sites"]))
    flat = [
        {name: row[name] for name in ("id", "name", "version")} | {code: row["sites"].get(code) for code in codes} for row in listed
    ]
    columns = [output.field("id"), output.field("name"), *((code, _cell(code)) for code in codes)]
    output.print_rows(flat, how.output, columns, empty="No package is like that.")


def _cell(code: str) -> output.Cell:
    return lambda row: _SHORT.get(str(row[code]), str(row[code] or ""))
