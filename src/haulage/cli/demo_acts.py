"""The first five acts of the demo: each does something through the command line, checks what must hold, and returns its number."""

from __future__ import annotations

import os
from dataclasses import dataclass

from haulage.base.errors import NotFoundError
from haulage.cli.client import Client, Row, path
from haulage.cli.demo_stage import Stage
from haulage.cli.output import size_text
from haulage.testing import demo_payload

SITES = ("HQ1", "CHI", "LA1")
POINTS = {"HQ1": "HQ1/MAIN", "CHI": "CHI/DEPOT", "LA1": "LA1/SHOP"}
_LARGE_BYTES = 96 << 20
_KILL_BETWEEN = (0.4, 0.9)
_RESENT_MOST = 17 * 1024 * 1024
"""One batch that was not whole, and one piece on the way, with their heads."""
_MORE_TRIES = 8
_ARRIVAL = "300s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An act in one line and one number."""

    title: str
    line: str
    number: str


def arrives(stage: Stage, source: str) -> tuple[str, Told]:
    """From one folder to three sites and three points; what LA1 gives back is the same tree."""
    package = str(stage.run("HQ1", "package", "create", "Python", "--source", source)["id"])
    for site, point in POINTS.items():
        stage.run("HQ1", "point", "add", point, "--url", f"folder:{stage.point(site)}")
    stage.run("HQ1", "package", "assign", package, "--to", *POINTS.values())
    version = stage.run("HQ1", "package", "publish", package, "--wait")
    rows = stage.run("HQ1", "package", "status", package, "--wait", "present", "--timeout", _ARRIVAL)
    _check(stage, {row["place"] for row in rows} == {*SITES, *POINTS.values()}, "the package is not at all six places")
    there = [stage.run(site, "package", "versions", package)[0] for site in SITES]
    _check(stage, all(one["streams"] == version["streams"] for one in there), "streams are missing at a site")
    stage.run("LA1", "package", "verify", package, "--at", POINTS["LA1"])
    again = _captured_again(stage, package)
    _check(stage, again["manifest"] == version["manifest"], "what LA1 gives back is not what HQ1 captured")
    line = (
        f"{version['files']} files with {version['streams']} streams are at 3 sites and 3 points; {POINTS['LA1']} was read again "
        f"byte by byte, and what LA1 extracts has the identity {version['manifest'][:12]} again"
    )
    return package, Told(title="It arrives", line=line, number=f"{size_text(version['bytes'])}, {version['streams']} streams")


def plain_copy(stage: Stage, source: str, package: str) -> Told:
    """What any copy that knows only names and bytes leaves behind."""
    copy = stage.path("plain-copy")
    demo_payload.plain_copy(source, copy)
    other = stage.run("HQ1", "package", "create", "Plain copy", "--source", copy)["id"]
    copied = stage.run("HQ1", "package", "publish", other, "--wait")
    kept = stage.run("HQ1", "package", "versions", package)[0]
    had, has = demo_payload.riches(source), demo_payload.riches(copy)
    _check(stage, copied["streams"] == has.streams == 0 < kept["streams"], "the plain copy kept streams")
    stage.run("HQ1", "package", "remove", other, "--yes")
    line = (
        f"cp of the same folder lost {had.streams} of {had.streams} streams ({size_text(had.stream_bytes)}) and "
        f"{had.attributes - has.attributes} of {had.attributes} attributes, without a word"
    )
    return Told(title="A plain copy", line=line, number=f"{copied['streams']} of {kept['streams']} streams")


