"""``haulage fix`` without a server: keys, building, checking and installing bundles. The verbs that ask a site are in
``fix_site.py``."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated, Any, get_args

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.cli import fix_site, output
from haulage.cli.options import PLAIN, How, Yes
from haulage.engine.servicing import command
from haulage.engine.servicing.definition import FIX_ID

app = App(
    name="fix",
    help="Fixes as bundles: one file that repairs an installed product.\n\n"
    "haulage fix keys new maker.key\n\n"
    "haulage fix build before after --id Q316316 --title 'Compressing stops with error 998' --key maker.key\n\n"
    "haulage fix install Q316316.pyz --root /srv/press --trust maker.key.pub",
)
keys = App(name="keys", help="Keys that sign bundles.\n\nhaulage fix keys new maker.key")
app.command(keys)
fix_site.add_to(app)


Definition = Annotated[
    str | None, Parameter(help="A definition file (TOML): services, programs, prerequisites; docs/guide/fix.md.")
]
Output = Annotated[
    list[str],
    Parameter(
        name=["--output", "-o"],
        negative=(),
        help="The bundle to write, else ID.pyz here; or the form of the answer: table, json, jsonl, csv. May be given for each.",
    ),
]
Key = Annotated[list[str], Parameter(negative=(), help="A private key that signs; may be given more than once.")]
Expires = Annotated[str | None, Parameter(help="From then on it installs nothing more, as in 2027-06-30T00:00:00Z.")]
Root = Annotated[list[str], Parameter(negative=(), help="Folder of the product; NAME=DIR for another folder it uses.")]
Trust = Annotated[list[str], Parameter(negative=(), help="Whose signature counts: a file of keys, or a fingerprint.")]
Flag = Parameter(negative=(), show_default=False)
_BUILT = (
    output.field("id"),
    output.field("path"),
    output.size_field("bytes"),
    output.field("files"),
    output.field("signed_by"),
    output.field("sha256"),
)
_CHECKED = (
    output.field("id"),
    output.field("title"),
    output.field("product"),
    output.field("files"),
    output.field("supersedes"),
    output.field("contains"),
    output.field("requires"),
    output.field("services"),
    output.field("reboot"),
    output.size_field("bytes"),
    output.size_field("plain_bytes", "laid out"),
    output.field("signed_by"),
    output.field("trusted"),
    output.field("expires"),
    output.field("own_program", "same program"),
    output.field("sha256"),
)
_ASSESSED = (output.field("fix"), output.field("state"), output.field("reasons"))


@keys.command(name="new")
def new_key(file: str, /, *, name: str = "", how: How = PLAIN) -> None:
    """Make a key: FILE stays with whoever signs, FILE.pub goes to all who shall trust it.

    haulage fix keys new maker.key --name "Press Ltd"
    """
    from haulage.wiring.fix_making import make_key

    made = make_key(file, name)
    output.print_made(made, how.output, f"Keep {made['private']} to yourself; hand out {made['public']}.")


@app.command
def build(
    *trees: str,
    definition: Definition = None,
    id: str | None = None,
    title: str | None = None,
    product: str | None = None,
    versions: str | None = None,
    key: Key = [],  # noqa: B006  (never changed)
    expires: Expires = None,
    output: Output = [],  # noqa: B006  (never changed)
) -> None:
    """Build a bundle from trees before and after, or from a folder and a definition file.

    haulage fix build before after --product press --title "Compressing stops with error 998" --key maker.key -o Q316316.pyz

    haulage fix build folder --definition Q316316.toml --key maker.key
    """
    from haulage.wiring.fix_making import build

    file, form = _where_and_how(output)
    said = _said(_id_of(id, definition, file), title, product, versions)
    _print_built(build(_needed(trees), definition, said, file, key, expires), form)


@app.command
def rollup(
    *bundles: str,
    definition: Definition = None,
    id: str | None = None,
    title: str | None = None,
    key: Key = [],  # noqa: B006  (never changed)
    expires: Expires = None,
    leave_out: Annotated[
        list[str],
        Parameter(negative=(), help="A replaced fix whose other repairs are meant to be lost; may be given more than once."),
    ] = [],  # noqa: B006  (never changed)
    output: Output = [],  # noqa: B006  (never changed)
) -> None:
    """Build one bundle of several: chains collapse, each file comes once in its last state.

    haulage fix rollup Q316316.pyz Q319207.pyz --id Q323206 --title "Rollup" --key maker.key
    """
    from haulage.wiring.fix_making import roll_up

    file, form = _where_and_how(output)
    said = _said(_id_of(id, definition, file), title, None, None)
    _print_built(roll_up(_needed(bundles), definition, said, file, key, expires, leave_out), form)


@app.command
def check(bundle: str, /, *, trust: Trust = [], how: How = PLAIN) -> None:  # noqa: B006  (never changed)
    """Prove every byte of a bundle against its signatures and say what it is; its program is not run.

    haulage fix check Q316316.pyz --trust maker.key.pub
    """
    from haulage.wiring.fix_making import check

    output.print_object(check(bundle, trust), how.output, _CHECKED)


@app.command
def install(
    bundle: str,
    /,
    *,
    root: Root = [],  # noqa: B006  (never changed)
    trust: Trust = [],  # noqa: B006  (never changed)
    dry_run: Annotated[bool, Flag] = False,
    yes: Yes = False,
    quiet: Annotated[bool, Flag] = False,
    force: Annotated[bool, Flag] = False,
    kill: Annotated[bool, Flag] = False,
    log: str | None = None,
    how: How = PLAIN,
) -> None:
    """Install a bundle on this machine, with Haulage's own program instead of the one in the bundle; exit codes are those of a
    bundle (docs/fix-bundles.md).

    haulage fix install Q316316.pyz --root /srv/press --dry-run
    """
    _run(bundle, root, trust, log, {"check": dry_run, "yes": yes, "quiet": quiet, "force": force, "kill": kill}, how)


@app.command
def uninstall(
    bundle: str,
    /,
    *,
    root: Root = [],  # noqa: B006  (never changed)
    dry_run: Annotated[bool, Flag] = False,
    yes: Yes = False,
    quiet: Annotated[bool, Flag] = False,
    kill: Annotated[bool, Flag] = False,
    log: str | None = None,
    how: How = PLAIN,
) -> None:
    """Take away what a bundle installed on this machine; exit codes are those of a bundle (docs/fix-bundles.md).

    haulage fix uninstall Q316316.pyz --root /srv/press
    """
    _run(bundle, root, [], log, {"uninstall": True, "check": dry_run, "yes": yes, "quiet": quiet, "kill": kill}, how)


@app.command
def assess(*bundles: str, root: str, how: How = PLAIN) -> None:
    """How fixes stand to a product on this machine; without bundles what its record names.

    haulage fix assess Q316316.pyz Q323206.pyz --root /srv/press
    """
    from haulage.wiring.fix_making import assess

    output.print_rows(assess(root, bundles), how.output, _ASSESSED, empty="No fix is installed there.")


def _run(bundle: str, roots: list[str], trust: list[str], log: str | None, flags: dict[str, bool], how: How) -> None:
    words = [f"--{name}" for name, given in flags.items() if given]
    for name, values in (("--root", roots), ("--trust", trust), ("--log", [log] if log else [])):
        words += [word for value in values for word in (name, value)]
    if how.output != "table":
        words.append("--json")
    sys.exit(int(command.main(words, bundle)))


def _said(id: str | None, title: str | None, product: str | None, versions: str | None) -> dict[str, Any]:
    inner = {name: value for name, value in (("id", product), ("versions", versions)) if value is not None}
    said: dict[str, Any] = {name: value for name, value in (("id", id), ("title", title)) if value is not None}
    return {**said, **({"product": inner} if inner else {})}


def _needed(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise UsageError("nothing-given", "Nothing was given to build from.", "See --help.")
    return values


def _where_and_how(said: list[str]) -> tuple[str | None, output.Form]:
    """``-o`` names the bundle, as with any program that builds; what names a form of answers is that, as with any other verb."""
    forms: list[output.Form] = [form for form in get_args(output.Form) if form in said]
    places = [each for each in said if each not in get_args(output.Form)]
    if len(forms) > 1 or len(places) > 1:
        raise UsageError("bad-output", f"-o was given as {' and '.join(said)}.", "Name one bundle, and one form of the answer.")
    return places[0] if places else None, forms[0] if forms else "table"


def _id_of(id: str | None, definition: str | None, file: str | None) -> str | None:
    """A bundle that is to be Q316316.pyz is the fix Q316316, where nothing else says so."""
    if id is not None or definition is not None or file is None:
        return id
    stem = os.path.splitext(os.path.basename(file))[0]
    return stem if re.fullmatch(FIX_ID, stem) else None


def _print_built(made: dict[str, Any], form: output.Form) -> None:
    if form != "table":
        output.print_object(made, form, [])
        return
    for note in made["notes"]:
        output.say(note)
    output.print_object(made, "table", _BUILT)
