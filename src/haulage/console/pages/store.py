"""The content store: room, what was saved, how sound it is; sweeping, checking and repairing it."""

from __future__ import annotations

from haulage.console.frame.asking import CONFIRM, Asked, Reach
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import size
from haulage.domain.people.roles import Role
from haulage.server.core import SiteCore
from haulage.server.store_view import store_view
from haulage.server.store_work import begin

PATH = "/store"


def store_pages(_core: SiteCore) -> tuple[Page, ...]:
    """The store, and asking before it is swept or repaired."""

    def show(visit: Visit) -> Shown:
        return Shown(title="Store", view=store_view(visit.service))

    return (
        Page(path=PATH, template="store.html", show=show, place="store", live=True),
        Page(path=f"{PATH}/sweep", template=CONFIRM, show=_ask_sweep, place="store", role=Role.ADMINISTRATOR),
        Page(path=f"{PATH}/repair", template=CONFIRM, show=_ask_repair, place="store", role=Role.ADMINISTRATOR),
    )


def store_writes(_core: SiteCore) -> tuple[Write, ...]:
    """Each begins in the background; the page tells how it goes on."""

    def starts(what: str, said: str) -> Write:
        def act(visit: Visit) -> Done:
            begin(visit.service, visit.actor, what)
            return Done(to=PATH, said=said)

        return Write(path=f"{PATH}/{what}", act=act, role=Role.ADMINISTRATOR)

    return (
        starts("sweep", "The sweep has begun."),
        starts("foretell", "It is being reckoned what a sweep would give back."),
        starts("check", "The check has begun: everything is being read."),
        starts("repair", "The check has begun; what is damaged is replaced afterwards."),
    )


def _ask_sweep(visit: Visit) -> Shown:
    stats = visit.service.store.stats()
    asked = Asked(
        title="Sweep the store",
        words="What no version that is held needs any more is removed, and room is given back. What is referenced or in flight "
        "stays. The server does this by itself each night.",
        reach=(
            Reach(text="chunks are looked at", count=stats.chunks),
            Reach(text=f"{size(stats.bytes_stored)} are stored now; how much goes is told by “What would go?” on the page before"),
        ),
        action=f"{PATH}/sweep",
        button="Sweep now",
        back=PATH,
    )
    return Shown(title=asked.title, view=asked)


def _ask_repair(visit: Visit) -> Shown:
    stats = visit.service.store.stats()
    asked = Asked(
        title="Check the store and repair it",
        words="Every byte is read and compared. What is damaged is replaced from whoever holds the right bytes: neighbours, "
        "points, sources. Nothing is spread that is not proven. It takes as long as reading the whole store does.",
        reach=(
            Reach(text=f"{size(stats.bytes_stored)} are read"),
            Reach(text="chunks are known to be damaged", count=len(visit.service.store.damaged())),
        ),
        action=f"{PATH}/repair",
        button="Check and repair",
        back=PATH,
    )
    return Shown(title=asked.title, view=asked)
