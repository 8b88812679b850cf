"""``haulage backup`` and ``haulage restore``: a site saved while it runs, proved, and made again elsewhere."""

from __future__ import annotations

import os
import pwd
from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.errors import HaulageError, NotFoundError
from haulage.cli import output
from haulage.cli.client import Row
from haulage.cli.options import PLAIN, DryRun, How
from haulage.cli.output import Form
from haulage.engine.backup.passphrase import check_passphrase, read_passphrase

PASSPHRASE = "HAULAGE_PASSPHRASE"  # noqa: S105  (the name of a variable)

app = App(
    name="backup",
    help="Save a site while it runs.\n\nhaulage backup /mnt/backups --keep 7\n\nhaulage backup check /mnt/backups/haulage-HQ1-…",
)

PassphraseFile = Annotated[
    str | None, Parameter(help=f"File whose first line is the passphrase of the keys; otherwise {PASSPHRASE}, otherwise none.")
]
Output = Annotated[Form, Parameter(name=["--output", "-o"], help="Form of the answer; JSON is stable.")]

_COLUMNS = (
    output.field("id"),
    output.field("site"),
    output.time_field("taken"),
    output.size_field("bytes"),
    output.field("files"),
    output.field("packages"),
    output.field("versions"),
    output.field("sealed"),
    output.field("content"),
)


@app.default
def take(
    target: Annotated[str, Parameter(help="A folder on the server's machine; each backup becomes a folder in it.")],
    /,
    *,
    content: Annotated[bool, Parameter(negative=(), help="With the content store; otherwise content is got again.")] = False,
    keep: Annotated[int, Parameter(help="So many backups of this site stay in the target; 0 for all.")] = 0,
    passphrase_file: PassphraseFile = None,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Save tables, keys, trust and settings of a site into a new folder below TARGET, and prove the backup by restoring it. The
    server goes on meanwhile; it works without a server, too. Old backups that are not this site's own are never touched.

    haulage backup /mnt/backups --keep 7

    haulage backup /mnt/stick --content --passphrase-file /etc/haulage/backup.passphrase
    """
    passphrase = _passphrase(passphrase_file)
    place = os.path.abspath(target)
    order = {"target": place, "content": content, "keep": keep, "passphrase": passphrase, "dry_run": dry_run}
    try:
        taken = how.client().post("/backups", order)
    except HaulageError as error:
        home = how.home or os.environ.get("HAULAGE_HOME")
        if error.code != "no-server" or home is None:
            raise
        from haulage.wiring.offline_backup import back_up_home  # heavy: databases, keys, content

        actor = f"{_user()} at this machine"
        taken = back_up_home(home, target=place, passphrase=passphrase, content=content, keep=keep, dry_run=dry_run, actor=actor)
    said = f"A backup of site {taken['site']} can be taken into {place}." if dry_run else _said(taken)
    output.print_made(taken, how.output, said, key="path")


@app.command
def check(
    path: Annotated[str, Parameter(help="The folder of one backup.")],
    /,
    *,
    passphrase_file: PassphraseFile = None,
    form: Output = "table",
) -> None:
    """Prove a backup: every byte is what was written, its database can be restored, its keys are the site's. Ends with 7 if not.

    haulage backup check /mnt/backups/haulage-HQ1-20261122T031500Z
    """
    from haulage.wiring.checking_backup import check_backup  # heavy: databases, keys, content

    found = check_backup(os.path.abspath(path), passphrase=_passphrase(passphrase_file))
    output.print_made(found, form, _said(found), key="path")
    if not found["keys_proved"]:
        output.say("The keys in it are under a passphrase and were not looked at: give --passphrase-file to prove them.")


@app.command(name="list")
def list_backups(
    target: Annotated[str, Parameter(help="The folder backups were taken into.")], /, *, form: Output = "table"
) -> None:
    """The backups in a folder, oldest first, of all sites.

    haulage backup list /mnt/backups
    """
    from haulage.wiring.checking_backup import list_backups as find  # heavy: the same

    if not os.path.isdir(target):
        raise NotFoundError("no-such-folder", f"There is no folder {target}.", "Name the folder backups were taken into.")
    output.print_rows(find(os.path.abspath(target)), form, _COLUMNS, empty="There is no backup in it.")


def restore(
    path: Annotated[str, Parameter(help="The folder of one backup.")],
    /,
    *,
    home: Annotated[str, Parameter(env_var="HAULAGE_HOME", help="The folder that becomes the home; new or empty.")],
    passphrase_file: PassphraseFile = None,
    listen: Annotated[str, Parameter(help="HOST:PORT, if it is not to be the one of the backup.")] = "",
    url: Annotated[str, Parameter(help="https://NAME:PORT by which others reach it from now on; for the central site only.")] = "",
    database: Annotated[str, Parameter(help="Another, empty database: sqlite:////PATH or postgresql://…")] = "",
    dry_run: DryRun = False,
    form: Output = "table",
) -> None:
    """Make a site again from a backup that proves whole. Its neighbours notice by its epoch and tell it what it missed; content is
    got from them, from its points and sources. The old server of this site must never run again.

    haulage restore /mnt/backups/haulage-HQ1-20261122T031500Z --home /srv/haulage
    """
    passphrase = _passphrase(passphrase_file)
    if dry_run:
        check(path, passphrase_file=passphrase_file, form=form)
        return
    from haulage.wiring.restoring import RestoreOrder  # heavy: databases, keys, jobs
    from haulage.wiring.restoring import restore as restore_site

    order = RestoreOrder(backup=path, home=home, passphrase=passphrase, listen=listen, url=url, database=database)
    made = restore_site(order, actor=f"{_user()} at this machine")
    absent = made["versions_absent"]
    output.print_made(
        made,
        form,
        f"{made['home']} is the home of site {made['code']} again; next: haulage serve --home {made['home']}",
        key="home",
    )
    if isinstance(absent, list) and absent:
        output.say(f"{len(absent)} versions are to be got again from the parent, the children, the points or the sources.")


def _said(found: Row) -> str:
    size = output.size_text(found["bytes"])
    return (
        f"{found['path']} is a whole backup of site {found['site']}: {found['files']} files, {size}, "
        f"{found['packages']} packages, {found['versions']} versions; {found['rows']} rows were restored to prove it."
    )


def _passphrase(path: str | None) -> str:
    words = os.environ.get(PASSPHRASE, "")
    if path is not None:
        return read_passphrase(path)
    return check_passphrase(words) if words else ""


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"
