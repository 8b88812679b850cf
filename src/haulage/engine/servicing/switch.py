"""Putting new contents beside the old, and switching all by renames; taking that back. Each content is checked before it counts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from haulage.engine.servicing import durable
from haulage.engine.servicing.backup import folders_of, give_back
from haulage.engine.servicing.errors import StepError
from haulage.engine.servicing.file_facts import FileFacts, digest, read_facts, settle
from haulage.engine.servicing.journal import Change, Journal
from haulage.engine.servicing.places import Places


class Contents(Protocol):
    """Where new contents come from: a bundle's payload, or what was kept."""

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Each of the wanted SHA-256 with its bytes, in whatever order; the pieces are read before the next is asked for."""
        ...


class Joined:
    """Several sources as one."""

    def __init__(self, *sources: Contents) -> None:
        self._sources = sources

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        left = set(wanted)
        for source in self._sources:
            for sha256, pieces in source.contents(frozenset(left)):
                left.discard(sha256)
                yield sha256, pieces


class Given:
    """Contents in memory, and kept ones by path."""

    def __init__(self, data: Iterable[bytes] = (), paths: Iterable[tuple[str, str]] = ()) -> None:
        self._data = {digest([each])[0]: each for each in data}
        self._paths = dict(paths)

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        for sha256 in sorted(wanted):
            if sha256 in self._data:
                yield sha256, [self._data[sha256]]
            elif sha256 in self._paths:
                yield sha256, durable.pieces_of(self._paths[sha256])


def stage(places: Places, journal: Journal, source: Contents) -> None:
    """Put every new content beside its place, durable and checked. Raises StepError ``content-missing``, ``content-wrong``."""
    for folder in journal.folders:
        durable.make_folder(places.file(folder))
    targets: dict[str, list[tuple[str, FileFacts]]] = {}
    for index, change in enumerate(journal.changes):
        if change.after is not None:
            staged = places.staged(change.path, journal.sequence, index)
            targets.setdefault(change.after.sha256, []).append((staged, change.after))
    write_all(targets, source)
    for folder in folders_of(places, journal.changes):
        durable.sync_folder(folder)


def write_all(targets: dict[str, list[tuple[str, FileFacts]]], source: Contents) -> None:
    """Write each content to all its paths. Raises StepError."""
    left = dict(targets)
    for sha256, pieces in source.contents(set(targets)):
        first, *others = left.pop(sha256)
        _write(first, pieces, sha256)
        for other in others:
            _write(other, durable.pieces_of(first[0]), sha256)
    for missing in left.values():
        raise StepError("content-missing", f"The content of {missing[0][0]} is not in the bundle.", "Get the bundle again.")


def _write(target: tuple[str, FileFacts], pieces: Iterable[bytes], sha256: str) -> None:
    path, facts = target
    durable.write_new(path, pieces, lambda written: settle(written, facts))
    if digest(durable.pieces_of(path)) != (sha256, facts.size):
        raise StepError(
            "content-wrong", f"{path} is not what was to be written.", "The disk or the bundle is damaged: try another."
        )


def place_tools(tools: Sequence[tuple[str, FileFacts]], folder: str, source: Contents) -> None:
    """Carried files for programs, into a folder of their own, durable."""
    targets: dict[str, list[tuple[str, FileFacts]]] = {}
    folders = [folder]
    durable.make_folder(folder, 0o700)
    for path, facts in tools:
        at = folder
        for part in path.split("/")[:-1]:
            at = os.path.join(at, part)
            if durable.make_folder(at, 0o700):
                folders.append(at)
        targets.setdefault(facts.sha256, []).append((os.path.join(at, path.split("/")[-1]), facts))
    write_all(targets, source)
    for each in folders:
        durable.sync_folder(each)


def switch(places: Places, journal: Journal, said: Callable[[Change], None]) -> None:
    """All renames and removals, then all folders: every file is the new one, durably, when it returns."""
    for index, change in enumerate(journal.changes):
        path = places.file(change.path)
        if change.after is None:
            durable.unlink(path)
        else:
            durable.replace(places.staged(change.path, journal.sequence, index), path)
        said(change)
    for folder in folders_of(places, journal.changes):
        durable.sync_folder(folder)


def switch_back(places: Places, journal: Journal, said: Callable[[Change], None]) -> None:
    """Every file as it was, durably; may be repeated. Raises ServicingError ``backup-damaged``."""
    for index, change in enumerate(journal.changes):
        staged = places.staged(change.path, journal.sequence, index)
        kept = places.kept_file(journal.sequence, index)
        if os.path.isdir(os.path.dirname(staged)) and give_back(places.file(change.path), staged, kept, change.before):
            said(change)
    for folder in folders_of(places, journal.changes):
        if os.path.isdir(folder):
            durable.sync_folder(folder)


def clear_staged(places: Places, journal: Journal) -> None:
    """Remove what stands beside, and the folders that were made for it; may be repeated."""
    touched = set()
    for index, change in enumerate(journal.changes):
        staged = places.staged(change.path, journal.sequence, index)
        if os.path.lexists(staged):
            durable.unlink(staged)
            touched.add(os.path.dirname(staged))
    for folder in sorted(touched):
        durable.sync_folder(folder)


def clear_folders(places: Places, folders: Sequence[str]) -> None:
    """Remove folders that were made for it and are empty, inner ones first."""
    for folder in sorted(folders, key=len, reverse=True):
        durable.remove_folder(places.file(folder))


def verify(places: Places, changes: Sequence[Change]) -> None:
    """Read every changed file again. Raises StepError ``not-as-written``."""
    for change in changes:
        present = read_facts(places.file(change.path))
        if (change.after is None and present is not None) or (change.after is not None and not change.after.equals(present)):
            raise StepError(
                "not-as-written",
                f"{places.file(change.path)} is not as the fix leaves it.",
                "Find who else writes there, and try again.",
            )
