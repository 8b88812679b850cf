"""The definition of a rollup out of those it contains. Pure: what each field of many fixes is in the one."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from haulage.base.errors import ConflictError, UsageError
from haulage.engine.bundles.comparison import Changes, stream_order
from haulage.engine.bundles.definition_file import made
from haulage.engine.servicing import graph
from haulage.engine.servicing.definition import (
    ANY,
    Becomes,
    Detection,
    FileAction,
    FixDefinition,
    FixFile,
    KnownState,
    ProductRange,
    Reboot,
    Requirements,
    Service,
)

T = TypeVar("T")
_MOST_NAMED = 10
"""Files named in one sentence."""


def joined(written: Mapping[str, Any], fixes: graph.Fixes, leave_out: Collection[str] = ()) -> FixDefinition:
    """The rollup of ``fixes``: what was ``written`` of it (id and title at least), the rest from the effective set in its order.
    Of the fixes to ``leave_out`` those whose repairs are lost are superseded by it, and not contained in it.

    Raises RefusedError ``cycle``, ConflictError ``conflict``, ``repairs-lost``, UsageError ``two-products``.
    """
    effective = graph.effective(sorted(fixes), fixes)
    chosen = [fixes[each] for each in effective.order]
    lost = lost_files(fixes, effective)
    _check_nothing_lost({each: files for each, files in lost.items() if each not in leave_out}, effective)
    _check_no_conflict(chosen, fixes)
    own = made(
        {
            "product": {"id": _product(chosen).id},
            "contains": [each for each in _contained(written, fixes) if each not in lost],
            "supersedes": sorted(lost),
            **written,
        },
        Changes(files=(), sources={}),
    )
    return dataclasses.replace(
        own,
        product=_product(chosen) if "product" not in written else own.product,
        files=rolled_files(chosen, fixes),
        programs=own.programs or _once(each for fix in chosen for each in fix.programs),
        services=own.services or _services(chosen),
        keep=_once((*own.keep, *(each for fix in chosen for each in fix.keep))),
        requires=_requirements(own, chosen),
        breaks=_once((*own.breaks, *(each for fix in chosen for each in fix.breaks if each.mended_by not in own.contains))),
        schemas=own.schemas or tuple({each.name: each for fix in chosen for each in fix.schemas}.values()),
        detect=own.detect or _detect(chosen),
        becomes=own.becomes if "becomes" in written else _becomes(chosen),
        reboot=max((own.reboot, *(fix.reboot for fix in chosen)), key=list(Reboot).index),
        uninstallable=own.uninstallable and all(fix.uninstallable for fix in chosen),
    )


def lost_files(fixes: graph.Fixes, effective: graph.Effective) -> dict[str, list[str]]:
    """Each fix that falls away, and those of its files that no fix that stays speaks of: their repair is lost with it."""
    brought = {file.path for each in effective.order for file in fixes[each].files}
    lost = {
        each: sorted({file.path for file in fixes[each].files if file.action is not FileAction.TOOL} - brought)
        for each in effective.dropped
    }
    return {each: files for each, files in lost.items() if files}


def rolled_files(chosen: Sequence[FixDefinition], fixes: graph.Fixes) -> tuple[FixFile, ...]:
    """Each path once. Of two states the one of the later version stays, else that of the later fix: nothing older comes over
    something newer. Every other state that any of the fixes knows or leaves counts as older."""
    last: dict[tuple[bool, str], FixFile] = {}
    for fix in chosen:
        for file in fix.files:
            key = (file.action is FileAction.TOOL, file.path)
            other = last.get(key)
            if other is None:
                last[key] = file
            elif key[0] and other.sha256 != file.sha256:
                raise ConflictError("conflict", f"Two fixes carry different tools {file.path}.", "Rename one of them.")
            else:
                last[key] = _later_state(other, file)
    states = _known_states(fixes.values())
    return stream_order([_with_states(file, states.get(file.path, {})) for file in last.values()])


def _later_state(first: FixFile, second: FixFile) -> FixFile:
    winner = graph.later(first, second) or second
    if winner.placed and FileAction.ADD in (first.action, second.action):
        return dataclasses.replace(winner, action=FileAction.ADD)
    return winner


def _known_states(fixes: Iterable[FixDefinition]) -> dict[str, dict[str, KnownState]]:
    known: dict[str, dict[str, KnownState]] = {}
    for fix in fixes:
        for file in fix.files:
            if file.action is not FileAction.TOOL:
                states = known.setdefault(file.path, {})
                states.update({each.sha256: each for each in file.before})
                if file.placed:
                    states[file.sha256] = KnownState(file.sha256, file.version)
    return known


def _with_states(file: FixFile, states: Mapping[str, KnownState]) -> FixFile:
    if file.action is FileAction.TOOL:
        return file
    before = tuple(states[sha256] for sha256 in sorted(states) if sha256 != file.sha256)
    return dataclasses.replace(file, before=before)


def _check_nothing_lost(lost: Mapping[str, Sequence[str]], effective: graph.Effective) -> None:
    """A rollup that says it contains a fix has all that the fix repairs."""
    for dropped, files in lost.items():
        by = effective.dropped[dropped]
        listed = ", ".join(files[:_MOST_NAMED]) + (f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else "")
        raise ConflictError(
            "repairs-lost",
            f"{by} replaces {dropped} and does not bring {listed}: what {dropped} repairs there would be lost.",
            f"If {by} comes on top of {dropped}, build it with after instead of supersedes or contains; if the loss is meant, give "
            f"--leave-out {dropped}.",
        )


def _check_no_conflict(chosen: Sequence[FixDefinition], fixes: graph.Fixes) -> None:
    for clash in graph.conflicts(chosen, fixes):
        raise ConflictError(
            "conflict",
            f"{clash.first} and {clash.second} both change {clash.about}, and nothing says which of them comes last.",
            "Have one of them name the other in after or supersedes.",
        )


def _contained(written: Mapping[str, Any], fixes: graph.Fixes) -> list[str]:
    every = {*fixes, *(each for fix in fixes for each in graph.reachable(fix, fixes, graph.replaced))}
    return sorted(every - {str(written.get("id"))})


def _product(chosen: Sequence[FixDefinition]) -> ProductRange:
    """The product all are for: every condition on versions holds, service levels are those that all name."""
    products = [each.product for each in chosen]
    order = max((each.levels_order for each in products), key=len)
    named = [set(each.service_levels) for each in products if each.service_levels]
    levels = set.intersection(*named) if named else set()
    if named and not levels:
        raise UsageError("two-products", "The fixes are for different service levels.", "Roll up fixes for one level.")
    conditions = _once(each for product in products if product.versions != ANY for each in product.versions.split(","))
    return ProductRange(
        id=_the_one("products", [each.id for each in products]),
        versions=",".join(conditions) or ANY,
        service_levels=tuple(each for each in order if each in levels),
        levels_order=order,
        architecture=_the_one("architectures", [each.architecture for each in products if each.architecture != ANY] or [ANY]),
        language=_the_one("languages", [each.language for each in products if each.language != ANY] or [ANY]),
        probe=next((each.probe for each in reversed(products) if each.probe is not None), None),
    )


def _the_one(what: str, values: Sequence[str]) -> str:
    if len(set(values)) != 1:
        found = ", ".join(sorted(set(values)))
        raise UsageError("two-products", f"The fixes are for different {what}: {found}.", "Roll up fixes for one of them.")
    return values[0]


def _services(chosen: Sequence[FixDefinition]) -> tuple[Service, ...]:
    """Each service once, in the order in which the fixes stop them; the longer wait counts."""
    found: dict[tuple[str, str], Service] = {}
    for each in (service for fix in chosen for service in fix.services):
        key = (each.kind.value, each.name)
        known = found.get(key, each)
        found[key] = dataclasses.replace(
            known,
            stop_seconds=max(known.stop_seconds, each.stop_seconds),
            start_seconds=max(known.start_seconds, each.start_seconds),
            required=known.required or each.required,
        )
    return tuple(found.values())


def _requirements(own: FixDefinition, chosen: Sequence[FixDefinition]) -> Requirements:
    order = max((each.product.levels_order for each in chosen), key=len)
    levels = [each.requires.service_level for each in (own, *chosen) if each.requires.service_level in order]
    needed = _once(each for fix in (own, *chosen) for each in fix.requires.fixes if each not in own.contains)
    return Requirements(needed, max(levels, key=lambda each: order.index(str(each))) if levels else None)


def _detect(chosen: Sequence[FixDefinition]) -> tuple[Detection, ...]:
    """The rules of all, where any fix has rules; a fix without stands for its files."""
    if not any(fix.detect for fix in chosen):
        return ()
    return _once(
        rule
        for fix in chosen
        for rule in fix.detect or [Detection(path=each.path, sha256=each.sha256) for each in fix.files if each.placed]
    )


def _becomes(chosen: Sequence[FixDefinition]) -> Becomes:
    versions = [fix.becomes.version for fix in chosen if fix.becomes.version is not None]
    levels = [fix.becomes.service_level for fix in chosen if fix.becomes.service_level is not None]
    return Becomes(versions[-1] if versions else None, levels[-1] if levels else None)


def _once(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, where it came first. By what is written of it: programs hold tables, which cannot be hashed."""
    return tuple({repr(each): each for each in values}.values())
