"""``haulage diff`` and ``haulage apply``: one file against what there is; ``haulage declared``: what there is as such a file."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

from haulage.base.errors import ConflictError, HaulageError, TransferError, UsageError
from haulage.base.text import shown
from haulage.cli import output
from haulage.cli.client import Client, Row
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, DryRun, How, Yes

app = App(
    name="declared",
    help="What there is, as one file that declares it. See docs/declared.md.\n\nhaulage declared show > shops.toml",
)

FILE_MAX_BYTES = 8 * 1024 * 1024

_STEPS = (
    output.field("number", "step"),
    output.field("sentence", "change"),
    output.field("gained", "comes to"),
    output.field("lost", "leaves"),
    ("bytes", lambda row: _bytes(row)),  # noqa: PLW0108  (it stands below)
    ("standing", lambda row: f"{row['standing']}: {row['why']}" if row["why"] else row["standing"]),
)
_COSTS = (
    output.field("step"),
    output.field("package"),
    output.field("place"),
    output.size_field("bytes_new", "new"),
    output.size_field("bytes_wire", "wire"),
)
_DONE = (
    output.field("number", "step"),
    output.field("sentence", "change"),
    output.field("outcome"),
    output.field("package"),
    ("cause", lambda row: row["error"]["message"] if row["error"] else row["why"] or "-"),
)

File = Annotated[str, Parameter(help="A TOML file on this machine; - is standard input.")]
Publish = Annotated[bool, Parameter(negative=(), show_default=False, help="Capture declared packages that nobody has captured.")]


@app.command
def show(*, how: How = PLAIN) -> None:
    """Write what there is as a file. Comparing with it finds no difference.

    haulage declared show > shops.toml
    """
    found = how.client().get("/declared")
    if how.output == "table":
        sys.stdout.write(found["text"])
        sys.stdout.flush()
    else:
        output.print_object(found, how.output, [])


def diff(
    file: File,
    /,
    *,
    publish: Publish = False,
    places: Annotated[bool, Parameter(negative=(), show_default=False, help="The bytes for each place, too.")] = False,
    how: How = PLAIN,
) -> None:
    """Compare a file with what there is: every change in order, where packages come and go, and the bytes it will take. Exit 0 if
    nothing differs, 6 if something does.

    haulage diff shops.toml

    haulage diff shops.toml --places

    haulage diff shops.toml -o json
    """
    found = _compare(how.client(), _read(file), publish)
    if how.output == "table":
        _print_difference(found, places)
    elif how.output == "json":
        output.print_object(found, how.output, [])
    else:
        output.print_rows(found["steps"], how.output, _STEPS)
    if found["differs"]:
        raise ConflictError("differs", f"{len(found['steps'])} differences.", f"haulage apply {shown(file)}")


def apply(
    file: File,
    /,
    *,
    publish: Publish = False,
    allow_removing: Annotated[int, Parameter(help="So many removals are meant; many are refused otherwise.")] = 0,
    keep_going: Annotated[bool, Parameter(negative=(), show_default=False, help="Go on with the rest when a step fails.")] = False,
    join_strings: Annotated[str | None, Parameter(help="A new file for the join strings of sites that are let in.")] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Do what differs, after showing it and asking once. Applied again it does nothing; interrupted it is applied again. Exit 6 if
    something is left.

    haulage apply shops.toml

    haulage apply shops.toml --yes --join-strings joins.txt
    """
    text, client = _read(file), how.client()
    found = _compare(client, text, publish)
    if not found["differs"]:
        _nothing(found, how)
        return
    if how.output == "table":
        _print_difference(found, False)
    _guard(found, allow_removing)
    body = {"text": text, "publish": publish, "expected": found["id"], "allow_removing": allow_removing, "keep_going": keep_going}
    if dry_run:
        _finish(client.post("/declared/apply", body | {"dry_run": True}), how, dry_run=True)
        return
    if found["ready"]:
        confirm(f"Do {found['ready']} changes? Packages leave {found['lost']} places by them.", yes)
    kept = None if join_strings is None else _open_new(join_strings)
    try:
        done = client.post("/declared/apply", body)
        _hand_out(done["joins"], kept)
    finally:
        if kept is not None:
            os.close(kept)
    _finish(done, how, dry_run=False)


