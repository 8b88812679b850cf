"""``haulage package``, its content: publish, status, diff, verify, retry, extract, rollback."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from cyclopts import App, Parameter

from haulage.base.errors import HaulageError, TransferError, UsageError
from haulage.base.ids import package_id, place, version_ref
from haulage.cli import output
from haulage.cli.client import Client, Row, path
from haulage.cli.options import PLAIN, At, DryRun, How, Timeout, Wait, seconds
from haulage.cli.verifying import find_row, order, report, verify_all
from haulage.cli.waiting import Bar, Look, wait

_STATUS = (
    output.field("place"),
    output.field("state"),
    ("reason", lambda row: output.text_of(row["reason"])),
    output.field("wanted"),
    output.field("present"),
    output.field("tries"),
    output.time_field("due"),
    output.size_field("bytes_wire", "wire"),
    output.size_field("bytes_total", "of"),
    ("error", lambda row: output.text_of((row.get("error") or {}).get("message"))),
)
SERVER = "server:"
_DIFF = (output.field("change"), output.field("path"), ("what", lambda row: output.text_of(_told(row))))


def _told(change: Row) -> list[str]:
    """Where it was, which facts differ, and which streams."""
    was = [f"was {change['was']}"] if change.get("was") else []
    return [*was, *change["what"], *(f":{name}" for name in change["streams"])]


def add_to(app: App) -> None:
    """Make these verbs of the noun."""
    for verb in (publish, status, diff, verify, retry, extract, rollback):
        app.command(verb)


def publish(
    package: str,
    /,
    *,
    full: Annotated[bool, Parameter(negative=(), show_default=False, help="Read unchanged files again too.")] = False,
    wait: Wait = False,
    timeout: Timeout = "1h",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Capture the source; a new version only if it differs from the newest one.

    haulage package publish HQ100001 --wait
    """
    client = how.client()
    asked = client.post(path("packages", package_id(package), "publish"), {"full": full, **({"dry_run": True} if dry_run else {})})
    if dry_run or not wait:
        output.print_made(
            asked, how.output, f"Package {package} would be captured." if dry_run else f"Capture of {package} asked for."
        )
        return
    output.print_made(*_captured(client, package, int(asked["request"]), seconds(timeout), how))


def status(
    package: str,
    /,
    *,
    wait: Annotated[
        Literal["present"] | None, Parameter(help="present: return when every place has the newest version, verified and durable.")
    ] = None,
    timeout: Timeout = "1h",
    how: How = PLAIN,
) -> None:
    """One row per place: what it should have, what it has, and how far it is.

    haulage package status HQ100001

    haulage package status HQ100001 --wait present --timeout 10m
    """
    client = how.client()
    rows = _all_present(client, package_id(package), seconds(timeout)) if wait else _rows(client, package_id(package))
    output.print_rows(rows, how.output, _STATUS, empty=f"{package} has no version yet; haulage package publish {package}")
    broken = [row for row in rows if row.get("error")]
    if broken and how.output == "table":
        output.say(f"What is known about {broken[0]['place']}: haulage explain {package} --at {broken[0]['place']}")
    failed = [row for row in rows if row["state"] == "failed"] if wait else []
    if failed:
        error = failed[0]["error"] or {"message": f"{failed[0]['place']} failed.", "hint": ""}
        some = any(row["state"] == "present" for row in rows)
        raise HaulageError("partly-done" if some else "not-done", error["message"], error["hint"])


def diff(old: str, new: str, /, *, how: How = PLAIN) -> None:
    """What changed between two versions.

    haulage package diff HQ100001:6 HQ100001:7
    """
    (package, first), (other, second) = version_ref(old), version_ref(new)
    if package != other or first is None or second is None:
        raise UsageError("bad-version", f"{old} and {new} are not two versions of one package.", "Write ID:6 ID:7.")
    rows = how.client().rows(path("packages", package, "diff"), {"old": first, "new": second})
    output.print_rows(rows, how.output, _DIFF, empty="Nothing changed.")


