"""Keeping what will change, and giving it back: bytes, mode, owner, times, extended attributes, each kept copy read again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from haulage.engine.servicing import durable
from haulage.engine.servicing.errors import ServicingError, StepError
from haulage.engine.servicing.file_facts import FileFacts, digest, read_facts, settle
from haulage.engine.servicing.journal import Change, KeptData
from haulage.engine.servicing.places import Places


def keep_files(places: Places, sequence: int, changes: Sequence[Change]) -> None:
    """Copy the old content of every file that will change or go; durable when it returns. Raises StepError
    ``changed-meanwhile``."""
    for index, change in enumerate(changes):
        if change.before is not None:
            _copy(places.file(change.path), places.kept_file(sequence, index), change.before)
    durable.sync_folder(places.fix(sequence))


def keep_data(places: Places, sequence: int, names: Sequence[str]) -> tuple[KeptData, ...]:
    """Copy what programs may change; durable when it returns. Services have stopped: nobody else writes it."""
    kept = []
    for index, name in enumerate(names):
        facts = read_facts(places.rooted(name))
        if facts is not None:
            _copy(places.rooted(name), places.kept_data(sequence, index), facts)
        kept.append(KeptData(name, facts))
    durable.sync_folder(places.fix(sequence))
    return tuple(kept)


def _copy(path: str, to: str, facts: FileFacts) -> None:
    durable.write_new(to, durable.pieces_of(path), lambda _path: None)
    if digest(durable.pieces_of(to)) != (facts.sha256, facts.size):
        raise StepError("changed-meanwhile", f"{path} changed while it was being kept.", "Find who writes it, then try again.")


def give_back(path: str, staged: str, kept: str, before: FileFacts | None) -> bool:
    """Make ``path`` what it was, by way of ``staged`` beside it; nothing if it is that already. Returns whether it was not; its
    name is durable once its folder is synced. Raises ServicingError ``backup-damaged``."""
    present = read_facts(path)
    if present is None and before is None:
        return False
    if before is None:
        return durable.unlink(path)
    if before.equals(present):
        return False
    put_beside(kept, staged, before)
    durable.replace(staged, path)
    return True


def put_beside(kept: str, staged: str, facts: FileFacts) -> None:
    """A kept content as it was, durable, under a name nobody uses. Raises ServicingError ``backup-damaged``."""
    try:
        durable.write_new(staged, durable.pieces_of(kept), lambda path: settle(path, facts))
    except FileNotFoundError:
        raise ServicingError("backup-damaged", f"The kept content {kept} is missing.", "Restore it from a backup.") from None
    if digest(durable.pieces_of(staged)) != (facts.sha256, facts.size):
        raise ServicingError("backup-damaged", f"The kept content {kept} is not what was kept.", "Restore it from a backup.")


def settled(facts: FileFacts, path: str) -> FileFacts:
    """The facts a file came to have where they were left open."""
    found = read_facts(path)
    return facts if found is None else replace(found, sha256=facts.sha256, size=facts.size)


def folders_of(places: Places, changes: Sequence[Change]) -> list[str]:
    """The folders whose names change, each once."""
    return list(dict.fromkeys(os.path.dirname(places.file(each.path)) for each in changes))
