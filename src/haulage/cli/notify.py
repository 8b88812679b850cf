"""``haulage notify``: who is told of status messages by webhook and mail, and trying one."""

from __future__ import annotations

from cyclopts import App

from haulage.base.errors import TransferError
from haulage.cli import output
from haulage.cli.client import path
from haulage.cli.options import PLAIN, How

app = App(
    name="notify",
    help="Webhooks and mails about status messages, set in haulage.toml.\n\nhaulage notify list\n\nhaulage notify test NAME",
)

_COLUMNS = (
    output.field("name"),
    output.field("kind"),
    output.field("state"),
    output.field("to"),
    output.field("filter"),
    output.field("waiting"),
    output.field("told"),
    output.time_field("told_at"),
    output.field("skipped"),
    output.time_field("due", "next try"),
    output.field("failure"),
)


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """Who is told, of what, and how that stands.

    haulage notify list
    """
    rows = list(how.client().rows("/notifiers"))
    output.print_rows(
        rows, how.output, _COLUMNS, empty="Nobody is told. See [[notify.webhook]] and [[notify.email]] in docs/settings.md."
    )


@app.command(name="test")
def try_(name: str, /, *, how: How = PLAIN) -> None:
    """Send one message now, whatever the filter, and say what the receiver answered. Ends with 5 if it was not told.

    haulage notify test ops
    """
    found = how.client().post(path("notifiers", name, "test"))
    output.print_made(found, how.output, f"{name} answered: {found['answer']}")
    if not found["told"]:
        raise TransferError("not-told", f"{name} was not told.", "haulage kb show HLG520 goes through the causes.")
