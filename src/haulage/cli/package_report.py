"""``haulage package``, looked into: how packages stand, the report with proof, the files of a version, what a capture noticed."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.base.ids import package_id, version_ref
from haulage.cli import output
from haulage.cli.client import Row, connect, path
from haulage.cli.options import PLAIN, How
from haulage.cli.report_page import report_page

ReportForm = Literal["table", "json", "csv", "html"]
Show = Literal["failed", "retrying", "waiting", "moving", "report", "present", "unpublished", "unassigned", "capture-failed"]
_STANDING = (
    output.field("id"),
    output.field("name"),
    output.field("version"),
    output.size_field("bytes"),
    output.time_field("captured"),
    ("places", lambda row: ", ".join(f"{one['count']} {one['state']} {one['reason']}".strip() for one in row["counts"]) or "-"),
)
_PROOF = (
    output.field("place"),
    output.field("present", "version"),
    output.field("state"),
    output.field("reason"),
    output.time_field("verified", "every byte read"),
    ("manifest", lambda row: row["manifest"][:16] or "-"),
    output.time_field("reported", "said by its site"),
    ("way", lambda row: " > ".join(row["way"])),
)
_FILES = (
    output.field("type"),
    output.size_field("size"),
    output.time_field("modified"),
    ("path", lambda row: row["path"]),
    ("streams", lambda row: output.text_of([one["name"] for one in row["streams"]])),
    ("digest", lambda row: row["digest"][:16] or "-"),
)
_NOTED = (output.field("kind"), output.field("path"), output.field("detail"))


def add_to(app: App) -> None:
    """Make these verbs of the noun."""
    for verb in (standing, report, files, noted):
        app.command(verb)


def standing(
    words: str = "",
    /,
    *,
    show: Annotated[Show | None, Parameter(help="Only those that stand so somewhere; present: everywhere.")] = None,
    owner: Annotated[str, Parameter(help="Only those of this site.")] = "",
    sort: Annotated[Literal["id", "name", "size", "captured"], Parameter(help="By what they are in order.")] = "id",
    down: Annotated[bool, Parameter(negative=(), show_default=False, help="Largest, newest or last first.")] = False,
    how: How = PLAIN,
) -> None:
    """Packages with how they stand everywhere; with words, those whose id or name holds them.

    haulage package standing --show failed

    haulage package standing office --sort captured --down
    """
    asked = {"q": words, "show": show, "owner": owner, "sort": sort, "down": down}
    rows = how.client().rows("/standing/packages", {name: value for name, value in asked.items() if value})
    output.print_rows(rows, how.output, _STANDING, empty="No package fits.")


def report(
    package: str,
    /,
    *,
    form: Annotated[ReportForm, Parameter(name=["--output", "-o"], help="html: a page by itself, to print or to keep.")] = "table",
    home: Annotated[str | None, Parameter(help="Home of the server on this machine.")] = None,
) -> None:
    """Where a package is, with proof: for each place the version, when every byte was read there, and the manifest's digest.

    haulage package report HQ100001

    haulage package report HQ100001 -o html > where.html
    """
    found: Row = connect(home).get(path("packages", package_id(package), "report"))
    if form == "html":
        output.print_text(report_page(found))
    elif form == "json":
        output.print_object(found, "json", [])
    else:
        facts = {name: found[name] for name in ("package", "taken")} | {"signer": found["signature"]["signer"]}
        output.print_rows([row | facts for row in found["rows"]], form, _PROOF, empty=f"{package} is nowhere.")
    if form == "table":
        signature = found["signature"]
        output.say(f"Version {found['version']} at {found['present']} of {found['places']} places, as of {found['taken']}.")
        output.say(f"Manifest {found['manifest']}")
        output.say(f"signed by {signature['signer']}: {'checked' if signature['checked'] else signature['cause']}")


def files(
    version: str,
    /,
    *,
    folder: Annotated[str, Parameter(name="--in", help="Which folder; the root if never said.")] = "",
    find: Annotated[str, Parameter(help="Everything, everywhere, whose name holds this.")] = "",
    how: How = PLAIN,
) -> None:
    """What is in a version: one folder, or what a name is found as.

    haulage package files HQ100001:6 --in bin

    haulage package files HQ100001:6 --find .dll -o csv
    """
    package, number = version_ref(version)
    if number is None:
        raise UsageError("bad-version", f"{version} does not say which version.", "Write ID:NUMBER, such as HQ100001:5.")
    asked = {"in": folder, "q": find}
    rows = how.client().rows(path("packages", package, "versions", str(number), "files"), {k: v for k, v in asked.items() if v})
    output.print_rows(rows, how.output, _FILES, empty="Nothing is there.")


def noted(
    version: str,
    /,
    *,
    kind: Annotated[str, Parameter(help='One kind, such as "dropped stream".')] = "",
    how: How = PLAIN,
) -> None:
    """What was noticed while a version was captured: left out, worth a look, names Windows could not use.

    haulage package noted HQ100001:6
    """
    package, number = version_ref(version)
    if number is None:
        raise UsageError("bad-version", f"{version} does not say which version.", "Write ID:NUMBER, such as HQ100001:5.")
    found = how.client().get(path("packages", package, "versions", str(number), "capture"), {"kind": kind} if kind else None)
    if not found["known"]:
        raise UsageError(
            "no-report", f"There is no report on the capture of {version} here.", f"Ask site {package[:3]}, its owner."
        )
    output.print_rows(found["items"], how.output, _NOTED, empty="Nothing was left out, and nothing looked odd.")
    for one in found["kinds"] if how.output == "table" else ():
        more = f"; {one['listed']} are listed" if one["listed"] < one["count"] else ""
        output.say(f"{one['count']} {one['kind']}: {one['meaning']}{more}")
