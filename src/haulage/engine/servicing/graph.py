"""Rules on sets of fixes: who replaces whom, what is left to install in one step, in which order, what cannot stand together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from haulage.engine.servicing import document, level
from haulage.engine.servicing.definition import FixDefinition, FixFile
from haulage.engine.servicing.errors import RefusedError

Fixes = Mapping[str, FixDefinition]
Neighbours = Callable[[FixDefinition], Iterable[str]]


def replaced(fix: FixDefinition) -> Iterable[str]:
    """What is not needed beside it."""
    return fix.replaces


def predecessors(fix: FixDefinition) -> Iterable[str]:
    """What comes before it."""
    return (*fix.after, *fix.requires.fixes)


def collected(definitions: Iterable[FixDefinition]) -> dict[str, FixDefinition]:
    """Definitions by id. Raises RefusedError ``other-content`` for two of one number (B94), ``cycle`` for a ring (B91)."""
    found: dict[str, FixDefinition] = {}
    for each in definitions:
        known = found.setdefault(each.id, each)
        if known != each:
            raise RefusedError(
                "other-content",
                f"There are two fixes {each.id} with different content ({digest(known)[:12]} and {digest(each)[:12]}).",
                "Keep the one its maker stands by; a changed fix gets a number of its own.",
            )
    check_no_ring(found, replaced, "replaces")
    check_no_ring(found, predecessors, "comes after")
    return found


def digest(definition: FixDefinition) -> str:
    """The fix by content: SHA-256 of its document."""
    return hashlib.sha256(document.to_bytes(definition)).hexdigest()


def check_no_ring(fixes: Fixes, neighbours: Neighbours, word: str) -> None:
    """Raises RefusedError ``cycle``, which names every fix of the ring in order (B91)."""
    ring = find_ring(fixes, neighbours)
    if ring:
        raise RefusedError(
            "cycle", f"Fixes go round in a ring: {f' {word} '.join([*ring, ring[0]])}.", "Ask the maker which of them is the last."
        )


def find_ring(fixes: Fixes, neighbours: Neighbours) -> list[str]:
    """Fixes that lead to themselves, in order; empty for none. Takes no stack, so a chain may be as long as it likes."""
    done: set[str] = set()
    for start in sorted(fixes):
        way: list[str] = []
        on_way: set[str] = set()
        left = [(start, False)]
        while left:
            fix, leaving = left.pop()
            if leaving:
                way.pop()
                on_way.discard(fix)
                done.add(fix)
            elif fix in on_way:
                return way[way.index(fix) :]
            elif fix not in done and fix in fixes:
                way.append(fix)
                on_way.add(fix)
                left.append((fix, True))
                left.extend((each, False) for each in sorted(neighbours(fixes[fix]), reverse=True))
    return []


def reachable(start: str, fixes: Fixes, neighbours: Neighbours) -> set[str]:
    """All that ``start`` leads to, itself only by a ring; also ids whose definition is not known."""
    found: set[str] = set()
    left = [start]
    while left:
        fix = fixes.get(left.pop())
        for each in neighbours(fix) if fix is not None else ():
            if each not in found:
                found.add(each)
                left.append(each)
    return found


def all_replaced(fixes: Fixes) -> dict[str, set[str]]:
    """For each fix everything it replaces, through others too: the closure of supersedence."""
    return {each: reachable(each, fixes, replaced) for each in fixes}


def superseders(fix: str, fixes: Fixes) -> tuple[str, ...]:
    """Fixes that replace ``fix`` and are themselves replaced by none: what to install in its place."""
    over = {each for each, below in all_replaced(fixes).items() if fix in below}
    return tuple(sorted(each for each in over if not any(each in reachable(other, fixes, replaced) for other in over)))


@dataclass(frozen=True)
class Effective:
    """What is left of a set of fixes. ``order`` is to be installed, first to last; ``dropped`` says by which fix each other one is
    replaced; ``added`` says why each fix that was not asked for is in; ``missing`` are needed and not known, with the reason."""

    order: tuple[str, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


def effective(wanted: Collection[str], fixes: Fixes, present: Collection[str] = ()) -> Effective:
    """The fixes to install for ``wanted`` in one step: replaced ones fall away, prerequisites and menders come in, in order.

    ``present`` are installed already; what they replace counts as present. Raises RefusedError ``not-found``, ``cycle``.
    """
    check_no_ring(fixes, replaced, "replaces")
    there = set(present).union(*(reachable(each, fixes, replaced) for each in present))
    for each in sorted(wanted):
        if each not in fixes:
            raise RefusedError("not-found", f"There is no fix {each}.", "Import its bundle first.")
    asked = set(wanted) - there
    added, missing = _needed(asked - set(_dropped(asked, fixes)), fixes, there)
    every = asked | set(added)
    dropped = _dropped(every, fixes)
    left = every - set(dropped)
    return Effective(ordered(left, fixes), dropped, {each: why for each, why in added.items() if each in left}, missing)


def _dropped(every: Collection[str], fixes: Fixes) -> dict[str, str]:
    """Those that others of the set replace, each with the one that stays and does."""
    closure = {each: reachable(each, fixes, replaced) for each in every}
    gone = set().union(*closure.values()) & set(every)
    return {each: min(other for other in set(every) - gone if each in closure[other]) for each in sorted(gone)}


def _needed(wanted: set[str], fixes: Fixes, there: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What comes in beside what is wanted, and what would have to but is not known: prerequisites, and menders of breakage."""
    added: dict[str, str] = {}
    missing: dict[str, str] = {}
    left = sorted(wanted)
    seen = set(left)
    while left:
        fix = fixes[left.pop(0)]
        brought = there.union(seen, *(reachable(each, fixes, replaced) for each in seen))
        for needed, why in _companions(fix, fixes):
            if needed in brought:
                continue
            if needed not in fixes:
                missing[needed] = why
                continue
            added[needed] = why
            seen.add(needed)
            left.append(needed)
    return added, missing


