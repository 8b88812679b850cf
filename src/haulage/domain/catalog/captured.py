"""What was noticed while a version was captured: what was left out, what deserves a look, names that Windows could not use. Written
down once, with the version; shown line by line."""

from __future__ import annotations

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from haulage.base.errors import HaulageError
from haulage.base.ids import VersionNumber
from haulage.domain.catalog.model import Capture
from haulage.engine.content.capture_report import CaptureReport
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ChunkStore
from haulage.engine.trees.windows_names import NAME_TROUBLE_MEANING, NameJudge, NameTrouble

LINES_LISTED = 20_000
"""Of one kind; more are counted, and the count says so (I14)."""
NAMES_JUDGED = 1_000_000
"""Names of one tree that are judged for Windows."""
DROPPED, WARNED, FOREIGN = "dropped", "warned", "foreign"

_OMITTED = {
    "stream": "Named streams that were left out, as the package says.",
    "mode-bits": "Files that lost their set-uid, set-gid or sticky bits.",
    "attribute": "Attributes that no other place could be given.",
    "times": "Times beyond what can be said.",
}
_WARNED = {
    WarningKind.MISLEADING_NAME: "Names that hide or turn what a person reads.",
    WarningKind.POSSIBLE_SECRET: "Files whose names keys and passwords usually have.",
    WarningKind.LINK_LEAVES_TREE: "Links that lead out of the tree. They are kept, and never followed.",
}


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One thing that was noticed. ``kind`` is its group and what it is, as in ``dropped stream``."""

    kind: str
    path: bytes
    detail: str = ""


_DECODER = msgspec.msgpack.Decoder(list[Line])


def noted(report: CaptureReport, number: VersionNumber, now: dt.datetime, store: ChunkStore) -> Capture:
    """Everything a capture noticed, with the names of its tree judged."""
    lines = [Line(f"{DROPPED} {one.what}", one.path, one.detail) for one in report.dropped]
    lines += [Line(f"{WARNED} {one.kind.value}", one.path) for one in report.warnings]
    judged, foreign = _judged(report, store)
    lines += foreign
    counts = Counter(one.kind for one in lines)
    figures = {
        "bytes_total": report.bytes_total,
        "bytes_new": report.bytes_new,
        "bytes_read": report.bytes_read,
        "files_read": report.files_read,
        "files_skipped": report.files_skipped,
        "streams": report.streams,
        "tries": report.tries,
        "warnings_not_listed": report.warnings_more,
        "names_judged": judged,
        "entries": report.manifest.totals.entries,
    }
    return Capture(of_version=number, taken=now, figures=figures, counts=dict(counts), lines=_packed(lines))


def lines_of(capture: Capture) -> list[Line]:
    """The lines, by kind and path."""
    return _DECODER.decode(zlib.decompress(capture.lines))


def meaning(kind: str) -> str:
    """What a kind of line is, in words."""
    group, _space, what = kind.partition(" ")
    if group == DROPPED:
        return _OMITTED.get(what, f"Left out: {what}.")
    if group == WARNED:
        return _WARNED[WarningKind(what)] if what in {one.value for one in WarningKind} else what
    return f"Names that Windows could not use as they are: each {NAME_TROUBLE_MEANING[NameTrouble(what)]}."


def chosen(lines: Iterable[Line], *, kind: str = "", words: str = "") -> Iterator[Line]:
    """The lines of a kind whose path or detail holds a text."""
    needle = words.casefold()
    for one in lines:
        if kind and one.kind != kind:
            continue
        if not needle or needle in one.path.decode("utf-8", "backslashreplace").casefold() or needle in one.detail.casefold():
            yield one


def _judged(report: CaptureReport, store: ChunkStore) -> tuple[int, list[Line]]:
    """How many names were judged, and those Windows could not use."""
    judge, found, judged = NameJudge(), [], 0
    try:
        manifest = Manifest.open(report.manifest.id, store.read)
        for page in range(len(manifest.pages())):
            if judged >= NAMES_JUDGED:
                break
            for entry in manifest.page(page):
                judged += 1
                trouble = judge.judge(entry.path)
                if trouble is not None:
                    found.append(Line(f"{FOREIGN} {trouble.value}", entry.path))
    except HaulageError:
        return judged, found  # it stands in the store as it was just written; who cannot read it now will hear of it elsewhere
    return judged, found


def _packed(lines: Sequence[Line]) -> bytes:
    listed: Counter[str] = Counter()
    kept = []
    for one in sorted(lines, key=lambda line: (line.kind, line.path)):
        listed[one.kind] += 1
        if listed[one.kind] <= LINES_LISTED:
            kept.append(one)
    return zlib.compress(msgspec.msgpack.encode(kept))
