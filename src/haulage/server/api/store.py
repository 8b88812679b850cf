"""The content store of this site: figures, check, sweep."""

from __future__ import annotations

import dataclasses

import msgspec

from haulage.engine.content.model import CheckReport
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.housekeeping import check_store, sweep_store

SHOWN = 100


class SweepOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to sweep."""

    dry_run: bool = False


class CheckOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


def _stats(call: Call) -> Answer:
    return Answer(value=dataclasses.asdict(call.service.store.stats()))


def _check(call: Call) -> Answer:
    return Answer(value=_report(check_store(call.service.core)))


def _sweep(call: Call) -> Answer:
    asked: SweepOrder = call.body
    report = sweep_store(call.service.core, dry_run=asked.dry_run)
    view = dataclasses.asdict(report)
    view["damages"] = len(report.damages)
    return Answer(value=view)


def _report(report: CheckReport) -> dict[str, object]:
    return {
        "chunks_checked": report.chunks_checked,
        "bytes_checked": report.bytes_checked,
        "damaged": len(report.damages),
        "damages": [
            {"where": damage.where, "chunks": len(damage.chunks), "cause": damage.cause} for damage in report.damages[:SHOWN]
        ],
    }


ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/store/stats", permission=Permission.ADMIN, act=_stats, summary="What the store holds"),
    Endpoint(
        method="POST",
        path="/api/v1/store/check",
        permission=Permission.ADMIN,
        act=_check,
        body=CheckOrder,
        summary="Read and verify everything",
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
