"""Capture: a tree into chunks and a manifest, whole or not at all.

Two workers read, cut and hash; the caller's thread lists the tree and puts chunks in order. Memory does not grow with the tree.
Knows trees by their interface; no package, no site.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.base.errors import FormatError, HaulageError, TransferError, UsageError
from haulage.engine.content.capture_hints import Hints, RelyingSession
from haulage.engine.content.capture_notes import HintWriter
from haulage.engine.content.capture_read import Cut, Piece, Slot, Task, Worker, content_of, plan_tasks
from haulage.engine.content.capture_report import CaptureReport, Watcher
from haulage.engine.content.capture_rules import WarningKind, own_identity
from haulage.engine.content.chunker import cut, segments
from haulage.engine.content.content_list import ContentWriter
from haulage.engine.content.manifest import write_manifest
from haulage.engine.content.manifest_model import (
    MAX_INLINE_VALUE_BYTES,
    ContentRef,
    ManifestEntry,
    ManifestRef,
    NamedRef,
    ValueRef,
    one_chunk,
    shown,
)
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, WriteSession
from haulage.engine.content.ordered import in_order
from haulage.engine.content.pages import KeptPage
from haulage.engine.trees.model import Entry, EntryType, Omission, Survey, TreeReader

WINDOW_ENTRIES = 16_384
"""Entries within which contents are sorted by kind before they are put, and which are held in memory until then."""
CHECKPOINT_BYTES = 512 * 1024 * 1024
"""New bytes after which what was put is made durable, so that a killed capture loses little."""
_PAUSE_SECONDS = 1.0

Progress = Callable[[int, int], None]
"""Entries done, bytes done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOptions:
    """How to capture."""

    hints: str | None = None
    """File with what the last capture of this source saw; read before, replaced after."""
    full: bool = False
    """Read everything again, whatever the hints say."""
    tries: int = 3
    threads: int = 2
    """Workers; 0: everything in the caller's thread."""
    max_bytes: int | None = None
    """Refuse a source with more than this before reading what exceeds it (B15)."""
    refuse: frozenset[WarningKind] = frozenset()
    """Warnings that are errors (B1, B17, B19)."""
    secrets: frozenset[ChunkId] = frozenset()
    """What the source may not hold: the site's own keys, as chunks (B19)."""


def capture(
    reader: TreeReader,
    store: ChunkStore,
    clock: Clock,
    *,
    owner: str = "capture",
    options: CaptureOptions | None = None,
    on_progress: Progress | None = None,
    on_manifest: Callable[[ManifestId], None] | None = None,
) -> CaptureReport:
    """Capture a tree. The same tree gives the same manifest id anywhere, at any time (I23).

    ``on_manifest`` is called once everything is durable, before the session ends: who pins there leaves sweep no moment to take it.

    Raises TransferError naming path, stream and cause: ``source-not-stable`` when a file kept changing or vanished (B6, B7),
    otherwise what the reader said (B8, Q207416); FormatError ``empty-source`` (B14) and what the reader refuses; UsageError
    ``source-too-large``; FormatError ``source-refused``, ``own-identity`` by the site's rules. After a failure no manifest exists;
    chunks already put are found again next time, or swept.
    """
    options = options or CaptureOptions()
    with store.session(owner) as session:
        try:
            for attempt in range(1, options.tries + 1):
                run = _Run(reader, store, session, clock, options, on_progress)
                try:
                    report = run.report(attempt)
                    break
                except TransferError as error:
                    if error.code != "source-changed":
                        raise
                    if attempt == options.tries:
                        raise _not_stable(error, attempt) from error
                clock.sleep(_PAUSE_SECONDS * attempt)
            if on_manifest is not None:
                session.checkpoint()
                on_manifest(report.manifest.id)
        except BaseException:
            # What was put stays for the next capture; if even that fails, the first error is the one to tell.
            with contextlib.suppress(HaulageError, OSError):
                session.checkpoint()
            raise
    if options.hints is not None:
        run.save_hints(options.hints, report)
    return report


def _not_stable(error: TransferError, tries: int) -> TransferError:
    return TransferError(
        "source-not-stable",
        f"The source was not stable in {tries} tries: {error.message}",
        "Capture again when nothing writes to the source.",
    )


