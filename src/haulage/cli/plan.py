"""``haulage plan``: what bringing the newest version of a package to places would take, before it is done."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from haulage.base.ids import package_id, place_or_group
from haulage.cli import output
from haulage.cli.client import Row, path
from haulage.cli.options import PLAIN, How, Places

Files = Annotated[bool, Parameter(negative=(), show_default=False, help="Account for each changed file; reads what changed.")]

_COLUMNS = (
    output.field("place"),
    output.field("present"),
    output.size_field("bytes_reused", "reused"),
    output.size_field("bytes_new", "new"),
    ("wire", lambda row: _about(row) + output.size_text(row["bytes_wire"])),
    ("from", lambda row: output.text_of(row["bases"])),
    output.field("level"),
    ("line", lambda row: f"{output.size_text(row['rate'])}/s" if row["rate"] else "-"),
    ("time", lambda row: seconds_text(row["seconds"])),
    output.field("note"),
)
FILE_COLUMNS = (
    output.field("path"),
    output.field("stream"),
    output.size_field("size"),
    output.size_field("bytes_reused", "reused"),
    output.size_field("bytes_new", "new"),
    output.field("base"),
    output.field("meaning", "why"),
)
_REASONS = (
    output.field("meaning", "why"),
    output.field("files"),
    output.size_field("size"),
    output.size_field("bytes_new", "new"),
)


def plan(package: str, /, *, to: Places, files: Files = False, how: How = PLAIN) -> None:
    """What it takes to bring the newest version to places: bytes held there already, new ones, on the line, and the time.

    haulage plan HQ100001 --to LA1 CHI/SHOP

    haulage plan HQ100001 --to LA1 --files
    """
    asked = {"to": ",".join(place_or_group(where) for where in to), **({"files": "true"} if files else {})}
    rows = how.client().get(path("packages", package_id(package), "plan"), asked)["items"]
    output.print_rows(rows, how.output, _COLUMNS)
    if how.output == "table":
        for row in rows:
            if files:
                print_files(row)
            if row["level_why"]:
                output.say(f"{row['place']}: {row['level']}. {row['level_why']}")


def print_files(row: Row) -> None:
    """The files of a plan, and how many there are of each reason, for people."""
    if row["reasons"]:
        output.print_line("")
        output.print_rows(row["reasons"], "table", _REASONS)
        output.print_line("")
        output.print_rows(row["files"], "table", FILE_COLUMNS)


def _about(row: Row) -> str:
    return "~" if row["wire"] == "estimated" else ""


def seconds_text(seconds: float | None) -> str:
    """A duration for people."""
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
