"""``haulage store``: the content store of one site."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.errors import IntegrityError, TransferError
from haulage.cli import output
from haulage.cli.client import Client, Row
from haulage.cli.options import PLAIN, DryRun, How, Timeout, seconds
from haulage.cli.waiting import Bar, Look, wait

app = App(
    name="store", help="The content store of a site.\n\nhaulage store stats\n\nhaulage store check\n\nhaulage store sweep --dry-run"
)

_DAMAGES = (output.field("where"), output.field("chunks"), output.field("cause"))
_LACKS = (
    output.field("id", "version"),
    output.field("chunks"),
    (
        "paths",
        lambda row: output.text_of(", ".join(row["paths"]) + (f" and {row['paths_more']} more" if row["paths_more"] else "")),
    ),
    ("places", lambda row: output.text_of(", ".join(row["places"]))),
)
NEXT_STEP = (
    "Let the neighbours that hold the version be reached, or publish it again at its owner with --full while the source is the "
    "same; it is tried again by itself."
)


@app.command
def stats(*, how: How = PLAIN) -> None:
    """What the store holds, and when all of it was last read.

    haulage store stats -o json
    """
    found = how.client().get("/store/stats")
    scrub = found.pop("scrub", None) or {}
    flat = found | {f"scrub_{name}": value for name, value in scrub.items()}
    output.print_object(
        flat if how.output == "table" else found | {"scrub": scrub or None}, how.output, [_column(name) for name in flat]
    )


@app.command
def show(*, how: How = PLAIN) -> None:
    """What was saved by keeping each piece once and compressing it, what did not have to be sent, and the room that is left.

    haulage store show
    """
    found = how.client().get("/store")
    saved = {name: value for name, value in found["saved"].items() if name != "bytes_stored"}
    flat = {"bytes_used": found["used"], "bytes_free": found["free"], **saved, "bytes_parcels": found["bytes_parcels"]}
    output.print_object(found if how.output != "table" else flat, how.output, [_saved_column(name) for name in flat])


@app.command
def check(
    *,
    repair: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Replace what is damaged from whoever holds the right bytes.")
    ] = False,
    timeout: Timeout = "10m",
    how: How = PLAIN,
) -> None:
    """Read and verify every byte of the store; exit 7 if anything is damaged and not repaired.

    haulage store check

    haulage store check --repair
    """
    client = how.client()
    found: Row = client.post("/store/check", {"repair": repair})
    if found.get("asked"):
        found["left"] = _answered(client, seconds(timeout))
    if how.output == "table":
        _show(found)
    else:
        output.print_object(found, how.output, [])
    _judge(found, repair=repair)


@app.command
def sweep(*, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Remove content that nothing needs any more. What is referenced or in flight stays.

    haulage store sweep --dry-run
    """
    _print(how.client().post("/store/sweep", {"dry_run": dry_run}), how)


def _answered(client: Client, timeout_seconds: float | None) -> list[Row]:
    """What is left once the children that were asked have answered, or nothing came for too long."""

    def look() -> Look[Row]:
        now = client.get("/store/damage")
        bar = Bar(name="store", state=f"{now['damaged_chunks']} chunks still damaged")
        return Look(
            answer=None if now["left"] or now["damaged_chunks"] else now, bars=[bar], waits_for="children hand over what they hold"
        )

    try:
        return list(wait(look, timeout_seconds)["left"])
    except TransferError as error:
        if error.code != "still-under-way":
            raise
        return list(client.get("/store/damage")["left"])


def _show(found: Row) -> None:
    figures: Row = {name: found[name] for name in ("chunks_checked", "bytes_checked", "damaged") if name in found}
    output.print_object(figures, "table", [_column(name) for name in figures])
    if found["damages"]:
        output.print_rows(found["damages"], "table", _DAMAGES)
    if found.get("affected"):
        output.print_rows(found["affected"], "table", _LACKS)
    if found.get("healed"):
        output.print_rows(found["healed"], "table", (output.field("source", "healed from"), output.field("chunks")))
    if found.get("left"):
        output.print_rows(found["left"], "table", _LACKS)


def _judge(found: Row, *, repair: bool) -> None:
    """Exit 7 for what is damaged now."""
    if repair and found.get("left"):
        lost = found["left"]
        named = ", ".join(row["id"] for row in lost[:5])
        raise IntegrityError(
            "store-damaged", f"{sum(row['chunks'] for row in lost)} chunks could not be replaced: {named}.", NEXT_STEP
        )
    if found["damaged"] and not repair:
        raise IntegrityError(
            "store-damaged", f"{found['damaged']} parts of the store are damaged.", "haulage store check --repair replaces them."
        )


def _print(found: Row, how: How) -> None:
    output.print_object(found, how.output, [_column(name) for name in found])


def _saved_column(name: str) -> output.Column:
    return output.field(name) if name == "versions" else output.size_field(name)


def _column(name: str) -> output.Column:
    return output.size_field(name) if name.endswith("bytes") or name.startswith("bytes") else output.field(name)
