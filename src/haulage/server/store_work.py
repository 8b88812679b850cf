"""What can be done to the store of a running site, as work that tells how far it is. The asking is written down by operations; the
doing is the business of whoever cares for the store."""

from __future__ import annotations

import dataclasses

from haulage.operations.store import ask_check, ask_sweep
from haulage.server.housekeeping import sweep_store
from haulage.server.service import Service
from haulage.server.store_acts import Progress


def begin(service: Service, actor: str, what: str) -> None:
    """Start one of sweep, foretell, check, repair in the background. Raises ConflictError ``store-busy``."""
    service.store_acts.start(actor, what, lambda progress: _work(service, actor, what, progress))


def _work(service: Service, actor: str, what: str, progress: Progress) -> str:
    """Do it; returns the outcome as a sentence. Raises whatever the store raises."""
    if what in ("sweep", "foretell"):
        return _sweep(service, actor, dry_run=what == "foretell")
    ask_check(service.desk, actor)
    report = service.care.check(progress)
    found = f"{report.chunks_checked} chunks ({report.bytes_checked} bytes) were read: "
    found += f"{len(report.damages)} parts are damaged." if report.damages else "all of them are right."
    if what == "check" or not report.damages:
        return found
    healed = service.care.heal_now()
    count, left = sum(healed.healed.values()), sum(len(lack.chunks) for lack in healed.left)
    asked = f" {', '.join(healed.asked)} were asked and answer by themselves." if healed.asked else ""
    return f"{found} {count} chunks were healed, {left} could not be healed yet.{asked}"


def _sweep(service: Service, actor: str, *, dry_run: bool) -> str:
    if not dry_run:
        ask_sweep(service.desk, actor)
    report = dataclasses.asdict(sweep_store(service.core, dry_run=dry_run))
    would = "would give back" if dry_run else "gave back"
    return f"The sweep {would} {report['bytes_removed']} bytes: {report['chunks_removed']} chunks go, {report['chunks_kept']} stay."
