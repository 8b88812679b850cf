"""``haulage token``: what programs show instead of a name and a password."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from haulage.cli import output
from haulage.cli.client import path
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, DryRun, How, Yes
from haulage.cli.user import RoleName

app = App(
    name="token",
    help="Tokens: what programs show instead of a name and a password, with a role and an end.\n\n"
    'haulage token create "nightly build" --role operator\n\nhaulage token list',
)

_COLUMNS = (
    output.field("id"),
    output.field("name"),
    output.field("role"),
    output.field("owner"),
    output.time_field("created"),
    output.time_field("expires"),
    output.time_field("used"),
)


@app.command
def create(
    name: Annotated[str, Parameter(help="What it is for.")],
    /,
    *,
    role: Annotated[RoleName, Parameter(help="What it may do; never more than its user.")] = "reader",
    user: Annotated[str, Parameter(help="The user it acts for; without one it is the site's own.")] = "",
    days: Annotated[float, Parameter(help="So long it counts.")] = 365,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Make a token. It is told once, on stdout; nobody can read it again. Use it as HAULAGE_TOKEN with HAULAGE_URL.

    haulage token create "nightly build" --role operator --days 90

    haulage token create laptop --role administrator --user ada
    """
    asked = {"name": name, "role": role, "owner": user, "days": days, "dry_run": dry_run}
    made = how.client().post("/tokens", asked)
    if dry_run:
        output.print_made(made, how.output, f"A token with the role {role} would be made.")
        return
    output.print_made(
        made, how.output, f"This is token {made['id']}, good until {output.time_text(made['expires'])}; keep it now.", key="token"
    )


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """All tokens of this site, with their last use to the hour; never the tokens themselves.

    haulage token list -o json
    """
    output.print_rows(how.client().rows("/tokens"), how.output, _COLUMNS, empty="There is no token besides keys/admin.token.")


@app.command
def withdraw(
    token_id: Annotated[str, Parameter(help="As haulage token list shows it.")],
    /,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """A token counts no more, at once. Whatever still uses it is refused.

    haulage token withdraw 1f0c2b7d --yes
    """
    client = how.client()
    if not dry_run and not yes:
        found = client.delete(path("tokens", token_id), {"dry_run": True})
        confirm(f"Withdraw token {token_id} ({found['name']}), last used {output.time_text(found['used'])}?", yes)
    gone = client.delete(path("tokens", token_id), {"dry_run": dry_run})
    output.print_made(gone, how.output, f"Token {token_id} {'would be' if dry_run else 'is'} withdrawn.")
