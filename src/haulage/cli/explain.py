"""``haulage explain``: why a package is where it is, what happens next, and when."""

from __future__ import annotations

from haulage.base.ids import package_id, place
from haulage.cli import output
from haulage.cli.client import path
from haulage.cli.kb import likely_lines
from haulage.cli.options import PLAIN, At, How
from haulage.cli.plan import Files, print_files

_COLUMNS = (
    output.field("package"),
    output.field("place"),
    output.field("wanted"),
    output.field("present"),
    output.field("state"),
    output.field("meaning"),
    output.field("cause"),
    output.field("tries"),
    output.field("next"),
    output.time_field("when"),
    output.size_field("bytes_total", "bytes in all"),
    output.size_field("bytes_reused"),
    output.size_field("bytes_new"),
    output.size_field("bytes_wire", "bytes on the wire"),
    output.field("bases", "made from"),
    output.field("level"),
    output.field("why"),
)


def explain(package: str, /, *, at: At, files: Files = False, how: How = PLAIN) -> None:
    """Why a package is where it is: the cause, the next action and when; bytes reused and new, and why they are so many.

    haulage explain HQ100001 --at LA1/SHOP

    haulage explain HQ100001 --at LA1 --files
    """
    asked = {"at": place(at), **({"files": "true"} if files else {})}
    found = how.client().get(path("packages", package_id(package), "explain"), asked)
    output.print_object(found, how.output, _COLUMNS)
    if how.output == "table":
        for line in likely_lines(found.get("articles", [])):
            output.print_line(f"see: {line}")
    if files and how.output == "table":
        print_files(found)
