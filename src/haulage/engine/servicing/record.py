"""Which fixes are installed under a root: id, files with hashes before and after, time, actor, bundle (Q258149). Knows no steps."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Any

from haulage.engine.servicing import durable, file_facts, strict_json
from haulage.engine.servicing.definition import FIX_ID
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.path_rules import PRODUCT_FILE
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.strict_json import Fields

FORMAT = 1
MOST_BYTES = 64 << 20
_MOST_ENTRIES = 10_000
_MOST_FILES = 200_000
_MOST_HISTORY = 10_000
_TIME = "[0-9-]{10}T[0-9:]{8}Z"


class Act(enum.Enum):
    """What was done with a fix."""

    INSTALLED = "installed"
    REPAIRED = "repaired"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True)
class RecordedFile:
    """``before`` None: it came new; ``after`` None: it was taken away. ``sequence`` and ``index`` say where the old content is
    kept; ``changed`` is false for a file that was current already."""

    path: str
    before: FileFacts | None
    after: FileFacts | None
    sequence: int
    index: int
    changed: bool = True


@dataclass(frozen=True)
class Entry:
    """One installed fix. ``sequence`` numbers all servicing of the root, ``since`` is the number of the first that brought it (a
    repair has its own); ``bundle`` is the digest of what it came from; ``folders`` were made for it."""

    id: str
    title: str
    sequence: int
    since: int
    time: str
    actor: str
    bundle: str
    uninstallable: bool
    becomes: bool = False
    """It gave the product another version or service level."""
    replaces: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    superseded_by: str | None = None
    folders: tuple[str, ...] = ()
    files: tuple[RecordedFile, ...] = ()


@dataclass(frozen=True)
class Event:
    """One line of the history."""

    sequence: int
    time: str
    actor: str
    act: Act
    fix: str


@dataclass(frozen=True)
class Record:
    """All of it. ``sequence`` is the highest number ever given to a servicing that came to its end."""

    sequence: int = 0
    entries: tuple[Entry, ...] = ()
    history: tuple[Event, ...] = ()

    def find(self, fix: str) -> Entry | None:
        """The entry of a fix that was installed as itself."""
        return next((each for each in self.entries if each.id == fix), None)

    def holder(self, fix: str) -> Entry | None:
        """The entry that brings a fix: its own, or one that contains or supersedes it."""
        return self.find(fix) or next((each for each in self.entries if fix in each.replaces), None)

    def with_entry(self, entry: Entry, act: Act) -> Record:
        """With a fix installed, or once more; what it replaces is superseded by it."""
        others = [each for each in self.entries if each.id != entry.id]
        marked = [replace(each, superseded_by=entry.id) if each.id in entry.replaces else each for each in others]
        entries = sorted([*marked, entry], key=lambda each: each.sequence)
        return self._with(tuple(entries), Event(entry.sequence, entry.time, entry.actor, act, entry.id))

    def without(self, fix: str, event: Event) -> Record:
        """With a fix uninstalled; what it had superseded stands for itself again."""
        entries = tuple(
            replace(each, superseded_by=None) if each.superseded_by == fix else each for each in self.entries if each.id != fix
        )
        return self._with(entries, event)

    def _with(self, entries: tuple[Entry, ...], event: Event) -> Record:
        return Record(max(self.sequence, event.sequence), entries, (*self.history, event)[-_MOST_HISTORY:])

    def stands_on(self, entry: Entry) -> tuple[str, ...]:
        """Fixes for which another must stay: installed later with a file of its, replacing it, or requiring it."""
        paths = {each.path.casefold() for each in entry.files if each.path != PRODUCT_FILE}
        return tuple(
            each.id
            for each in self.entries
            if each.id != entry.id
            and (
                entry.superseded_by == each.id
                or entry.id in each.requires
                or (each.since > entry.since and each.becomes and entry.becomes)
                or (each.since > entry.since and paths & {file.path.casefold() for file in each.files})
            )
        )

    def later_owners(self, fix: str) -> dict[str, str]:
        """Files that fixes installed after this one have, with the last of those: a repair leaves them alone."""
        entry = self.find(fix)
        if entry is None:
            return {}
        later = sorted((each for each in self.entries if each.since > entry.since), key=lambda each: each.since)
        return {file.path.casefold(): each.id for each in later for file in each.files}

    def sequences(self) -> set[int]:
        """Whose kept contents are still needed."""
        return {each.sequence for each in self.entries} | {file.sequence for each in self.entries for file in each.files}


def load_record(places: Places) -> Record:
    """The record; an empty one where nothing was ever installed. Raises ServicingError ``record-damaged``."""
    try:
        with open(places.record, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Record()
    try:
        return from_value(strict_json.decoded(data, "record", most_bytes=MOST_BYTES))
    except (ServicingError, ValueError) as cause:
        raise ServicingError(
            "record-damaged", f"{places.record} cannot be read: {cause}", "Restore it from a backup of this machine."
        ) from cause


def save_record(places: Places, record: Record) -> None:
    """Durable when it returns; readable by all: an inventory asks it."""
    durable.write_durable(places.record, strict_json.encoded(plain(record)), mode=0o644)


def plain(record: Record) -> dict[str, Any]:
    """The document."""
    return {
        "format": FORMAT,
        "sequence": record.sequence,
        "entries": [plain_entry(each) for each in record.entries],
        "history": [
            {"sequence": each.sequence, "time": each.time, "actor": each.actor, "act": each.act.value, "fix": each.fix}
            for each in record.history
        ],
    }


def plain_entry(entry: Entry) -> dict[str, Any]:
    """One entry of the document."""
    simple = ("id", "title", "sequence", "since", "time", "actor", "bundle", "uninstallable", "becomes", "superseded_by")
    return {
        **{name: getattr(entry, name) for name in simple},
        "replaces": list(entry.replaces),
        "requires": list(entry.requires),
        "folders": list(entry.folders),
        "files": [
            {
                "path": each.path,
                "before": file_facts.plain(each.before),
                "after": file_facts.plain(each.after),
                "sequence": each.sequence,
                "index": each.index,
                "changed": each.changed,
            }
            for each in entry.files
        ],
    }


def from_value(value: Any) -> Record:
    """The inverse of :func:`plain`. Raises DocumentError."""
    fields = Fields(value, "record")
    if fields.integer("format") != FORMAT:
        raise strict_json.bad("record.format", f"this reader knows format {FORMAT} only")
    record = Record(
        sequence=fields.integer("sequence"),
        entries=tuple(taken_entry(each) for each in fields.objects("entries", most=_MOST_ENTRIES)),
        history=tuple(_event(each) for each in fields.objects("history", most=_MOST_HISTORY)),
    )
    fields.done()
    return record


def taken_entry(fields: Fields) -> Entry:
    """The inverse of :func:`plain_entry`. Raises DocumentError."""
    entry = Entry(
        id=fields.text("id", pattern=FIX_ID),
        title=fields.text("title"),
        sequence=fields.integer("sequence"),
        since=fields.integer("since"),
        time=fields.text("time", pattern=_TIME),
        actor=fields.text("actor"),
        bundle=fields.text("bundle", most=64, least=0),
        uninstallable=fields.flag("uninstallable"),
        becomes=fields.flag("becomes"),
        replaces=_ids(fields, "replaces"),
        requires=_ids(fields, "requires"),
        superseded_by=fields.text_or_none("superseded_by", pattern=FIX_ID),
        folders=fields.texts("folders", most=_MOST_FILES, longest=1024),
        files=tuple(_file(each) for each in fields.objects("files", most=_MOST_FILES)),
    )
    fields.done()
    return entry


def _ids(fields: Fields, name: str) -> tuple[str, ...]:
    return fields.texts(name, most=_MOST_ENTRIES, pattern=FIX_ID)


def _file(fields: Fields) -> RecordedFile:
    file = RecordedFile(
        path=fields.text("path", most=1024),
        before=file_facts.taken(fields, "before"),
        after=file_facts.taken(fields, "after"),
        sequence=fields.integer("sequence"),
        index=fields.integer("index"),
        changed=fields.flag("changed"),
    )
    fields.done()
    return file


def _event(fields: Fields) -> Event:
    event = Event(
        sequence=fields.integer("sequence"),
        time=fields.text("time", pattern=_TIME),
        actor=fields.text("actor"),
        act=Act(fields.choice("act", [each.value for each in Act])),
        fix=fields.text("fix", pattern=FIX_ID),
    )
    fields.done()
    return event
