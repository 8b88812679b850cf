"""The reference pages that are made from code: ``python -m haulage.testing.documents`` writes them, a test checks that they are
current. One entry in ``PAGES`` per page."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from haulage.base.settings import documented
from haulage.domain.catalog.model import CAPTURE_MEANING, CaptureState
from haulage.domain.estate.model import SITE_STATUS_MEANING, SiteStatus
from haulage.domain.transit.states import ALLOWED, MEANING, REASON_MEANING, Reason, ShipmentState
from haulage.engine.status import (
    on_backups,
    on_fixes,
    on_knowledge,
    on_packages,
    on_people,
    on_places,
    on_requests,
    on_server,
    on_sites,
    on_telling,
    on_transfers,
)
from haulage.engine.status.message import Message
from haulage.testing.command_page import commands
from haulage.testing.covered import KINDS, covered, numbers_of

Page = Callable[[str], str]
"""From the top of the project, where only the page about its tests looks, to the text."""

_GROUPS: tuple[tuple[str, tuple[Message, ...]], ...] = (
    ("Packages", on_packages.MESSAGES),
    ("Transfers and places", (*on_places.MESSAGES, *on_transfers.MESSAGES)),
    ("Sites and what travels between them", on_sites.MESSAGES),
    ("Server, store and database", on_server.MESSAGES),
    ("Telling others by webhook and mail", on_telling.MESSAGES),
    ("Backup and restore", on_backups.MESSAGES),
    ("Articles", on_knowledge.MESSAGES),
    ("Fixes", on_fixes.MESSAGES),
    ("Users, tokens and sign-in", on_people.MESSAGES),
    ("What people asked for", on_requests.MESSAGES),
)


def settings(_top: str) -> str:
    """docs/settings.md."""
    parts = [
        "# Settings",
        "`haulage.toml` in the home directory. Every setting may be left out. An unknown one, or a value that could not work, is "
        "refused when the server starts, with its line and the nearest known name. Secrets never stand in it.",
    ]
    for section, sentence, rows in documented():
        parts.append(f"## [{section}]\n\n{sentence}")
        lines = ["| setting | type | default | range | meaning |", "|---|---|---|---|---|"]
        for name, kind, default, limits, doc in rows:
            lines.append(f"| `{name}` | {kind} | `{default}` | {_cell(limits)} | {_cell(doc)} |")
        parts.append("\n".join(lines))
    return _page(parts)


def status_messages(_top: str) -> str:
    """docs/status-messages.md."""
    parts = [
        "# Status messages",
        "`haulage status list` shows what happened, `haulage status explain NUMBER` shows an entry of this page. A number means "
        "one thing for ever and is never used again. 2302, 2321, 2328, 2339 and 3500 mean what they meant in SMS 2.0.",
        "Of one number about one package and place, 20 are kept at once and then one a minute; the rest is counted, and the next "
        "one kept says how many. What people asked for is always kept.",
    ]
    for title, messages in _GROUPS:
        parts.append(f"## {title}")
        parts += [_message(message) for message in sorted(messages, key=lambda each: each.number)]
    return _page(parts)


def cli(_top: str) -> str:
    """docs/cli.md."""
    title, _gap, rest = commands().partition("\n\n")
    return _page([title, rest])


def states(_top: str) -> str:
    """docs/states.md."""
    moves = {state: ", ".join(sorted(f"`{after.value}`" for after in ALLOWED[state])) for state in ShipmentState}
    shipments = [f"| `{state.value}` | {_cell(MEANING[state])} | {moves[state]} |" for state in ShipmentState]
    return _page(
        [
            "# States",
            "Each state is one word; where it may lead stands in one table, and a move that is not in it is a defect.",
            "## Shipments\n\nOne package at one place. Only the site that owns the place moves it; "
            "every site above shows what it reported.",
            "\n".join(["| state | meaning | may become |", "|---|---|---|", *shipments]),
            "A shipment that waits says for what:",
            _meanings([(reason.value, REASON_MEANING[reason]) for reason in Reason if reason.value]),
            "## Sites",
            _meanings([(status.value, SITE_STATUS_MEANING[status]) for status in SiteStatus]),
            "## Captures of a source",
            _meanings([(state.value, CAPTURE_MEANING[state]) for state in CaptureState]),
        ]
    )


def covered_failures(top: str) -> str:
    """docs/covered.md."""
    known = covered(top)
    parts = [
        "# Covered failures",
        "What is known to have gone wrong elsewhere, or could, has an id, and a test that stands against it carries the id in its "
        "name: `test_b53_…` stands against B53. Run those of one id with `pytest -k test_b53_`.",
    ]
    for kind, meaning in KINDS:
        rows = [f"| {one} | {_files(known[one])} |" for one in numbers_of(kind, known)]
        if rows:
            parts.append(f"## {meaning}\n\n{len(rows)} ids.")
            parts.append("\n".join(["| id | tests in |", "|---|---|", *rows]))
    return _page(parts)


def _files(tests: Mapping[str, Sequence[str]]) -> str:
    return "<br>".join(f"`{path}` ({len(names)})" if len(names) > 1 else f"`{path}`" for path, names in sorted(tests.items()))


def _meanings(rows: list[tuple[str, str]]) -> str:
    return "\n".join(["| word | meaning |", "|---|---|", *(f"| `{word}` | {_cell(meaning)} |" for word, meaning in rows)])


PAGES: dict[str, Page] = {
    "docs/cli.md": cli,
    "docs/covered.md": covered_failures,
    "docs/settings.md": settings,
    "docs/states.md": states,
    "docs/status-messages.md": status_messages,
}
"""File, from the top of the project, to what it should hold."""


def stale(top: str) -> list[str]:
    """The pages whose file is not what the code says."""
    found = []
    for path, page in PAGES.items():
        try:
            with open(os.path.join(top, path), encoding="utf-8") as file:
                current = file.read()
        except FileNotFoundError:
            current = ""
        if current != page(top):
            found.append(path)
    return found


def write(top: str) -> list[str]:
    """Bring every page up to date; returns those that changed."""
    changed = stale(top)
    for path in changed:
        with open(os.path.join(top, path), "w", encoding="utf-8") as file:
            file.write(PAGES[path](top))
    return changed


def _page(parts: list[str]) -> str:
    note = "<!-- Written by `make docs` from the code; do not edit. -->"
    return "\n\n".join([parts[0], note, *parts[1:]]) + "\n"


def _message(message: Message) -> str:
    facts = f"{message.severity.value}, {message.type.value}, {message.component.value}"
    return (
        f"### {message.number} {message.name}\n\n{facts}\n\n> {_text(message.text)}\n\n"
        f"Means: {_text(message.cause)}\n\nRemedy: {_text(message.remedy)}"
    )


def _text(sentence: str) -> str:
    return sentence.replace("{", "*").replace("}", "*")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for name in write(os.getcwd()):
        print(name, file=sys.stderr)
