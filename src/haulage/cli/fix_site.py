"""``haulage fix``, what a site is asked: which fixes it knows, taking in a bundle, what replaces what, what a product lacks."""

from __future__ import annotations

import os
import re
from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.cli import output
from haulage.cli.client import path
from haulage.cli.confirm import confirm
from haulage.cli.kb import SERVER, fix_text, read_file
from haulage.cli.options import PLAIN, DryRun, How, Yes

_LIST = (
    output.field("id"),
    output.field("origin"),
    output.field("owner"),
    output.field("package"),
    output.size_field("bundle_bytes", "bundle"),
    output.field("supersedes"),
    output.field("contains"),
    output.field("title"),
)
_SHOW = (
    *_LIST,
    output.field("article"),
    output.field("product"),
    output.field("versions"),
    output.field("service_levels"),
    output.field("requires"),
    output.field("services"),
    output.field("reboot"),
    output.field("uninstallable"),
    output.field("superseded_by"),
    output.field("signer"),
    output.field("here"),
    output.field("places"),
    output.field("run"),
)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
Fix = Annotated[str, Parameter(help="The id of a fix, as in Q316316.")]


def add_to(app: App) -> None:
    """Make these verbs of the noun."""
    app.command(list_, name="list")
    app.command(import_, name="import")
    for verb in (show, graph, remove, assessments):
        app.command(verb)


def list_(*, how: How = PLAIN) -> None:
    """The fixes this site knows, from bundles and from articles.

    haulage fix list -o json
    """
    rows = list(how.client().rows("/fixes"))
    output.print_rows(rows, how.output, _LIST, empty="No fix is known here. haulage fix import BUNDLE makes one known.")


def show(fix: Fix, /, *, how: How = PLAIN) -> None:
    """A fix: its files, what replaces it, where its bundle is and how to run it here.

    haulage fix show Q323206
    """
    found = how.client().get(path("fixes", fix))
    output.print_object(found, how.output, _SHOW)
    if how.output == "table":
        for file in found["files"]:
            output.print_line(
                f"file: {file['path']} {file['action']} {file['version'] or ''} {file['bytes']} bytes {file['sha256']}"
            )


def import_(
    bundle: Annotated[str, Parameter(help="A bundle on the server; with --upload one on this machine.")],
    /,
    *,
    trust: Annotated[
        list[str] | None, Parameter(negative=(), help="Fingerprint of a signer you vouch for; compare it with its maker's first.")
    ] = None,
    upload: Annotated[bool, Parameter(negative=(), show_default=False, help="Send a file of this machine to the server.")] = False,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Make a bundle known, and a package of it. The bundle is read as data and never run; a person vouches once for each signer.

    haulage fix import /srv/fixes/Q323206.pyz --trust 3f0c…

    haulage fix import Q323206.pyz --upload
    """
    client, words = how.client(), [_fingerprint(word) for word in trust or []]
    if upload:
        asked: dict[str, str | bool] = {"trust": ",".join(words), **({"dry_run": True} if dry_run else {})}
        made = client.upload("/fixes/upload", read_file(bundle), asked)
    else:
        real = bundle.removeprefix(SERVER) if bundle.startswith(SERVER) else os.path.abspath(bundle)
        made = client.post("/fixes", {"path": real, "trust": words, **({"dry_run": True} if dry_run else {})})
    done = " (not done, only looked at)" if dry_run else ""
    output.print_made(
        made,
        how.output,
        f"Fix {made['id']} comes with package {made['package']}{done}; next: haulage package assign {made['package']}",
    )


def graph(fix: Fix, /, *, how: How = PLAIN) -> None:
    """Which fix contains or replaces which around one, and which to install.

    haulage fix graph Q316316
    """
    found = how.client().get(path("articles", fix, "graph"))
    if how.output != "table":
        output.print_object(found, how.output, [])
        return
    for line in found["drawing"].splitlines():
        output.print_line(line)
    output.say(f"To install: {fix_text(found['fix'])}")


def remove(fix: Fix, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Forget a fix of this site, here and at every site below. Its package stays.

    haulage fix remove Q316316
    """
    confirm(f"Forget fix {fix} here and below?", yes=yes or dry_run)
    made = how.client().delete(path("fixes", fix), {"dry_run": dry_run})
    output.print_made(made, how.output, f"Fix {made['id']} is forgotten{' (not done, only looked at)' if dry_run else ''}.")


def assessments(root: str | None = None, /, *, how: How = PLAIN) -> None:
    """What product folders on the server's machine have and lack of the fixes known there; with a folder it is looked at anew.

    haulage fix assessments /opt/press

    haulage fix assessments -o json
    """
    client = how.client()
    found = client.get("/assessments") if root is None else [client.post("/assessments", {"root": os.path.abspath(root)})]
    if how.output != "table":
        output.print_rows(found, how.output, [])
        return
    rows = [{**one, **result, "reason": "; ".join(result["reasons"])} for one in found for result in one["results"]]
    columns = [output.field(name) for name in ("root", "product", "version", "fix", "state", "reason")]
    output.print_rows(rows, "table", columns, empty="Nothing was assessed here.")


def _fingerprint(word: str) -> str:
    plain = word.strip().lower().removeprefix("sha256:")
    if not _FINGERPRINT.fullmatch(plain):
        raise UsageError("bad-fingerprint", f"{word[:80]!r} is no fingerprint.", "Give its 64 hexadecimal digits.")
    return plain
