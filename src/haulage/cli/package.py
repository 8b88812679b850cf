"""``haulage package``: what is said of a package (name, source, places). Its content is the matter of ``package_content``."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.base.ids import package_id, place_or_group
from haulage.cli import output
from haulage.cli.client import Row, path
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, DryRun, How, Places, Yes, YesAccepted

app = App(
    name="package",
    help="What is distributed.\n\n"
    "haulage package create Office --source /srv/packages/office\n\n"
    "haulage package assign HQ100001 --to CHI LA1/SHOP\n\n"
    "haulage package publish HQ100001 --wait\n\n"
    "haulage package status HQ100001 --wait present",
)

_LIST = (
    output.field("id"),
    output.field("name"),
    output.field("version"),
    output.field("owner"),
    ("places", lambda row: output.text_of(_where(row))),
)
_VERSIONS = (
    output.field("version"),
    output.time_field("captured"),
    output.field("files"),
    output.field("streams"),
    output.size_field("bytes"),
    output.size_field("new_bytes", "new"),
    ("manifest", lambda row: str(row.get("manifest", ""))[:16]),
)
Keep = Annotated[int | None, Parameter(help="How many of the newest versions are held; 2 if never said.")]


@app.command
def create(
    name: str,
    /,
    *,
    source: Annotated[str, Parameter(help="What is captured, on the server: /PATH or ntfs:IMAGE!/PATH. Only read.")],
    streams: Annotated[str, Parameter(help="Alternate streams: keep, drop:PATTERN or refuse.")] = "keep",
    keep: Keep = None,
    keep_special_bits: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Keep setuid, setgid and sticky bits.")
    ] = False,
    to: Annotated[Places | None, Parameter(help="Where it is assigned; nothing is sent before it is published.")] = None,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Make a package. Nothing is captured before it is published.

    haulage package create Office --source /srv/packages/office

    haulage package create Drivers --source 'ntfs:/srv/images/d.img!/DRIVERS' --streams drop:Zone.Identifier
    """
    body = {"name": name, "source": source, "streams": streams, "keep": keep, **_dry(dry_run)}
    if keep_special_bits:
        body["keep_special_bits"] = True
    if to is not None:
        body["places"] = _places(to)
    made = how.client().post("/packages", {key: value for key, value in body.items() if value is not None})
    output.print_made(made, how.output, f"Package {made['id']}{_would(dry_run)}; next: haulage package publish {made['id']} --wait")


@app.command(name="set")
def set_(
    package: str,
    /,
    *,
    name: Annotated[str | None, Parameter(help="The new name.")] = None,
    keep: Keep = None,
    source: Annotated[str | None, Parameter(help="The new source; it counts from the next publish on.")] = None,
    streams: Annotated[str | None, Parameter(help="keep, drop:PATTERN or refuse; from the next publish on.")] = None,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Change what is said of a package. No content moves.

    haulage package set HQ100001 --keep 3

    haulage package set HQ100001 --name "Office 2" --source /srv/packages/office2
    """
    changes = {
        key: value for key, value in (("name", name), ("keep", keep), ("source", source), ("streams", streams)) if value is not None
    }
    if not changes:
        raise UsageError("nothing-to-set", "Nothing was said that should change.", "Give --name, --keep, --source or --streams.")
    made = how.client().patch(path("packages", package_id(package)), changes | _dry(dry_run))
    output.print_made(made, how.output, f"Package {package}{_would(dry_run)}: {', '.join(changes)} set.")


@app.command
def assign(package: str, /, *, to: Places, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Bring a package to more places, and keep it there; of a group, wherever the group goes.

    haulage package assign HQ100001 --to CHI LA1/SHOP

    haulage package assign HQ100001 --to @shops
    """
    made = how.client().put(path("packages", package_id(package), "places"), {"places": _places(to), **_dry(dry_run)})
    output.print_made(made, how.output, f"Package {package}{_would(dry_run)} for: {', '.join(made['assignments'])}.")


@app.command
def unassign(
    package: str,
    /,
    *,
    to: Annotated[
        list[str], Parameter(name=["--to", "--from"], consume_multiple=True, negative=(), help="Places; several after one option.")
    ],
    yes: YesAccepted = False,  # noqa: ARG001
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Withdraw a package from places; it is removed there.

    haulage package unassign HQ100001 --from LA1/SHOP
    """
    made = how.client().delete(path("packages", package_id(package), "places"), None, {"places": _places(to), **_dry(dry_run)})
    left = ", ".join(made["assignments"]) or "no place"
    output.print_made(made, how.output, f"Package {package}{_would(dry_run)} for: {left}.")


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """All packages this server knows.

    haulage package list -o json
    """
    empty = "There is no package; haulage package create makes one."
    output.print_rows(how.client().rows("/packages"), how.output, _LIST, empty=empty)


@app.command
def show(package: str, /, *, how: How = PLAIN) -> None:
    """One package: definition, source, how the last capture went, newest version.

    haulage package show HQ100001
    """
    found = how.client().get(path("packages", package_id(package)))
    output.print_object(found, how.output, _show_columns(found))


@app.command
def versions(package: str, /, *, how: How = PLAIN) -> None:
    """The versions of a package, newest first.

    haulage package versions HQ100001 -o csv
    """
    rows = how.client().rows(path("packages", package_id(package), "versions"))
    output.print_rows(rows, how.output, _VERSIONS, empty=f"{package} has no version yet; haulage package publish {package}")


@app.command
def remove(package: str, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Delete a package everywhere it ever went. Its source is not touched.

    haulage package remove HQ100001 --yes
    """
    package_id(package)
    if not dry_run:
        confirm(f"Delete package {package} at every place?", yes)
    gone = how.client().delete(path("packages", package), {"dry_run": dry_run}) or {}
    done = "would be deleted" if dry_run else "is deleted; places take it away as they hear of it"
    output.print_made({"id": package, "removed": not dry_run, **gone}, how.output, f"Package {package} {done}.")


def _places(names: list[str]) -> list[str]:
    if not names:
        raise UsageError("no-places", "No place was named.", "Name them after --to: CODE, CODE/POINT or @GROUP.")
    return [place_or_group(name) for name in names]


def _where(package: output.Row) -> list[Any]:
    """Groups by their name, and the places named by themselves."""
    return [*(f"@{name}" for name in package.get("groups", [])), *package.get("direct", package["assignments"])]


def _dry(dry_run: bool) -> dict[str, object]:
    return {"dry_run": True} if dry_run else {}


def _would(dry_run: bool) -> str:
    return " (not done, only looked at)" if dry_run else ""


def _show_columns(found: Row) -> list[output.Column]:
    source, newest = found.get("source") or {}, found.get("newest") or {}
    columns = [*_LIST, output.field("revision"), output.field("keep"), output.field("streams")]
    columns += [(f"source {name.replace('_', ' ')}", _inner(source, name)) for name in ("spec", "state", "outcome", "finished")]
    if source.get("error"):
        columns += [(f"capture {name}", _inner(source["error"], name)) for name in ("message", "hint")]
    sizes = {"bytes", "new_bytes"}
    names = ("files", "folders", "symlinks", "streams", "bytes", "new_bytes", "captured", "manifest")
    return columns + [(f"newest {name.replace('_', ' ')}", _inner(newest, name, name in sizes)) for name in names if newest]


def _inner(inner: Row, name: str, is_size: bool = False) -> output.Cell:
    value = inner.get(name)
    return lambda _row: output.size_text(value) if is_size else output.text_of(value)
