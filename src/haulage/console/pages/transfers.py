"""Transfers: what is on its way, live, with what crossed the lines by the hour; and holding, releasing, cancelling one or many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from haulage.base.errors import NotFoundError
from haulage.base.ids import package_id, place
from haulage.console.frame.asking import CONFIRM, Asked
from haulage.console.frame.asking import Reach as Line
from haulage.console.frame.page import Done, Page, Shown, Visit, Write, inward
from haulage.console.frame.rendering import address
from haulage.domain.people.roles import Role
from haulage.domain.reporting.moving.records import pairs_of
from haulage.domain.reporting.moving.wanted import STATES, Wanted
from haulage.domain.reporting.transfer_files import FileList, files_of
from haulage.domain.reporting.transfer_reach import Reach, reach
from haulage.domain.reporting.transfers import TransferRow, counts, transfers
from haulage.domain.transit.hourly import traffic_view
from haulage.operations import orders
from haulage.operations.desk import require_package
from haulage.server.api.transfers import checked
from haulage.server.core import SiteCore

PATH = "/transfers"
ROWS = 100
SPANS = {24: "24 hours", 168: "7 days", 720: "30 days"}
DONE: dict[orders.Word, str] = {"hold": "held", "release": "released", "cancel": "cancelled"}
WORDS: dict[orders.Word, str] = {
    "hold": "They stop, keep what has arrived, and wait until somebody releases them; newer versions wait, too. What is present "
    "stays in use. What is fed by a site that is held waits with it.",
    "release": "They go on at once, with what has arrived.",
    "cancel": "The versions under way do not come, and what has arrived of them is given up. What is present stays in use; a newer "
    "version comes by itself.",
}


class TransfersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the address may say."""

    package: str = ""
    site: str = ""
    place: str = ""
    state: str = "open"
    reason: str = ""
    hours: int = 24
    after: str = ""
    back: str = ""

    @property
    def filter(self) -> Wanted:
        """The transfers that are meant. Raises UsageError."""
        return checked(
            Wanted(package=self.package, site=self.site, place=self.place, state=self.state or "open", reason=self.reason)
        )

    @property
    def words(self) -> dict[str, object]:
        """As an address has them."""
        first = TransfersQuery()
        kept = {name: value for name, value in msgspec.to_builtins(self).items() if value != getattr(first, name)}
        return {name: value for name, value in kept.items() if value != ""}


class TransfersPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list; ``traffic`` has a point for each bar of the chart."""

    query: Mapping[str, object]
    state: str
    states: Sequence[str]
    items: Sequence[TransferRow]
    cursor: str | None
    counts: Mapping[str, int]
    hours: int
    spans: Mapping[int, str]
    traffic: Sequence[Mapping[str, object]]
    bytes_wire: int
    bytes_reused: int


class FilesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which transfer, and from where on."""

    package: str
    place: str
    after: str = ""


class FilesPage(FileList, frozen=True, kw_only=True):
    """A page of the files that come, and what the package is called."""

    name: str


def transfer_pages(_core: SiteCore) -> tuple[Page, ...]:
    """The list, the files of one, and what is asked before many are held, released or cancelled."""
    asking = tuple(
        Page(
            path=f"{PATH}/{word}",
            template=CONFIRM,
            show=_asker(word),
            query=TransfersQuery,
            place="transfers",
            role=Role.OPERATOR,
            has_json=False,
        )
        for word in DONE
    )
    page = Page(path=PATH, template="transfers.html", show=_show, query=TransfersQuery, place="transfers", live=True, rows=_rows)
    files = Page(path=f"{PATH}/files", template="transfer_files.html", show=_files, query=FilesQuery, place="transfers")
    return (page, files, *asking)


def transfer_writes(_core: SiteCore) -> tuple[Write, ...]:
    """Saying it: of one transfer, or of all a filter leaves."""
    return tuple(Write(path=f"{PATH}/{word}", act=_sayer(word)) for word in DONE)


def _show(visit: Visit) -> Shown:
    asked: TransfersQuery = visit.query
    core, now = visit.service.core, visit.service.clock.now()
    hours = asked.hours if asked.hours in SPANS else 24
    with core.database.reading() as tx:
        found = transfers(tx, asked.filter, now=now, here=core.code, limit=ROWS, cursor=asked.after or None)
        crossed = traffic_view(tx, now=now, hours=hours)
        tally = counts(tx, now=now)
    view = TransfersPage(
        query=asked.words,
        state=asked.state or "open",
        states=STATES,
        items=found.items,
        cursor=found.cursor,
        counts=tally,
        hours=hours,
        spans=SPANS,
        traffic=bars_of(crossed),
        bytes_wire=int(str(crossed["bytes_wire"])),
        bytes_reused=int(str(crossed["bytes_reused"])),
    )
    return Shown(title="Transfers", view=view)


def _files(visit: Visit) -> Shown:
    asked: FilesQuery = visit.query
    package, where, core = package_id(asked.package), place(asked.place), visit.service.core
    found = files_of(core.database, visit.service.store, package, where, limit=ROWS, cursor=asked.after or None)
    with core.database.reading() as tx:
        name = require_package(tx, package).name
    view = FilesPage(name=name, **{field: getattr(found, field) for field in found.__struct_fields__})
    return Shown(title=f"Files of {package} for {where}", view=view)