def update(stage: Stage, source: str, package: str) -> Told:
    """Version 2: only what changed crosses the links."""
    changes = demo_payload.small_update(source)
    version = stage.run("HQ1", "package", "publish", package, "--wait")
    stage.run("HQ1", "package", "status", package, "--wait", "present", "--timeout", _ARRIVAL)
    differences = len(stage.run("HQ1", "package", "diff", f"{package}:1", f"{package}:2"))
    rows = stage.rows("HQ1", package)
    wire = {site: int(rows[site]["bytes_wire"]) for site in ("CHI", "LA1")}
    _check(stage, all(0 < sent < version["bytes"] / 20 for sent in wire.values()), f"version 2 cost {wire} bytes on the wire")
    sent, full = wire["CHI"], version["bytes"]
    line = (
        f"{changes} changes, {differences} paths differ, one folder renamed: {size_text(sent)} to CHI and {size_text(wire['LA1'])} "
        f"to LA1; a full copy is {size_text(full)}"
    )
    return Told(title="Version 2", line=line, number=f"{size_text(sent)} of {size_text(full)} ({100 * sent / full:.2g} %)")


def killed(stage: Stage) -> Told:
    """CHI is killed in the middle of a transfer; what it had stored, it keeps."""
    source, size = stage.path("image"), _LARGE_BYTES
    demo_payload.make_image(source, size, 1)
    package = str(stage.run("HQ1", "package", "create", "Disk image", "--source", source)["id"])
    stage.run("HQ1", "package", "assign", package, "--to", "CHI", "LA1")
    for wanted in (1, 2, 3):
        begun = _served(stage, "CHI")
        stage.run("HQ1", "package", "publish", package)
        row = _kill_in_transfer(stage, package, wanted)
        if row is not None:
            return _after_kill(stage, package, row, begun)
        stage.run("HQ1", "package", "status", package, "--wait", "present", "--timeout", _ARRIVAL)
        size *= 2
        demo_payload.make_image(source, size, wanted + 1)
    raise stage.failed("every transfer was over before CHI could be killed")


def broken_point(stage: Stage) -> tuple[Told, str]:
    """One point is broken: it alone is tried again; nobody below hears of it. Returns what ``explain`` said, too."""
    point, folder, source = POINTS["HQ1"], stage.point("HQ1"), stage.path("notice")
    demo_payload.make_notice(source, "The share of HQ1 is being repaired.\n")
    package = str(stage.run("HQ1", "package", "create", "Notice", "--source", source)["id"])
    os.rename(folder, folder + ".away")
    with open(folder, "wb"):
        pass
    stage.run("HQ1", "package", "assign", package, "--to", *POINTS.values())
    stage.run("HQ1", "package", "publish", package, "--wait")
    client = stage.client("HQ1")

    def rows() -> dict[str, Row]:
        return {row["place"]: row for row in client.rows(path("packages", package, "status"))}

    def others_have_it() -> bool:
        return all(row["present"] == 1 for place, row in rows().items() if place != point)

    stage.until(others_have_it, 120.0, "the other places did not get the package")
    stage.until(lambda: rows()[point]["tries"] > 0, 30.0, f"{point} was not tried")
    stage.until(lambda: _is_quiet(stage), 30.0, "the streams between the sites did not become quiet")
    first, sent = rows()[point]["tries"], _sent(stage)
    stage.until(lambda: rows()[point]["tries"] >= first + _MORE_TRIES, 60.0, f"{point} was not tried again")
    last, caused = rows()[point]["tries"], _difference(_sent(stage), sent)
    _check(stage, not any(caused.values()), f"{last - first} tries at {point} caused {caused}")
    explained = stage.text("HQ1", "explain", package, "--at", point)
    os.unlink(folder)
    os.rename(folder + ".away", folder)
    stage.run("HQ1", "package", "retry", package, "--at", point, "--wait")
    rows_now = stage.run("HQ1", "package", "status", package, "--wait", "present", "--timeout", _ARRIVAL)
    line = (
        f"{point} failed {last} times and alone knows of it: {last - first} tries caused {caused['messages']} messages and "
        f"{caused['bytes'] + caused['parcels']} bytes towards children; healed, it is one of {len(rows_now)} places that have it"
    )
    return Told(title="A broken point", line=line, number=f"{last} tries, {caused['messages']} jobs towards children"), explained


def _captured_again(stage: Stage, package: str) -> Row:
    """LA1 extracts what it holds and captures that as a package of its own: one tree, one identity (I23)."""
    target = stage.path("extracted")
    stage.run("LA1", "package", "extract", package, "--to", target)
    other = stage.run("LA1", "package", "create", "Proof", "--source", target)["id"]
    captured: Row = stage.run("LA1", "package", "publish", other, "--wait")
    stage.run("LA1", "package", "remove", other, "--yes")
    return captured


