"""The content store of this site: figures, check and repair, sweep."""

from __future__ import annotations

import dataclasses

import msgspec

from haulage.domain.repair.healing import HealReport
from haulage.domain.repair.lacks import find_lacks, lack_view
from haulage.engine.content.model import CheckReport
from haulage.operations.store import ask_check, ask_sweep
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.housekeeping import sweep_store
from haulage.server.service import View
from haulage.server.store_view import store_view

SHOWN = 100


class SweepOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to sweep."""

    dry_run: bool = False


class CheckOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``repair``: replace what is damaged before answering, as far as it can be done at once."""

    repair: bool = False


def _stats(call: Call) -> Answer:
    care = call.service.care
    view: View = dataclasses.asdict(call.service.store.stats())
    return Answer(value=view | {"damaged_chunks": len(call.service.store.damaged()), "scrub": care.scrub_view() if care else None})


def _show(call: Call) -> Answer:
    return Answer(value=msgspec.to_builtins(store_view(call.service)))


def _check(call: Call) -> Answer:
    asked: CheckOrder = call.body
    service = call.service
    ask_check(service.desk, call.actor)
    report = service.care.check()
    lacks = find_lacks(service.core.database, service.store, service.code) if report.damages else []
    view = _report(report) | {"affected": [lack_view(lack) for lack in lacks]}
    if asked.repair:
        view |= _healed(service.care.heal_now())
    return Answer(value=view)


def _damage(call: Call) -> Answer:
    """What is known to be damaged and not replaced yet; reads nothing."""
    healer, store = call.service.core.healer, call.service.store
    left = [lack_view(lack) for lack in healer.lacks]
    return Answer(value={"damaged_chunks": len(store.damaged()), "unsound_packs": len(store.unsound()), "left": left})


def _sweep(call: Call) -> Answer:
    asked: SweepOrder = call.body
    if not asked.dry_run:
        ask_sweep(call.service.desk, call.actor)
    report = sweep_store(call.service.core, dry_run=asked.dry_run)
    view = dataclasses.asdict(report)
    view["damages"] = len(report.damages)
    return Answer(value=view)


def _report(report: CheckReport) -> View:
    return {
        "chunks_checked": report.chunks_checked,
        "bytes_checked": report.bytes_checked,
        "damaged": len(report.damages),
        "damages": [
            {
                "where": damage.where,
                "pack": damage.pack or None,
                "chunks": len(damage.chunks),
                "ids": [chunk.hex() for chunk in damage.chunks[:SHOWN]],
                "cause": damage.cause,
            }
            for damage in report.damages[:SHOWN]
        ],
    }


def _healed(report: HealReport) -> View:
    return {
        "healed": [{"source": label, "chunks": count} for label, count in sorted(report.healed.items())],
        "packs_set_aside": report.mended.packs_set_aside if report.mended else 0,
        "indexes_written": report.mended.indexes_written if report.mended else 0,
        "left": [lack_view(lack) for lack in report.left],
        "asked": list(report.asked),
    }


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/store",
        permission=Permission.READ,
        act=_show,
        summary="What the store holds, what was saved and how, how sound it is",
    ),
    Endpoint(method="GET", path="/api/v1/store/stats", permission=Permission.READ, act=_stats, summary="What the store holds"),
    Endpoint(
        method="GET",
        path="/api/v1/store/damage",
        permission=Permission.READ,
        act=_damage,
        summary="What is damaged and not replaced",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/store/check",
        permission=Permission.ADMIN,
        act=_check,
        body=CheckOrder,
        summary="Read and verify everything, and repair it",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/store/sweep",
        permission=Permission.ADMIN,
        act=_sweep,
        body=SweepOrder,
        summary="Remove what nothing needs",
    ),
)