def bars_of(crossed: Mapping[str, object]) -> list[dict[str, object]]:
    """A view of traffic as bars: one for each hour, of a month one for each day."""
    rows = crossed["rows"]
    assert isinstance(rows, list)
    by_day = len(rows) > 200
    sums: dict[dt.datetime, int] = {}
    for row in rows:
        moment = dt.datetime.fromisoformat(row["hour"])
        at = moment.replace(hour=0) if by_day else moment
        sums[at] = sums.get(at, 0) + int(row["bytes_wire"])
    form = "%d %B" if by_day else "%d %B %H:%M"
    return [
        {"label": f"{at:{form}}", "value": amount, "words": _size(amount), "seconds": round(at.timestamp())}
        for at, amount in sums.items()
    ]


def _size(amount: int) -> str:
    size, units = float(amount), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{amount} bytes" if units[0] == "bytes" else f"{size:.1f} {units[0]}"


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    asked: TransfersQuery = visit.query
    core, cursor = visit.service.core, None
    while True:
        with core.database.reading() as tx:
            page = transfers(tx, asked.filter, now=visit.service.clock.now(), here=core.code, limit=1000, cursor=cursor)
        yield from (_cells(row) for row in page.items)
        if page.cursor is None:
            return
        cursor = page.cursor


_CELLS = (
    *("package", "name", "version", "present", "place", "sender", "state", "reason", "word", "word_by", "bytes_planned"),
    *("bytes_done", "bytes_reused", "bytes_new", "bytes_wire", "rate", "eta", "late", "due", "tries", "since", "updated"),
)


def _cells(row: TransferRow) -> dict[str, object]:
    """A transfer as a line of a spreadsheet."""
    cells = {name: "" if getattr(row, name) is None else getattr(row, name) for name in _CELLS}
    error = row.error
    return cells | {"asked": "" if row.asked is None else row.asked.action, "error": "" if error is None else error.message}


def _asker(word: orders.Word) -> Callable[[Visit], Shown]:
    def show(visit: Visit) -> Shown:
        asked: TransfersQuery = visit.query
        wanted, back = asked.filter, inward(asked.back or PATH)
        core, now = visit.service.core, visit.service.clock.now()
        with core.database.reading() as tx:
            told = reach(tx, word, wanted, now=now)
        if not told.transfers:
            raise NotFoundError(
                f"nothing-to-{word}", f"There is nothing to {word} among the transfers {wanted.words}.", "Look at the list."
            )
        fields = {name: value for name, value in msgspec.to_builtins(wanted).items() if value} | {"to": back}
        view = Asked(
            title=f"{word.capitalize()} {told.transfers} {'transfer' if told.transfers == 1 else 'transfers'}?",
            words=WORDS[word],
            reach=_lines(word, told, wanted),
            action=f"{PATH}/{word}",
            fields=fields,
            button=f"{word.capitalize()} {'it' if told.transfers == 1 else 'them'}",
            back=back,
            dangerous=word == "cancel",
        )
        return Shown(title=view.title, view=view)

    return show


def _lines(word: str, told: Reach, wanted: Wanted) -> list[Line]:
    href = address(PATH, {name: value for name, value in msgspec.to_builtins(wanted).items() if value})
    lines = [Line(text=f"transfers {told.what}", count=told.transfers, href=href)]
    lines.append(Line(text=f"places at {told.sites} {'site' if told.sites == 1 else 'sites'}", count=told.places))
    if told.moving:
        lines.append(Line(text="are moving at this moment", count=told.moving))
    if told.present:
        lines.append(Line(text="are there already; only newer versions are concerned", count=told.present))
    if told.left_bytes:
        what = "still to come" if word == "release" else "that have not arrived"
        lines.append(Line(text=f"{_size(told.left_bytes)} {what}"))
    return lines


def _sayer(word: orders.Word) -> Callable[[Visit], Done]:
    def act(visit: Visit) -> Done:
        form = {name: visit.form.get(name, "") for name in ("package", "site", "place", "state")}
        to = inward(visit.form.get("to", PATH))
        if form["package"] and form["place"]:
            package, where = package_id(form["package"]), place(form["place"])
            orders.say_of_transfer(visit.service.desk, visit.actor, word, package, where)
            return Done(to=to, said=f"{package} at {where} is {DONE[word]}, as soon as its site hears of it.")
        wanted, core = checked(Wanted(**{**form, "state": form["state"] or "open"})), visit.service.core
        with core.database.reading() as tx:
            now = visit.service.clock.now()
            pairs = pairs_of(tx, word, wanted, now=now, limit=orders.TOGETHER_MAX + 1)
        orders.say_of_transfers(visit.service.desk, visit.actor, word, pairs, wanted.words)
        return Done(to=to, said=f"{len(pairs)} transfers are {DONE[word]}, as soon as their sites hear of it.")

    return act