def _kill_in_transfer(stage: Stage, package: str, wanted: int) -> Row | None:
    """Kill CHI between two marks of its transfer; returns what it had said last, or None if it was too fast."""
    client = stage.client("CHI")
    seen: Row | None = None
    over = False

    def reached() -> bool:
        nonlocal seen, over
        row = _own_row(client, package)
        if row is None:
            return False
        seen, over = row, row["present"] >= wanted
        share = row["bytes_done"] / row["bytes_planned"] if row["bytes_planned"] else 0.0
        return over or (row["wanted"] == wanted and row["state"] == "moving" and share >= _KILL_BETWEEN[0])

    stage.until(reached, 120.0, "CHI did not begin to receive", pause_seconds=0.01)
    if seen is None or over or seen["bytes_done"] > _KILL_BETWEEN[1] * seen["bytes_planned"]:
        return None
    stage.kill("CHI")
    return seen


def _own_row(client: Client, package: str) -> Row | None:
    """What CHI says of itself; None while it has not heard of the package."""
    try:
        return next((row for row in client.rows(path("packages", package, "status")) if row["place"] == "CHI"), None)
    except NotFoundError:
        return None


def _after_kill(stage: Stage, package: str, row: Row, begun: int) -> Told:
    """What CHI had stored when it died is not asked for again; what was on the way has to be."""
    parcel, had = int(row["bytes_planned"]), int(row["bytes_done"])
    left = _settled_served(stage)
    stage.start("CHI")
    stage.run("HQ1", "package", "status", package, "--wait", "present", "--timeout", _ARRIVAL)
    again = _served(stage, "CHI") - left
    _check(stage, again > 0, "HQ1 did not count what it served")
    _check(stage, again < parcel, f"after the kill HQ1 sent {again} bytes, as much as the whole parcel of {parcel}")
    resent = max(left - begun + again - parcel, 0)
    _check(stage, resent <= _RESENT_MOST, f"after the kill HQ1 sent {resent} bytes a second time")
    line = (
        f"CHI died with {size_text(had)} of {size_text(parcel)} stored, was started again and asked for the rest; "
        f"{size_text(resent)} of what was sent before had to be sent again, not {size_text(left - begun)}"
    )
    return Told(title="A killed server", line=line, number=f"{size_text(resent)} of {size_text(parcel)} resent")


def _settled_served(stage: Stage) -> int:
    """What was served once the server has noticed that nobody reads any more."""
    seen = [-1]

    def is_settled() -> bool:
        seen.append(_served(stage, "CHI"))
        return seen[-1] == seen[-2]

    stage.until(is_settled, 20.0, "HQ1 went on serving a dead child", pause_seconds=0.2)
    return seen[-1]


def _served(stage: Stage, child: str) -> int:
    """Bytes of parcels HQ1 has handed to a child."""
    return int(stage.run("HQ1", "site", "show")["served"].get(child, {"bytes": 0})["bytes"])


def _links(stage: Stage) -> dict[str, Row]:
    """Towards each child of each site: the counters of the stream."""
    found = {}
    for site, child in (("HQ1", "CHI"), ("CHI", "LA1")):
        rows = {row["code"]: row for row in stage.run(site, "site", "list")}
        found[child] = rows[child]["link"]
    return found


def _sent(stage: Stage) -> dict[str, int]:
    links = _links(stage).values()
    return {
        "messages": sum(link["messages_sent"] for link in links),
        "bytes": sum(link["bytes_sent"] for link in links),
        "parcels": _served(stage, "CHI"),
    }


def _is_quiet(stage: Stage) -> bool:
    return all(
        link["messages_waiting"] == 0 and link["messages_sent"] == link["messages_acknowledged"] for link in _links(stage).values()
    )


def _difference(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after}


def _check(stage: Stage, holds: bool, otherwise: str) -> None:
    if not holds:
        raise stage.failed(otherwise)