def _compare(client: Client, text: str, publish: bool) -> Row:
    found: Row = client.post("/declared/compare", {"text": text, "publish": publish})
    return found


def _guard(found: Row, allowed: int) -> None:
    if found["must_allow"] > allowed:
        removals = ", ".join(f"{count} {what}" for what, count in found["removals"].items() if count)
        raise ConflictError(
            "too-many-removals", f"This would remove {removals}.", f"If it is meant: --allow-removing {found['must_allow']}"
        )


def _print_difference(found: Row, places: bool) -> None:
    output.print_rows(found["steps"], "table", _STEPS, empty="Nothing differs.")
    costs = [row | {"step": step["number"]} for step in found["steps"] for row in step["costs"]]
    if places and costs:
        output.print_line("")
        output.print_rows(costs, "table", _COSTS)
    if found["steps"]:
        output.say(
            f"Packages come to {found['gained']} places and leave {found['lost']}; on the lines to sites: {_bytes(found)}."
            + (f" {found['unknown']} are of packages without a version here, whose size nobody knows." if found["unknown"] else "")
        )
    if found["kept"]:
        kept = ", ".join(f"{count} {what}" for what, count in found["kept"].items())
        output.say(f"Not declared, and left as they are: {kept}. [manage] remove in the file says what is to go.")


def _bytes(row: Row) -> str:
    if not row["bytes_wire"]:
        return "not known" if row["unknown"] else "-"
    more = " and more" if row["unknown"] else ""
    return ("at most " if row["at_most"] else "~") + output.size_text(row["bytes_wire"]) + more


def _nothing(found: Row, how: How) -> None:
    if how.output != "table":
        output.print_object(
            {"id": found["id"], "steps": [], "done": 0, "failed": 0, "left": 0, "joins": [], "dry_run": False}, how.output, []
        )
        return
    _print_difference(found, False)


def _hand_out(joins: list[Row], kept: int | None) -> None:
    """Join strings are told once: into the file, or on stdout for people."""
    for one in joins:
        if kept is not None:
            os.write(kept, f"{one['code']} {one['join']}\n".encode())
            one["join"] = ""
    if kept is not None:
        os.fsync(kept)


def _finish(done: Row, how: How, *, dry_run: bool) -> None:
    if how.output == "table":
        output.print_rows(done["steps"], "table", _DONE)
        for one in done["joins"]:
            if one["join"]:
                output.print_line(f"{one['code']} {one['join']}")
                output.say(f"At {one['code']}: haulage join --home DIR JOIN_STRING")
        would = " (not done, only looked at)" if dry_run else ""
        output.say(f"{done['done']} changes done, {done['failed']} failed, {done['left']} left{would}.")
    else:
        output.print_object(done, how.output, [])
    if dry_run:
        return
    failed = [step for step in done["steps"] if step["error"]]
    if failed:
        first: dict[str, Any] = failed[0]["error"]
        sentence = f"{failed[0]['sentence']}: {first['message']}"
        raise HaulageError("partly-done" if done["done"] else "not-done", sentence, first["hint"])
    if done["left"]:
        raise HaulageError(
            "partly-done", f"{done['left']} changes are left.", "Their standing says why; apply the file again then."
        )


def _read(file: str) -> str:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(FILE_MAX_BYTES + 1)
        else:
            with open(file, "rb") as opened:
                data = opened.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError("file-unreadable", f"{shown(file)} cannot be read: {error.strerror}.", "Name a TOML file.") from None
    if len(data) > FILE_MAX_BYTES:
        raise UsageError("declaration-too-large", f"{shown(file)} is larger than 8 MiB.", "Assign to groups, not to each place.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError("bad-declaration", f"{shown(file)}, line {line}, is not UTF-8.", "Save it as UTF-8.") from None


def _open_new(path: str) -> int:
    """Opened before anything is done, so that no join string is made for nobody."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise TransferError(
            "file-not-writable", f"{shown(path)} cannot be made: {error.strerror}.", "Name a file that is not there yet."
        ) from None
