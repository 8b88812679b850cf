"""Who is told of status messages by webhook and mail: how that stands, and trying one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from haulage.console.frame.page import Done, Page, Shown, Visit, Write, inward
from haulage.domain.people.roles import Role
from haulage.domain.telling.notifier import Outcome
from haulage.domain.telling.views import NotifierView
from haulage.operations.notifiers import ask_test

PATH = "/settings/notifications"


class Notifiers(msgspec.Struct, frozen=True, kw_only=True):
    """Every receiver."""

    items: Sequence[NotifierView]


def notification_pages() -> tuple[Page, ...]:
    """The one there is."""
    return (Page(path=PATH, template="notifications.html", show=_show, place="notifications", role=Role.ADMINISTRATOR),)


def notification_writes() -> tuple[Write, ...]:
    """The one there is."""
    return (Write(path=PATH + "/{name}/test", act=_test, role=Role.ADMINISTRATOR),)


def _show(visit: Visit) -> Shown:
    items = sorted(visit.service.teller.views(), key=lambda one: (one.state == "working", one.name))
    return Shown(title="Notifications", view=Notifiers(items=items))


def _test(visit: Visit) -> Done:
    name = visit.path["name"]
    visit.service.teller.find(name)
    said = ask_test(visit.desk, visit.actor, name)
    answer = asyncio.run(visit.service.teller.test(name, said))
    outcome = "was told" if answer.outcome is Outcome.TOLD else "was not told"
    return Done(to=inward(visit.form.get("to", PATH)), said=f"{name} {outcome}; it answered: {answer.said}")