def verify(
    package: str,
    /,
    *,
    at: At,
    repair: Annotated[bool, Parameter(negative=(), show_default=False, help="Write anew what is damaged.")] = False,
    timeout: Timeout = "1h",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Read every byte, stream and attribute at a place again; exit 7 if anything is damaged.

    haulage package verify HQ100001 --at LA1/SHOP

    haulage package verify HQ100001 --at LA1/SHOP --repair
    """
    client = how.client()
    if dry_run:
        output.print_rows(_at(client, package_id(package), place(at)), how.output, _STATUS)
        return
    pairs = [(package_id(package), place(at))]
    report(verify_all(client, pairs, repair=repair, timeout_seconds=seconds(timeout)), how.output)


def retry(
    package: str, /, *, at: At, wait: Wait = False, timeout: Timeout = "1h", dry_run: DryRun = False, how: How = PLAIN
) -> None:
    """Try one place again now. No other place hears of it.

    haulage package retry HQ100001 --at LA1/SHOP --wait
    """
    client = how.client()
    before = _at(client, package_id(package), place(at))
    if not dry_run:
        generation = order(client, package, at, "retry")
        if wait:
            before = [_tried(client, package, at, generation, seconds(timeout))]
    row = {"id": f"{package}@{at}", **(before[0] if before else {"package": package, "place": at})}
    output.print_made(row, how.output, f"{package} at {at} {'would be' if dry_run else 'is'} tried again.")
    if wait and row.get("error"):
        raise TransferError(row["error"]["code"], row["error"]["message"], row["error"]["hint"])


def extract(
    version: str,
    /,
    *,
    to: Annotated[str, Parameter(help="An empty or new folder on the server's machine; from afar written server:/PATH.")],
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Write a version out, byte-exact, and verify what was written.

    haulage package extract HQ100001 --to /tmp/office

    haulage package extract HQ100001:6 --to /tmp/office-6
    """
    package, number = version_ref(version)
    client = how.client()
    target = _target(client, to)
    body = {"to": target, **({"version": number} if number else {}), **({"dry_run": True} if dry_run else {})}
    made = client.post(path("packages", package, "extract"), body)
    output.print_made(made, how.output, f"{made.get('id', version)} {'would be' if dry_run else 'is'} in {target}.", key="to")


def _target(client: Client, to: str) -> str:
    """The folder on the server's machine. Somebody elsewhere must say that it is meant: nothing is downloaded."""
    if client.target.home:
        return os.path.abspath(to.removeprefix(SERVER))
    if not to.startswith(SERVER):
        raise UsageError(
            "extract-from-afar",
            f"HAULAGE_URL names a server elsewhere, and {to} would be a folder of this machine; extract does not download yet.",
            f"To write at the server: --to {SERVER}/PATH; or run it there with --home.",
        )
    return to.removeprefix(SERVER)


def rollback(version: str, /, *, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Publish old content as a new version. Content that places still hold does not move again.

    haulage package rollback HQ100001:5
    """
    package, number = version_ref(version)
    if number is None:
        raise UsageError("bad-version", f"{version} does not say which version.", "Write ID:NUMBER, such as HQ100001:5.")
    made = how.client().post(path("packages", package, "rollback"), {"version": number, **({"dry_run": True} if dry_run else {})})
    output.print_made(made, how.output, f"{version} {'would be' if dry_run else 'is'} published again as the newest version.")


def _captured(client: Client, package: str, request: int, timeout_seconds: float | None, how: How) -> tuple[Row, output.Form, str]:
    before = client.get(path("packages", package))["version"]

    def look() -> Look[Row]:
        found: Row = client.get(path("packages", package))
        source = found["source"]
        return Look(
            answer=found if source["done"] >= request else None,
            bars=[Bar(name=package, state=source["state"])],
            waits_for=f"the capture of {package} is {source['state']}",
        )

    found = wait(look, timeout_seconds)
    error = found["source"]["error"]
    if error:
        raise HaulageError(error["code"], error["message"], error["hint"])
    newest = found["newest"] or {"id": package}
    unchanged = found["source"]["outcome"] == "unchanged" or found["version"] == before
    sentence = f"{newest['id']}: {'the source is as it was; no new version' if unchanged else _what(newest)}."
    return {**newest, "changed": not unchanged}, how.output, sentence


def _what(version: Row) -> str:
    sizes = f"{output.size_text(version['bytes'])}, {output.size_text(version['new_bytes'])} new"
    return f"{version['files']} files, {version['streams']} streams, {sizes}"


def _rows(client: Client, package: str) -> list[Row]:
    return list(client.rows(path("packages", package, "status")))


def _at(client: Client, package: str, where: str) -> list[Row]:
    row = find_row(client, package, where)
    return [row] if row else []


def _all_present(client: Client, package: str, timeout_seconds: float | None) -> list[Row]:
    """The rows once each is present at the newest version, or cannot become so by itself."""

    def look() -> Look[list[Row]]:
        newest = client.get(path("packages", package))["version"]
        rows = _rows(client, package)
        late = [row for row in rows if not _is_settled(row, newest)]
        first = f"{late[0]['place']} is {late[0]['state']} {late[0]['reason']}".strip() if late else "there is no version yet"
        return Look(answer=None if late or not newest else rows, bars=[_bar(row) for row in rows], waits_for=first)

    return wait(look, timeout_seconds)


def _is_settled(row: Row, newest: int) -> bool:
    if row["wanted"] != newest:
        return False
    return bool(row["state"] == "failed" or (row["state"] == "present" and row["present"] == newest))


def _bar(row: Row) -> Bar:
    total = row["bytes_planned"] or row["bytes_total"]
    done = total if row["state"] == "present" else row["bytes_done"]
    return Bar(name=row["place"], state=f"{row['state']} {row['reason']}".strip(), done_bytes=done, total_bytes=total)


def _tried(client: Client, package: str, where: str, generation: int, timeout_seconds: float | None) -> Row:
    def look() -> Look[Row]:
        row = find_row(client, package, where)
        if row is None:
            return Look(answer=None, waits_for=f"{where} does not know {package}")
        ended = row["generation"] > generation and (bool(row["tries"]) or row["state"] in ("present", "failed"))
        return Look(answer=row if ended else None, bars=[_bar(row)], waits_for=f"{where} is {row['state']}")

    return wait(look, timeout_seconds)
