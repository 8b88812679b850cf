"""Having places read again, and telling damaged from unreachable: behind ``package verify`` and ``point verify``."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotFoundError, TransferError
from haulage.cli import output
from haulage.cli.client import Client, Row, path
from haulage.cli.waiting import Bar, Look, wait

DAMAGED = frozenset({IntegrityError.family, FormatError.family})
"""Only errors of these families say that what is there was read and is wrong; any other says nothing about it."""

_COLUMNS = (output.field("package"), output.field("place"), output.field("outcome"), output.field("detail"))


def verify_all(client: Client, what: Sequence[tuple[str, str]], *, repair: bool, timeout_seconds: float | None) -> list[Row]:
    """Ask for all, then wait for each; one row per package and place: ``verified``, ``damaged``, ``not-looked-at``."""
    action = "repair" if repair else "verify"
    asked = [(package, place, _ask(client, package, place, action)) for package, place in what]
    return [_outcome(client, package, place, before, timeout_seconds) for package, place, before in asked]


def report(rows: list[Row], form: output.Form) -> None:
    """Print the rows. Raises IntegrityError ``damaged`` or TransferError ``not-looked-at`` for the worst of them."""
    output.print_rows(rows, form, _COLUMNS, empty="No package is there.")
    for outcome, kind in (("damaged", IntegrityError), ("not-looked-at", TransferError)):
        worst = [row for row in rows if row["outcome"] == outcome]
        if worst:
            raise _error(kind, outcome, worst)


def find_row(client: Client, package: str, place: str) -> Row | None:
    """The shipment of a package at a place."""
    return next((row for row in client.rows(path("packages", package, "status")) if row["place"] == place), None)


def order(client: Client, package: str, place: str, action: str) -> int:
    """Give an order; returns the generation before it."""
    answer = client.post(path("packages", package, "orders"), {"action": action, "place": place})
    return int(answer["generation"])


def settled(row: Row, before: Row, generation: int) -> bool:
    """Whether what was ordered has ended, well or not. A place is read again only once the order has reached it, and the moment
    of the last good reading then is another one."""
    if row["generation"] <= generation:
        return False
    if row["error"] and row["tries"]:
        return True
    return bool(row["state"] == "failed" or (row["state"] == "present" and row["verified"] != before["verified"]))


def _ask(client: Client, package: str, place: str, action: str) -> tuple[Row, int]:
    before = find_row(client, package, place)
    if before is None:
        raise NotFoundError(
            "not-assigned", f"{package} is not meant for {place}.", f"haulage package assign {package} --to {place}"
        )
    return before, order(client, package, place, action)


def _outcome(client: Client, package: str, place: str, asked: tuple[Row, int], timeout_seconds: float | None) -> Row:
    before, generation = asked

    def look() -> Look[Row]:
        row = find_row(client, package, place)
        if row is None:
            raise NotFoundError("not-assigned", f"{package} is not meant for {place} any more.", "")
        bar = Bar(name=place, state=row["state"], done_bytes=row["bytes_done"], total_bytes=row["bytes_total"])
        answer = row if settled(row, before, generation) else None
        return Look(answer=answer, bars=[bar], waits_for=f"{package} at {place} is {row['state']}")

    row = wait(look, timeout_seconds)
    error = row["error"]
    found = {"id": f"{package}@{place}", "package": package, "place": place, "version": row["present"], "verified": row["verified"]}
    if not error or row["state"] == "present":
        return {**found, "outcome": "verified", "detail": f"every byte of {package}:{row['present']} was read", "error": None}
    outcome = "damaged" if error["family"] in DAMAGED else "not-looked-at"
    return {**found, "outcome": outcome, "detail": error["message"], "error": error}


def _error(kind: type[HaulageError], code: str, worst: list[Row]) -> HaulageError:
    first = worst[0]
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    hint = (
        f"haulage package verify {first['package']} --at {first['place']} --repair" if code == "damaged" else first["error"]["hint"]
    )
    return kind(code, f"{first['detail']}{more}", hint)
