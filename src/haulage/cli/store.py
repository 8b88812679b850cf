"""``haulage store``: the content store of one site."""

from __future__ import annotations

from cyclopts import App

from haulage.base.errors import IntegrityError
from haulage.cli import output
from haulage.cli.client import Row
from haulage.cli.options import PLAIN, DryRun, How

app = App(
    name="store", help="The content store of a site.\n\nhaulage store stats\n\nhaulage store check\n\nhaulage store sweep --dry-run"
)


@app.command
def stats(*, how: How = PLAIN) -> None:
    """What the store holds.

    haulage store stats -o json
    """
    _print(how.client().get("/store/stats"), how)


@app.command
def check(*, how: How = PLAIN) -> None:
    """Read and verify every byte of the store; exit 7 if anything is damaged.

    haulage store check
    """
    found = how.client().post("/store/check")
    _print(found, how)
    damaged = found.get("damaged") or found.get("problems")
    if damaged:
        raise IntegrityError(
            "store-damaged",
            f"{damaged if isinstance(damaged, int) else len(damaged)} parts of the store are damaged.",
            "haulage package verify ID --at CODE --repair fetches what is damaged again.",
        )


@app.command
def sweep(*, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Remove content that nothing needs any more. What is referenced or in flight stays.

    haulage store sweep --dry-run
    """
    _print(how.client().post("/store/sweep", {"dry_run": dry_run}), how)


def _print(found: Row, how: How) -> None:
    output.print_object(found, how.output, [_column(name) for name in found])


def _column(name: str) -> output.Column:
    return output.size_field(name) if name.endswith("bytes") or name.startswith("bytes") else output.field(name)