class _Run:
    """One try."""

    def __init__(
        self,
        reader: TreeReader,
        store: ChunkStore,
        session: WriteSession,
        clock: Clock,
        options: CaptureOptions,
        on_progress: Progress | None,
    ) -> None:
        self._reader = reader
        self._session = session
        self._options = options
        self._on_progress = on_progress
        self._survey: Survey | None = reader.survey() if options.hints is not None and hasattr(reader, "survey") else None
        self._hints = Hints.load(None if options.full else options.hints, store)
        self._worker = Worker(reader, clock, options.tries)
        self._watcher = Watcher(options.refuse)
        self._hint_writer = HintWriter(clock.now(), self._survey.key if self._survey is not None else b"", self._hints)
        self._bytes_listed = self._bytes_read = self._bytes_new = self._unsaved = 0
        self._files_read = self._files_skipped = self._entries_done = 0

    def report(self, tries: int) -> CaptureReport:
        """Do it."""
        if self._survey is not None:
            self._hints.look(self._survey, self._session)
        with contextlib.closing(self._manifest_entries()) as entries:
            manifest = write_manifest(entries, self._session, on_page=self._hint_writer.page)
        _refuse_empty(manifest)
        return CaptureReport(
            manifest=manifest,
            bytes_total=manifest.totals.bytes_total,
            bytes_new=self._bytes_new,
            bytes_read=self._bytes_read,
            files_read=self._files_read,
            files_skipped=self._files_skipped,
            streams=manifest.totals.streams,
            tries=tries,
            dropped=self._dropped(),
            warnings=self._watcher.warnings(),
            warnings_more=self._watcher.more,
        )

    def save_hints(self, path: str, report: CaptureReport) -> None:
        """For the next capture; after the session's end, when all it relied upon is known."""
        if not self._hints.all_kept():
            reliance = self._session.reliance() if isinstance(self._session, RelyingSession) else ()
            self._hint_writer.save(path, report.manifest.id, reliance, report.dropped)

    def _dropped(self) -> tuple[Omission, ...]:
        kept = self._hints.dropped()
        found = () if self._hints.all_kept() else tuple(self._reader.dropped())
        return tuple(sorted([*kept, *found], key=lambda omission: omission.path)) if kept else found

    def _manifest_entries(self) -> Generator[ManifestEntry | KeptPage, None, None]:
        try:
            with contextlib.closing(in_order(self._worker, self._tasks(), threads=self._options.threads)) as done:
                for task, cuts in done:
                    for piece, result in zip(task.pieces, cuts, strict=True):
                        self._put(piece, result)
                    for item in task.ends or ():
                        yield self._finish(item) if isinstance(item, Slot) else self._keep(item)
        finally:
            self._worker.close()

    def _tasks(self) -> Iterator[Task]:
        window: list[Slot | KeptPage] = []
        for item in self._items():
            window.append(self._admit(item) if isinstance(item, Entry) else self._admit_page(item))
            if len(window) >= WINDOW_ENTRIES:
                yield from plan_tasks(window)
                window = []
        if window:
            yield from plan_tasks(window)

    def _items(self) -> Iterator[Entry | KeptPage]:
        """Pages that are kept, and every entry outside of them, in path order."""
        kept = list(self._hints.kept.values())
        if not kept or self._survey is None:
            yield from self._reader.entries()
            return
        at = 0
        if not self._hints.all_kept():
            for entry in self._survey.rest(self._hints.known_ranges()):
                while at < len(kept) and kept[at].first < entry.path:
                    yield kept[at]
                    at += 1
                yield entry
        yield from kept[at:]

    def _admit_page(self, page: KeptPage) -> KeptPage:
        for warning in self._hints.page_warnings(page.number):
            self._watcher.note(warning)
        self._count_listed(page.totals.bytes_content + page.totals.bytes_streams, page.last)
        self._files_skipped += self._hints.hint(page.number).files_with_content
        return page

    def _count_listed(self, size: int, path: bytes) -> None:
        self._bytes_listed += size
        limit = self._options.max_bytes
        if limit is not None and self._bytes_listed > limit:
            raise UsageError(
                "source-too-large",
                f"The source exceeds the limit of {limit} bytes at {shown(path)}.",
                "Raise the limit or take large files out.",
            )

    def _admit(self, entry: Entry) -> Slot:
        warnings = self._watcher.look(entry)
        self._count_listed(entry.size + sum([stream.size for stream in entry.streams]), entry.path)
        has_content = bool(entry.size or entry.streams) and entry.same_as is None
        token = self._reader.change_token(entry) if has_content or self._survey is not None else b""
        known = self._hints.unchanged(entry, token, self._session) if has_content and token else None
        if has_content and entry.type is EntryType.FILE:
            self._files_read += known is None
            self._files_skipped += known is not None
        return Slot(entry, token, known, warnings)

    def _put(self, piece: Piece, result: Cut) -> None:
        view, offset = memoryview(result.data), 0
        for length, chunk in result.chunks:
            if chunk in self._options.secrets:
                raise own_identity(piece.slot.entry.path)
            if self._session.put(chunk, view[offset : offset + length]):
                self._bytes_new += length
                self._unsaved += length
            offset += length
        self._bytes_read += offset
        if self._unsaved >= CHECKPOINT_BYTES:
            self._session.checkpoint()
            self._unsaved = 0
        self._record(piece, result)

    def _record(self, piece: Piece, result: Cut) -> None:
        shared = piece.shared
        if shared is None and len(result.chunks) == 1:
            piece.slot.contents[piece.stream] = one_chunk(*result.chunks[0])
            return
        writer = ContentWriter(self._session) if shared is None or shared.writer is None else shared.writer
        for length, chunk in result.chunks:
            writer.add(length, chunk)
        if shared is not None:
            shared.writer = writer
            shared.left -= 1
            if shared.left:
                return
            self._worker.done(shared)
        piece.slot.contents[piece.stream] = writer.finish()

    def _finish(self, slot: Slot) -> ManifestEntry:
        entry, known = slot.entry, slot.known
        self._hint_writer.add(entry, slot.token, slot.warnings)
        self._entries_done += 1
        if self._on_progress is not None and self._entries_done % 256 == 1:
            self._on_progress(self._entries_done, self._bytes_read)
        return ManifestEntry(
            path=entry.path,
            type=entry.type,
            content=content_of(slot, None) if known is None else known.content,
            mode=entry.mode,
            owner=entry.owner,
            mtime_ns=entry.mtime_ns,
            target=entry.target,
            same_as=entry.same_as,
            attributes=tuple([(item.name, self._value(item.value)) for item in entry.attributes]) if entry.attributes else (),
            acls=tuple([(item.dialect, self._value(item.value)) for item in entry.acls]) if entry.acls else (),
            streams=known.streams if known is not None else _streams_of(slot),
            dos=entry.dos,
        )

    def _keep(self, page: KeptPage) -> KeptPage:
        self._hint_writer.keep(page)
        self._entries_done += page.entries
        if self._on_progress is not None:
            self._on_progress(self._entries_done, self._bytes_read)
        return page

    def _value(self, value: bytes) -> ValueRef:
        if len(value) <= MAX_INLINE_VALUE_BYTES:
            return value
        return put_value(value, self._session)


def _streams_of(slot: Slot) -> tuple[NamedRef, ...]:
    return tuple([NamedRef(item.name, content_of(slot, item.name)) for item in slot.entry.streams])


def put_value(value: bytes, session: WriteSession) -> ContentRef:
    """Keep a large attribute or ACL as chunks."""
    writer, view, offset = ContentWriter(session), memoryview(value), 0
    for start, size in segments(len(value)):
        for length, chunk in cut(view[start : start + size]):
            session.put(chunk, view[offset : offset + length])
            writer.add(length, chunk)
            offset += length
    return writer.finish()


def _refuse_empty(manifest: ManifestRef) -> None:
    totals = manifest.totals
    if not (totals.files or totals.symlinks or totals.streams):
        raise FormatError("empty-source", "The source holds no file, link or stream.", "Check the path given as source.")
