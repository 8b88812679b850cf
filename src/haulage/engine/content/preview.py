"""What a capture of a tree would find, before: one look over names, sizes and streams that reads no content and stores nothing, and
ends when it has looked long enough. Knows trees by their interface; no package, no site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.engine.content.capture_report import Watcher
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.trees.model import Entry, EntryType, Omission, TreeReader
from haulage.engine.trees.windows_names import NameJudge, NameTrouble

LOOK_SECONDS = 3.0
LOOK_ENTRIES = 200_000
EXAMPLES = 8
"""Of each kind; more are counted."""
_CLOCK_EVERY = 256
"""Entries between two looks at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why a capture would fail, as far as was looked."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What was found. Sizes in bytes; paths as they are in the tree."""

    whole: bool
    """Whether everything was looked at; otherwise the figures are of what was seen until then, in path order."""
    entries: int
    files: int
    folders: int
    symlinks: int
    hard_links: int
    """Further names of files that have one already."""
    bytes_total: int
    """Contents and streams."""
    largest: tuple[tuple[bytes, int], ...]
    """The files with most bytes, largest first."""
    streams: int
    stream_bytes: int
    stream_examples: tuple[tuple[bytes, bytes, int], ...]
    """Path, stream, bytes."""
    with_attributes: int
    with_acls: int
    with_dos: int
    """Entries that carry extended attributes, access lists, Windows attributes."""
    dropped: Mapping[str, int]
    """What the policy would leave out, counted by kind."""
    dropped_examples: tuple[Omission, ...]
    warnings: Mapping[WarningKind, int]
    warning_examples: tuple[tuple[WarningKind, bytes], ...]
    names: Mapping[NameTrouble, int]
    """Names a Windows or Samba client could not use as they are."""
    name_examples: tuple[tuple[NameTrouble, bytes], ...]
    stopped: Stopped | None
    """What a capture would fail of."""


def preview(
    reader: TreeReader,
    clock: Clock,
    *,
    refuse: frozenset[WarningKind] = frozenset(),
    max_bytes: int | None = None,
    seconds: float = LOOK_SECONDS,
    most_entries: int = LOOK_ENTRIES,
) -> Preview:
    """Look at a tree for so long at most (one folder's names are read at once, however many they are). What a capture would fail of
    is told, not raised; an empty tree is such a case."""
    look = _Look(refuse)
    end = clock.monotonic() + seconds
    whole = False
    try:
        for entry in reader.entries():
            look.take(entry)
            if look.entries >= most_entries or (look.entries % _CLOCK_EVERY == 0 and clock.monotonic() > end):
                break
        else:
            whole = True
    except HaulageError as error:
        look.stopped = Stopped(code=error.code, message=error.message, hint=error.hint)
    found = look.result(whole, reader.dropped())
    return replace(found, stopped=found.stopped or _refusal(found, max_bytes))


def _refusal(found: Preview, max_bytes: int | None) -> Stopped | None:
    """What a capture would refuse of a tree it can read."""
    if found.whole and not (found.files or found.symlinks or found.streams):
        hint = "Put files into it, or choose another folder."
        return Stopped(code="empty-source", message="It holds no file, link or stream.", hint=hint)
    if max_bytes is not None and found.bytes_total > max_bytes:
        said = f"It holds more than the limit of {max_bytes} bytes."
        return Stopped(code="source-too-large", message=said, hint="Take large files out, or raise [capture] max_bytes.")
    return None


@dataclass(slots=True)
class _Look:
    """Counts while entries pass."""

    refuse: frozenset[WarningKind]
    entries: int = 0
    stopped: Stopped | None = None
    kinds: Counter[EntryType] = field(default_factory=Counter)
    hard_links: int = 0
    bytes_total: int = 0
    largest: list[tuple[int, bytes]] = field(default_factory=list)
    streams: int = 0
    stream_bytes: int = 0
    stream_examples: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    facts: Counter[str] = field(default_factory=Counter)
    warnings: Counter[WarningKind] = field(default_factory=Counter)
    warning_examples: list[tuple[WarningKind, bytes]] = field(default_factory=list)
    names: Counter[NameTrouble] = field(default_factory=Counter)
    name_examples: list[tuple[NameTrouble, bytes]] = field(default_factory=list)
    watcher: Watcher = field(init=False)
    judge: NameJudge = field(default_factory=NameJudge)

    def __post_init__(self) -> None:
        self.watcher = Watcher(self.refuse)

    def take(self, entry: Entry) -> None:
        """Count one. Raises FormatError ``source-refused``."""
        self.entries += 1
        self._count(entry)
        for stream in entry.streams:
            self.streams += 1
            self.stream_bytes += stream.size
            if len(self.stream_examples) < EXAMPLES:
                self.stream_examples.append((entry.path, stream.name, stream.size))
        trouble = self.judge.judge(entry.path)
        if trouble is not None:
            self.names[trouble] += 1
            if self.names[trouble] <= EXAMPLES:
                self.name_examples.append((trouble, entry.path))
        for kind in self.watcher.look(entry):
            self.warnings[kind] += 1
            if self.warnings[kind] <= EXAMPLES:
                self.warning_examples.append((kind, entry.path))

    def _count(self, entry: Entry) -> None:
        self.facts.update(
            {"attributes": bool(entry.attributes), "acls": bool(entry.acls), "dos": bool(entry.dos and entry.dos.attributes)}
        )
        if entry.same_as is not None:
            self.hard_links += 1
            return
        self.kinds[entry.type] += 1
        self.bytes_total += entry.size + sum([stream.size for stream in entry.streams])
        if entry.type is EntryType.FILE:
            self.largest.append((entry.size, entry.path))
            if len(self.largest) > 64:
                self._keep_largest()

    def _keep_largest(self) -> None:
        self.largest = sorted(self.largest, key=lambda one: (-one[0], one[1]))[:3]

    def result(self, whole: bool, dropped: Sequence[Omission]) -> Preview:
        """Everything counted."""
        self._keep_largest()
        return Preview(
            whole=whole,
            entries=self.entries,
            files=self.kinds[EntryType.FILE],
            # The root is no folder of anybody's.
            folders=max(0, self.kinds[EntryType.FOLDER] - 1),
            symlinks=self.kinds[EntryType.SYMLINK],
            hard_links=self.hard_links,
            bytes_total=self.bytes_total,
            largest=tuple([(path, size) for size, path in self.largest if size]),
            streams=self.streams,
            stream_bytes=self.stream_bytes,
            stream_examples=tuple(self.stream_examples),
            with_attributes=self.facts["attributes"],
            with_acls=self.facts["acls"],
            with_dos=self.facts["dos"],
            dropped=dict(Counter([one.what for one in dropped])),
            dropped_examples=tuple(dropped[:EXAMPLES]),
            warnings=dict(self.warnings),
            warning_examples=tuple(self.warning_examples),
            names=dict(self.names),
            name_examples=tuple(self.name_examples),
            stopped=self.stopped,
        )
