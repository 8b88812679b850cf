"""``haulage user``: who may sign in at a site, and what they may do."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.cli import output
from haulage.cli.client import Row, path
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, DryRun, How, Yes
from haulage.cli.secret_entry import new_password, own_passwords

app = App(
    name="user",
    help="Who may sign in at this site: readers see, operators change what is distributed, administrators the rest.\n\n"
    "haulage user add ada --role operator\n\nhaulage user list",
)

RoleName = Literal["reader", "operator", "administrator"]
Name = Annotated[str, Parameter(help="The name the user signs in with.")]
Shown = Annotated[str | None, Parameter(name="--name", help="The name people know the user by.")]

_COLUMNS = (
    output.field("name"),
    output.field("display_name", "known as"),
    output.field("role"),
    output.field("disabled"),
    output.time_field("signed_in"),
    output.field("sessions"),
    output.field("tokens"),
)
_FACTS = (*_COLUMNS[:4], output.field("has_password"), output.time_field("created"), *_COLUMNS[4:])


@app.command
def add(
    name: Name,
    /,
    *,
    role: Annotated[RoleName, Parameter(help="What the user may do.")] = "reader",
    shown: Shown = None,
    no_password: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Only tokens act for this user, as for a program.")
    ] = False,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Let somebody sign in. The password is typed, or read from standard input; it is never an argument.

    haulage user add ada --role operator --name "Ada Lovelace"

    haulage user add nightly --role operator --no-password
    """
    asked: Row = {"name": name, "role": role, "display_name": shown or "", "dry_run": dry_run}
    if not no_password and not dry_run:
        asked["password"] = new_password(name)
    made = how.client().post("/users", asked)
    done = "may be" if dry_run else "is"
    output.print_made(made, how.output, f"User {made['name']} {done} {role} here.")


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """All users of this site; those of other sites are not known here.

    haulage user list -o json
    """
    empty = "There is no user yet; haulage user add makes one. Whoever can read keys/admin.token signs in with that."
    output.print_rows(how.client().rows("/users"), how.output, _COLUMNS, empty=empty)


@app.command
def show(name: Name, /, *, how: How = PLAIN) -> None:
    """One user.

    haulage user show ada -o json
    """
    output.print_object(how.client().get(path("users", name)), how.output, _FACTS)


@app.command
def me(*, how: How = PLAIN) -> None:
    """Whose token this command uses, and what it may do.

    haulage user me
    """
    columns = (output.field("name"), output.field("role"), output.field("role_words", "may"), output.field("token"))
    output.print_object(how.client().get("/me"), how.output, columns)


@app.command(name="set")
def set_(
    name: Name,
    /,
    *,
    role: Annotated[RoleName | None, Parameter(help="What the user may do from now on.")] = None,
    shown: Shown = None,
    disable: Annotated[bool, Parameter(negative=(), show_default=False, help="The user may not sign in, nor its tokens.")] = False,
    enable: Annotated[bool, Parameter(negative=(), show_default=False, help="The user may again.")] = False,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Change what is said of a user. Another role, and disabling, end its sessions at once.

    haulage user set ada --role administrator

    haulage user set ada --disable
    """
    if disable and enable:
        raise UsageError("usage", "--disable and --enable are not both possible.", "Give one of them.")
    change: Row = {"role": role, "display_name": shown, "disabled": True if disable else False if enable else None}
    given = {key: value for key, value in change.items() if value is not None}
    if not given:
        raise UsageError("usage", "Nothing is to be different.", "Give --role, --name, --disable or --enable.")
    made = how.client().patch(path("users", name), {**given, "dry_run": dry_run})
    done = "would be changed" if dry_run else "is changed"
    output.print_made(made, how.output, f"User {made['name']} {done}; {_ended(made['sessions_ended'], dry_run)}.")


@app.command
def password(
    name: Annotated[str | None, Parameter(help="The user; without one it is you.")] = None, /, *, how: How = PLAIN
) -> None:
    """Give a user another password; its sessions end. Typed, or read from standard input: for your own, first the one so far.

    haulage user password ada

    haulage user password ada < new-password.txt
    """
    client = how.client()
    if name is None:
        old, new = own_passwords()
        done = client.put("/me/password", {"old": old, "password": new})
    else:
        done = client.put(path("users", name, "password"), {"password": new_password(name)})
    sentence = f"User {done['id']} has another password; {_ended(done['sessions_ended'], dry_run=False)}."
    output.print_made(done, how.output, sentence)


@app.command
def remove(name: Name, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Remove a user: its sessions and tokens end at once. What it did stays in the status messages.

    haulage user remove ada --yes
    """
    client = how.client()
    if not dry_run and not yes:
        reach = client.delete(path("users", name), {"dry_run": True})
        confirm(f"Remove user {name}, with {reach['tokens_withdrawn']} tokens and {reach['sessions_ended']} sessions?", yes)
    gone = client.delete(path("users", name), {"dry_run": dry_run})
    done = "would be removed" if dry_run else "is removed"
    output.print_made(
        gone, how.output, f"User {name} {done}, with {gone['tokens_withdrawn']} tokens and {gone['sessions_ended']} sessions."
    )


def _ended(sessions: int, dry_run: bool) -> str:
    if not sessions:
        return "nobody is signed out by it"
    return f"{sessions} sessions {'would end' if dry_run else 'ended'}"
