"""What API and console show of fixes."""

from __future__ import annotations

from haulage.base.clock import iso
from haulage.base.ids import SiteCode
from haulage.domain.fixes import records
from haulage.domain.fixes.knowing import availability, definition_of, definitions, foremost
from haulage.domain.fixes.model import Assessment, Fix
from haulage.engine.database.transaction import Transaction
from haulage.engine.servicing import graph

View = dict[str, object]


def list_fixes(tx: Transaction, code: SiteCode) -> list[View]:
    """Every fix known here, by id."""
    return [fix_view(fix) for _name, fix in sorted(foremost(tx, code, records.list_fixes(tx, documents=False)).items())]


def fix_view(fix: Fix) -> View:
    """One fix in a list."""
    return {
        "id": fix.fix,
        "fix": fix.fix,
        "title": fix.title,
        "article": fix.article,
        "owner": fix.owner,
        "origin": fix.origin,
        "supersedes": list(fix.supersedes),
        "contains": list(fix.contains),
        "requires": list(fix.requires),
        "package": fix.package,
        "bundle": fix.bundle,
        "bundle_bytes": fix.bundle_bytes,
        "signer": fix.signer_fingerprint,
        "known": iso(fix.known),
    }


def show_fix(tx: Transaction, code: SiteCode, fix: Fix) -> View:
    """One fix with its files, where its bundle is, and what replaces it."""
    known = definitions(tx, code)
    definition = definition_of(fix)
    where = availability(tx, code, fix)
    files: list[View] = [
        {"path": file.path, "action": file.action.value, "version": file.version, "bytes": file.size, "sha256": file.sha256}
        for file in definition.files
    ] or [{"path": file.path, "action": "", "version": file.version, "bytes": file.bytes, "sha256": ""} for file in fix.files]
    return fix_view(fix) | {
        "product": definition.product.id,
        "versions": definition.product.versions,
        "service_levels": list(definition.product.service_levels),
        "reboot": definition.reboot.value,
        "uninstallable": definition.uninstallable,
        "services": [service.name for service in definition.services],
        "files": files,
        "superseded_by": list(graph.superseders(fix.fix, known)),
        "evidence": fix.evidence,
        "version": where.version,
        "here": where.here,
        "places": list(where.places),
        "run": where.folder or (f"haulage package extract {fix.package} --to DIR" if where.here else ""),
        "others": [other.owner for other in records.find_fixes(tx, fix.fix) if other.owner != fix.owner],
    }


def assessment_view(assessment: Assessment) -> View:
    """What a root lacks."""
    return {
        "id": assessment.root,
        "root": assessment.root,
        "product": assessment.product,
        "version": assessment.version,
        "service_level": assessment.service_level,
        "taken": iso(assessment.taken),
        "results": list(assessment.results),
    }
