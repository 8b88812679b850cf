"""``haulage explain``: why a package is where it is, what happens next, and when."""

from __future__ import annotations

from haulage.base.ids import package_id, place
from haulage.cli import output
from haulage.cli.client import path
from haulage.cli.options import PLAIN, At, How

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
)


def explain(package: str, /, *, at: At, how: How = PLAIN) -> None:
    """Why a package is where it is: the cause, the next action and when; bytes reused and new.

    haulage explain HQ100001 --at LA1/SHOP
    """
    found = how.client().get(path("packages", package_id(package), "explain"), {"at": place(at)})
    output.print_object(found, how.output, _COLUMNS)
