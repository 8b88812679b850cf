"""What stands before the entries: renames, the root page but for its list, and which pages are kept. *Pure.*"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from haulage.engine.content import codec
from haulage.engine.content.manifest import FORMAT, KIND, MAX_ROOT_BYTES, Manifest
from haulage.engine.content.manifest_model import ManifestEntry, Totals
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pages import PAGE_MAX_ENTRIES, PAGE_MIN_ENTRIES, is_cut
from haulage.engine.parcels.structure_columns import Reader, bad, folded, put
from haulage.engine.parcels.structure_paths import MOST_RENAME_BYTES, MOST_RENAMES, Rename
from haulage.engine.parcels.structure_track import PageRun

_TOTALS = tuple(Totals.__dataclass_fields__)
_MOST_PAGES = MAX_ROOT_BYTES // 36
_MOST_PAGE_ENTRIES = 65_535
RootFields = dict[str, codec.Value]


def ends_by_rule(count: int, path: bytes) -> bool:
    """Whether a page ends after this many entries, the last of which has this path."""
    return count >= PAGE_MAX_ENTRIES or (count >= PAGE_MIN_ENTRIES and is_cut(path))


def told_count(entries: Sequence[ManifestEntry]) -> int:
    """0 if the rule alone would end the page where it ends, else how many entries it has."""
    for count in range(PAGE_MIN_ENTRIES, len(entries)):
        if ends_by_rule(count, entries[count - 1].path):
            return len(entries)
    return 0 if ends_by_rule(len(entries), entries[-1].path) else len(entries)


def write_renames(head: bytearray, renames: Sequence[Rename]) -> None:
    """Renames that hold for the whole parcel."""
    put(head, len(renames))
    for pair in renames:
        for text in pair:
            put(head, len(text))
            head += text


def read_renames(head: Reader) -> tuple[Rename, ...]:
    """The inverse of ``write_renames``."""
    count = head.number()
    if count > MOST_RENAMES:
        raise bad("it has too many renames")
    return tuple([(_text(head), _text(head)) for _ in range(count)])


def _text(head: Reader) -> bytes:
    size = head.number()
    if not 0 < size <= MOST_RENAME_BYTES:
        raise bad("a rename is empty or too long")
    return head.take(size)


def _plain(totals: Totals) -> RootFields:
    sums: dict[str, codec.Value] = {**asdict(totals)}
    return {"crit": [], "format": FORMAT, "kind": KIND, "totals": sums}


def _expected(bases: Sequence[Manifest]) -> Totals:
    return bases[0].totals if bases else Totals()


def write_root(head: bytearray, root: bytes, totals: Totals, bases: Sequence[Manifest]) -> None:
    """All of a root page but its list of pages."""
    fields = codec.decode(root, max_bytes=MAX_ROOT_BYTES, what="manifest")
    if not isinstance(fields, dict):
        raise codec.bad_field("manifest", "root")
    del fields["pages"]
    blob = codec.encode(fields)
    if blob != codec.encode(_plain(totals)):
        put(head, len(blob))
        head += blob
        return
    put(head, 0)
    before = _expected(bases)
    for name in _TOTALS:
        put(head, folded(getattr(totals, name) - getattr(before, name)))


def read_root(head: Reader, bases: Sequence[Manifest]) -> RootFields:
    """The inverse of ``write_root``."""
    size = head.number()
    if not size:
        before = _expected(bases)
        sums = {name: getattr(before, name) + head.signed() for name in _TOTALS}
        if not all(0 <= number < 2**63 for number in sums.values()):
            raise bad("its totals are out of range")
        return _plain(Totals(**sums))
    fields = codec.decode(head.take(size), max_bytes=MAX_ROOT_BYTES, what="root page of a parcel")
    if not isinstance(fields, dict) or "pages" in fields:
        raise bad("its root page is malformed")
    return fields


def encode_root(fields: RootFields, rows: list[codec.Value]) -> bytes:
    """The root page."""
    data = codec.encode({**fields, "pages": rows})
    if len(data) > MAX_ROOT_BYTES:
        raise bad("its root page is too large")
    return data


def page_runs(target: Manifest, bases: Sequence[Manifest], counts: dict[int, int]) -> list[PageRun]:
    """The target's pages in stretches. ``counts``: what is told of each fresh page."""
    places: dict[ChunkId, tuple[int, int]] = {}
    for number, base in enumerate(bases):
        for at, page in enumerate(base.pages()):
            places.setdefault(page.id, (number, at))
    runs: list[PageRun] = []
    fresh: list[int] = []
    for index, page in enumerate(target.pages()):
        last = runs[-1] if runs else None
        if index in counts:
            if last is None or last.base >= 0:
                fresh = []
                last = PageRun(-1, 0, 0, fresh)
                runs.append(last)
            fresh.append(counts[index])
            last.count += 1
            continue
        if last is not None and last.base >= 0 and _page_id(bases[last.base], last.first + last.count) == page.id:
            last.count += 1
        else:
            runs.append(PageRun(*places[page.id], 1))
    return runs


def _page_id(base: Manifest, page: int) -> ChunkId | None:
    return base.pages()[page].id if page < len(base.pages()) else None


def write_pages(head: bytearray, runs: Sequence[PageRun]) -> None:
    """Stretches of pages."""
    put(head, len(runs))
    behind = 0
    for run in runs:
        put(head, run.base + 1)
        if run.base < 0:
            put(head, run.count - 1)
            for count in run.entries:
                put(head, count)
            behind += run.count
        else:
            put(head, folded(run.first - behind))
            put(head, run.count - 1)
            behind = run.first + run.count


def read_pages(head: Reader, bases: Sequence[Manifest]) -> list[PageRun]:
    """The inverse of ``write_pages``; kept pages exist."""
    runs: list[PageRun] = []
    behind = total = 0
    for _ in range(head.number()):
        base = head.number() - 1
        if base < 0:
            count = head.number() + 1
            total += count
            if total > _MOST_PAGES:
                raise bad("it has too many pages")
            entries = [head.number() for _ in range(count)]
            if max(entries) > _MOST_PAGE_ENTRIES:
                raise bad("a page has too many entries")
            runs.append(PageRun(-1, 0, count, entries))
            behind += count
        else:
            first = behind + head.signed()
            count = head.number() + 1
            total += count
            if base >= len(bases) or first < 0 or first + count > len(bases[base].pages()) or total > _MOST_PAGES:
                raise bad("it keeps pages that its bases do not have")
            runs.append(PageRun(base, first, count))
            behind = first + count
    if not total:
        raise bad("it has no pages")
    return runs
