"""``haulage point``: where clients get content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.ids import place
from haulage.cli import output
from haulage.cli.client import Row, path, place_path
from haulage.cli.options import PLAIN, DryRun, How, Timeout, YesAccepted, seconds
from haulage.cli.place_table import print_place
from haulage.cli.verifying import report, verify_all

app = App(
    name="point",
    help="Distribution points: where clients get content.\n\n"
    "haulage point add LA1/SHOP --url folder:/srv/shop\n\nhaulage point list",
)

_COLUMNS = (output.field("place"), output.field("kind"), output.field("url"), output.field("owner"))
Where = Annotated[str, Parameter(help="A point: CODE/NAME.")]


@app.command
def add(
    where: Where,
    /,
    *,
    url: Annotated[str, Parameter(help="folder:/ABSOLUTE/PATH on the machine of the point's site.")],
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Define a point at this site or one below it.

    haulage point add LA1/SHOP --url folder:/srv/shop
    """
    made = how.client().post("/points", {"place": place(where), "url": url, **({"dry_run": True} if dry_run else {})})
    sentence = f"Point {where} {'would be' if dry_run else 'is'} defined; next: haulage package assign ID --to {where}"
    output.print_made(made, how.output, sentence)


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """All points this server knows.

    haulage point list -o json
    """
    output.print_rows(how.client().rows("/points"), how.output, _COLUMNS, empty="There is no point; haulage point add makes one.")


@app.command
def show(where: Where, /, *, how: How = PLAIN) -> None:
    """One point: what it holds and should hold, how old that is, and what is stuck with its cause and what to do.

    haulage point show LA1/SHOP
    """
    found = how.client().get(place_path("points", place=place(where)))
    print_place(found, how.output, ("place", "kind", "url", "owner"))


@app.command
def verify(
    where: Where,
    /,
    *,
    repair: Annotated[bool, Parameter(negative=(), show_default=False, help="Write anew what is damaged.")] = False,
    timeout: Timeout = "1h",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Read every byte, stream and attribute of every package at a point again; exit 7 if anything is damaged.

    haulage point verify LA1/SHOP

    haulage point verify LA1/SHOP --repair
    """
    client = how.client()
    place(where)
    there = [row["id"] for row in client.rows("/packages") if _is_at(client.rows(path("packages", row["id"], "status")), where)]
    if dry_run:
        output.print_rows([{"package": package, "place": where} for package in there], how.output, (output.field("package"),))
        return
    report(verify_all(client, [(package, where) for package in there], repair=repair, timeout_seconds=seconds(timeout)), how.output)


@app.command
def remove(
    where: Where,
    /,
    *,
    yes: YesAccepted = False,  # noqa: ARG001
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Withdraw a point: it gets nothing more. What is in its folder stays there.

    haulage point remove LA1/SHOP
    """
    gone = how.client().delete(place_path("points", place=place(where)), {"dry_run": dry_run}) or {}
    done = "would be withdrawn" if dry_run else "is withdrawn"
    output.print_made({"id": where, "place": where, "removed": not dry_run, **gone}, how.output, f"Point {where} {done}.")


def _is_at(status: Iterable[Row], where: str) -> bool:
    return any(row["place"] == where and row["present"] for row in status)