def _companions(fix: FixDefinition, fixes: Fixes) -> Iterable[tuple[str, str]]:
    for each in fix.requires.fixes:
        yield each, f"{fix.id} needs it"
    for breakage in fix.breaks:
        if breakage.mended_by is not None:
            yield breakage.mended_by, f"{fix.id} breaks something that it mends: {breakage.what}"
    for other in sorted(fixes):
        if fix.id in fixes[other].mends:
            yield other, f"it mends what {fix.id} breaks"


def ordered(wanted: Collection[str], fixes: Fixes) -> tuple[str, ...]:
    """First to last: what a fix comes after, needs or mends stands before it; else by id. Raises RefusedError ``cycle``."""
    chosen = {each: fixes[each] for each in wanted}
    brought = {each: reachable(each, fixes, replaced) | {each} for each in chosen}
    bringers: dict[str, set[str]] = {}
    for each, ids in brought.items():
        for brought_id in ids:
            bringers.setdefault(brought_id, set()).add(each)
    earlier = {each: _earlier(fix, fixes, bringers) for each, fix in chosen.items()}
    check_no_ring(chosen, lambda fix: earlier[fix.id], "comes after")
    order: list[str] = []
    waiting = {each: set(before) for each, before in earlier.items()}
    while waiting:
        first = min(each for each, before in waiting.items() if not before)
        order.append(first)
        del waiting[first]
        for before in waiting.values():
            before.discard(first)
    return tuple(order)


def _earlier(fix: FixDefinition, fixes: Fixes, bringers: Mapping[str, set[str]]) -> set[str]:
    """Chosen fixes that stand before this one: named by it, also through fixes that are not chosen, or replacing what it names."""
    named = reachable(fix.id, fixes, predecessors) | set(fix.mends)
    return set().union(*(bringers.get(each, set()) for each in named)) - {fix.id}


@dataclass(frozen=True)
class Conflict:
    """Two fixes that leave one thing in two ways, with nothing said about which of them is the last."""

    first: str
    second: str
    about: str


def conflicts(chosen: Sequence[FixDefinition], fixes: Fixes) -> tuple[Conflict, ...]:
    """Schemas left in two forms (Q192922) and files left in two contents that no version orders: the same answer in both orders."""
    found: list[Conflict] = []
    by_id = sorted(chosen, key=lambda each: each.id)
    for index, first in enumerate(by_id):
        for second in by_id[index + 1 :]:
            if not are_ordered(first, second, fixes):
                found.extend(Conflict(first.id, second.id, about) for about in _clashes(first, second))
    return tuple(found)


def are_ordered(first: FixDefinition, second: FixDefinition, fixes: Fixes) -> bool:
    """Whether something says which of the two comes last."""
    known = {**fixes, first.id: first, second.id: second}
    return any(
        a in reachable(b, known, neighbours)
        for a, b in ((first.id, second.id), (second.id, first.id))
        for neighbours in (replaced, predecessors)
    )


def _clashes(first: FixDefinition, second: FixDefinition) -> Iterable[str]:
    forms = {each.name: each.form for each in first.schemas}
    yield from (each.name for each in second.schemas if forms.get(each.name, each.form) != each.form)
    files = {each.path: each for each in first.files}
    for file in second.files:
        other = files.get(file.path)
        if other is not None and _same_rank(other, file):
            yield file.path


def _same_rank(one: FixFile, other: FixFile) -> bool:
    """Whether two states of a file differ and neither is the later."""
    if (one.action, one.sha256) == (other.action, other.sha256) or (one.placed and other.placed and one.sha256 == other.sha256):
        return False
    return later(one, other) is None


def later(one: FixFile, other: FixFile) -> FixFile | None:
    """The one of a later version; None where versions do not say."""
    first, second = level.parsed_or_none(one.version), level.parsed_or_none(other.version)
    if first is None or second is None or first == second:
        return None
    return one if first > second else other
