"""What becomes of each file of a fix, and why; and what the record will say. Pure: facts in, decisions out.

Nothing older is ever put over something newer, whoever forces what (Q264630, B94).
"""

from __future__ import annotations

import enum
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace

from haulage.engine.servicing.definition import FileAction, FixDefinition, FixFile
from haulage.engine.servicing.detection import FileState
from haulage.engine.servicing.file_facts import FileFacts, with_content_of
from haulage.engine.servicing.journal import Change
from haulage.engine.servicing.record import Entry, Record, RecordedFile


class Decision(enum.Enum):
    """What becomes of one file; the words stand in the log (Q313874)."""

    REPLACE = "to be replaced"
    ADD = "to be added"
    REMOVE = "to be removed"
    ALREADY_CURRENT = "already-current"
    NEWER_KEPT = "newer kept"
    REFUSED = "refused"


@dataclass(frozen=True)
class FilePlan:
    """One file: the decision, why, and the change it leads to (None: it stays)."""

    path: str
    decision: Decision
    reason: str
    change: Change | None = None

    @property
    def line(self) -> str:
        """As the log has it."""
        return f"file {self.path}: {self.decision.value} ({self.reason})"


def decide(file: FixFile, state: FileState, present: FileFacts | None, *, force: bool = False) -> FilePlan:
    """The rule for one file that is placed or removed."""
    if state is FileState.CURRENT:
        return _current(file, present)
    if state is FileState.LATER:
        return FilePlan(file.path, Decision.NEWER_KEPT, f"a later version than {file.version} stands there")
    if state is FileState.MISSING and file.action is FileAction.REPLACE and file.before:
        return FilePlan(file.path, Decision.REFUSED, "it is missing, and the fix replaces it")
    if state is FileState.UNKNOWN and not force:
        return FilePlan(file.path, Decision.REFUSED, "its content is none the fix knows, and its version cannot be compared")
    if file.action is FileAction.REMOVE:
        return FilePlan(file.path, Decision.REMOVE, _was(present), Change(file.path, present, None))
    after = _after(file, present)
    if present is None:
        return FilePlan(file.path, Decision.ADD, f"sha256 {file.sha256}", Change(file.path, None, after))
    return FilePlan(file.path, Decision.REPLACE, f"sha256 {file.sha256}, {_was(present)}", Change(file.path, present, after))


def _current(file: FixFile, present: FileFacts | None) -> FilePlan:
    if present is not None and file.placed and file.mode & ~present.mode:
        after = replace(present, mode=present.mode | file.mode, mtime_ns=present.mtime_ns)
        missing = f"mode {present.mode:04o} lacks rights of {file.mode:04o}"
        return FilePlan(file.path, Decision.REPLACE, missing, Change(file.path, present, after))
    said = "not there" if present is None else f"sha256 {present.sha256}"
    return FilePlan(file.path, Decision.ALREADY_CURRENT, said)


def _after(file: FixFile, present: FileFacts | None) -> FileFacts:
    if present is None:
        return FileFacts(file.sha256, file.size, file.mode)
    return with_content_of(present, file.sha256, file.size, file.mode)


def _was(present: FileFacts | None) -> str:
    return "was away" if present is None else f"was {present.sha256}"


def missing_folders(paths: Mapping[str, bool]) -> tuple[str, ...]:
    """Folders that must be made for files, outer ones first. ``paths``: folder to whether it is there."""
    return tuple(sorted((path for path, there in paths.items() if not there), key=lambda each: (each.count("/"), each)))


def folders_above(path: str) -> list[str]:
    """Every folder a file lies in, below the root."""
    found, at = [], posixpath.dirname(path)
    while at:
        found.append(at)
        at = posixpath.dirname(at)
    return found


def entry_for(
    definition: FixDefinition,
    plans: tuple[FilePlan, ...],
    changes: tuple[Change, ...],
    present: Mapping[str, FileFacts | None],
    record: Record,
    *,
    sequence: int,
    **said: str,
) -> Entry:
    """What the record will hold. A fix installed once more keeps what was there before the first time. ``said``: time, actor,
    bundle."""
    earlier = record.find(definition.id)
    known = {} if earlier is None else {each.path: each for each in earlier.files}
    files = []
    for index, change in enumerate(changes):
        old = known.pop(change.path, None)
        if old is not None and old.changed:
            files.append(replace(old, after=change.after))
        else:
            files.append(RecordedFile(change.path, change.before, change.after, sequence, index))
    for plan in plans:
        old = known.pop(plan.path, None)
        if plan.decision is Decision.ALREADY_CURRENT:
            facts = present.get(plan.path)
            files.append(old or RecordedFile(plan.path, facts, facts, sequence, 0, changed=False))
    return Entry(
        id=definition.id,
        title=definition.title,
        sequence=sequence,
        since=sequence if earlier is None else earlier.since,
        uninstallable=definition.uninstallable,
        becomes=bool(definition.becomes.version or definition.becomes.service_level),
        replaces=definition.replaces,
        requires=definition.requires.fixes,
        folders=() if earlier is None else earlier.folders,
        files=tuple(sorted([*files, *known.values()], key=lambda each: each.path)),
        time=said["time"],
        actor=said["actor"],
        bundle=said["bundle"],
    )
