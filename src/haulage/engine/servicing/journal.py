"""What is being done, durable before it is done: from this, and from what lies beside it, a later start ends it either way.

One document, replaced as a whole. Knows the phases and what each promises; the acts are in ``transaction.py`` and ``healing.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haulage.engine.servicing import durable, file_facts, strict_json
from haulage.engine.servicing import record as records
from haulage.engine.servicing.definition import FIX_ID, Outcome
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.record import Act, Entry
from haulage.engine.servicing.strict_json import Fields, checked_text

FORMAT = 1
MOST_BYTES = 64 << 20
_MOST = 200_000


class Phase(enum.Enum):
    """How far it has come. What a start finds is undone in all phases but the last, which is finished."""

    BEGUN = "begun"
    """Services are being stopped, old contents are being kept; nothing of the product has changed."""
    KEPT = "kept"
    """Old contents are kept and durable; new ones are being put beside, programs that come before the switch may have run."""
    SWITCHING = "switching"
    """New contents stand beside and are durable; files, then programs, then services."""
    RESTORING = "restoring"
    """It is being undone, and the programs that came after the switch have been undone."""
    COMMITTED = "committed"
    """All has been checked: only the record, and tidying up, are left."""


@dataclass(frozen=True)
class Change:
    """One file: what it was and what it becomes; None for no file."""

    path: str
    before: FileFacts | None
    after: FileFacts | None


@dataclass(frozen=True)
class KeptData:
    """Something programs may change, as it was when services had stopped; None: it was not there."""

    path: str
    before: FileFacts | None


@dataclass(frozen=True)
class Journal:
    """One servicing. Services and programs by their place in the definition that is kept beside: ``running`` are the services that
    ran when it began, ``begun`` counts the programs that were begun. ``folders`` are made for it; ``entry`` comes into the record
    (None: goes out of it)."""

    sequence: int
    act: Act
    fix: str
    actor: str
    time: str
    roots: Mapping[str, str]
    changes: tuple[Change, ...]
    folders: tuple[str, ...] = ()
    running: tuple[int, ...] = ()
    kill: bool = False
    begun: int = 0
    reboot: Outcome = Outcome.OK
    data: tuple[KeptData, ...] = ()
    entry: Entry | None = None
    phase: Phase = Phase.BEGUN


def save_journal(places: Places, journal: Journal) -> None:
    """Durable when it returns."""
    durable.write_durable(places.journal, strict_json.encoded(plain(journal)))


def load_journal(places: Places) -> Journal | None:
    """What was begun and has not ended; None if nothing. Raises ServicingError ``journal-damaged``."""
    try:
        with open(places.journal, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return from_value(strict_json.decoded(data, "journal", most_bytes=MOST_BYTES))
    except (ServicingError, ValueError) as cause:
        raise ServicingError(
            "journal-damaged", f"{places.journal} cannot be read: {cause}", "Restore the product and its .servicing from a backup."
        ) from cause


def plain(journal: Journal) -> dict[str, Any]:
    """The document."""
    simple = ("sequence", "fix", "actor", "time", "kill", "begun")
    return {
        "format": FORMAT,
        **{name: getattr(journal, name) for name in simple},
        "act": journal.act.value,
        "reboot": journal.reboot.value,
        "phase": journal.phase.value,
        "roots": dict(journal.roots),
        "folders": list(journal.folders),
        "running": list(journal.running),
        "entry": None if journal.entry is None else records.plain_entry(journal.entry),
        "changes": [
            {"path": each.path, "before": file_facts.plain(each.before), "after": file_facts.plain(each.after)}
            for each in journal.changes
        ],
        "data": [{"path": each.path, "before": file_facts.plain(each.before)} for each in journal.data],
    }


def from_value(value: Any) -> Journal:
    """The inverse of :func:`plain`. Raises DocumentError."""
    fields = Fields(value, "journal")
    if fields.integer("format") != FORMAT:
        raise strict_json.bad("journal.format", f"this reader knows format {FORMAT} only")
    journal = Journal(
        sequence=fields.integer("sequence", least=1),
        act=Act(fields.choice("act", [each.value for each in Act])),
        fix=fields.text("fix", pattern=FIX_ID),
        actor=fields.text("actor"),
        time=fields.text("time"),
        roots=_roots(fields),
        changes=tuple(_change(each) for each in fields.objects("changes", most=_MOST)),
        folders=fields.texts("folders", most=_MOST, longest=1024),
        running=tuple(int(each) for each in fields.items("running", most=_MOST)),
        kill=fields.flag("kill"),
        begun=fields.integer("begun"),
        reboot=Outcome(fields.choice("reboot", [each.value for each in Outcome])),
        data=tuple(_data(each) for each in fields.objects("data", most=_MOST)),
        entry=None if fields.is_null("entry") else records.taken_entry(fields.object("entry")),
        phase=Phase(fields.choice("phase", [each.value for each in Phase])),
    )
    fields.done()
    return journal


def _roots(fields: Fields) -> dict[str, str]:
    table = fields.mapping("roots", most=64)
    return {name: checked_text(path, fields.at("roots"), most=4096) for name, path in table.items()}


def _change(fields: Fields) -> Change:
    change = Change(
        path=fields.text("path", most=1024), before=file_facts.taken(fields, "before"), after=file_facts.taken(fields, "after")
    )
    fields.done()
    return change


def _data(fields: Fields) -> KeptData:
    data = KeptData(path=fields.text("path", most=1100), before=file_facts.taken(fields, "before"))
    fields.done()
    return data
