"""What a package made from a source would hold, and which folders of the server a source may be chosen from: for whoever is about
to make one. Reads only; captures nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haulage.base.clock import Clock
from haulage.base.text import shown_bytes
from haulage.domain.catalog.publish import Sources, stream_policy
from haulage.engine.content.capture_rules import CaptureRules, WarningKind
from haulage.engine.content.preview import Preview, preview
from haulage.engine.trees.windows_names import NAME_TROUBLE_MEANING

PATH_CHARACTERS = 300


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Folders in one folder of the server."""

    path: str
    """Of the folder looked into; empty where only its tops are told."""
    above: str
    """Where it lies, if that may be looked into, too."""
    tops: Sequence[str]
    """Sources must lie below one of these; empty: anywhere."""
    names: Sequence[str]
    more: bool
    """Whether there are more than are listed."""
    cause: str = ""
    """Why it could not be looked into."""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Something of a source that deserves a look: how many names, and the first of them."""

    kind: str
    words: str
    count: int
    examples: Sequence[str]


class SourceLook(msgspec.Struct, frozen=True, kw_only=True):
    """What a capture would find. Sizes in bytes."""

    source: str
    streams_policy: str
    whole: bool
    """False: it is larger than what was looked at; figures are of that part."""
    entries: int
    files: int
    folders: int
    symlinks: int
    hard_links: int
    bytes: int
    streams: int
    stream_bytes: int
    with_attributes: int
    with_acls: int
    with_dos: int
    largest: Sequence[tuple[str, int]]
    stream_examples: Sequence[tuple[str, int]]
    dropped: Sequence[Remark]
    """What would be left out, by policy."""
    warnings: Sequence[Remark]
    foreign: Sequence[Remark]
    """Names that a Windows machine, or a client of a Samba share, could not use as they are."""
    error: dict[str, str] | None
    """What a capture would fail of: code, message, hint."""


_DROPPED = {
    "stream": "named streams, as the package says",
    "mode-bits": "times set-uid, set-gid or sticky bits",
}
_WARNED = {
    WarningKind.MISLEADING_NAME: "with a name that hides or turns what a person reads",
    WarningKind.POSSIBLE_SECRET: "with a name that keys and passwords usually have",
    WarningKind.LINK_LEAVES_TREE: "that links out of the folder; kept as it is, and never followed",
}


def look_at_source(sources: Sources, clock: Clock, source: str, *, streams: str = "keep", rules: CaptureRules) -> SourceLook:
    """Look at a source for a few seconds at most. Raises UsageError ``bad-source``, ``bad-streams``, and what opening it raises:
    NotFoundError ``source-missing``, NotAllowedError ``source-not-allowed``, ConflictError ``source-overlaps``, TransferError."""
    with sources.open(source, stream_policy(streams)) as reader:
        found = preview(reader, clock, refuse=rules.refuse, max_bytes=rules.max_bytes)
    stopped = found.stopped
    return SourceLook(
        source=source,
        streams_policy=streams,
        whole=found.whole,
        entries=found.entries,
        files=found.files,
        folders=found.folders,
        symlinks=found.symlinks,
        hard_links=found.hard_links,
        bytes=found.bytes_total,
        streams=found.streams,
        stream_bytes=found.stream_bytes,
        with_attributes=found.with_attributes,
        with_acls=found.with_acls,
        with_dos=found.with_dos,
        largest=[(_shown(path), size) for path, size in found.largest],
        stream_examples=[(f"{_shown(path)}:{_shown(stream)}", size) for path, stream, size in found.stream_examples],
        dropped=_dropped(found),
        warnings=_warnings(found),
        foreign=_foreign(found),
        error=None if stopped is None else {"code": stopped.code, "message": stopped.message, "hint": stopped.hint},
    )


def _dropped(found: Preview) -> list[Remark]:
    return [
        Remark(
            kind=kind,
            words=_DROPPED.get(kind, kind),
            count=count,
            examples=[
                _shown(one.path) + (f":{one.detail}" if kind == "stream" else "")
                for one in found.dropped_examples
                if one.what == kind
            ],
        )
        for kind, count in found.dropped.items()
    ]


def _warnings(found: Preview) -> list[Remark]:
    return [
        Remark(
            kind=kind.value,
            words=_WARNED[kind],
            count=count,
            examples=[_shown(path) for one, path in found.warning_examples if one is kind],
        )
        for kind, count in found.warnings.items()
    ]


def _foreign(found: Preview) -> list[Remark]:
    return [
        Remark(
            kind=kind.value,
            words=NAME_TROUBLE_MEANING[kind],
            count=count,
            examples=[_shown(path) for one, path in found.name_examples if one is kind],
        )
        for kind, count in found.names.items()
    ]


def _shown(path: bytes) -> str:
    return shown_bytes(path or b".", limit=PATH_CHARACTERS)
