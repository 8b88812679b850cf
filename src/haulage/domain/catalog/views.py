"""What API and console show of packages and versions."""

from __future__ import annotations

from haulage.base.clock import iso
from haulage.base.ids import PackageId
from haulage.domain.catalog import records
from haulage.domain.catalog.model import Package, Source, Version
from haulage.engine.database.transaction import Transaction

View = dict[str, object]


def list_packages(tx: Transaction, *, words: str = "", owner: str = "", after: str = "", limit: int | None = None) -> list[View]:
    """Packages by id, as :func:`records.list_packages` chooses them."""
    return [package_view(one) for one in records.list_packages(tx, words=words, owner=owner, after=after, limit=limit)]


def show_package(tx: Transaction, package: Package) -> View:
    """One package, with its source where this site owns it, and its newest version."""
    source = records.find_source(tx, package.id)
    newest = records.find_version(tx, package.id, package.version)
    return package_view(package) | {
        "source": None if source is None else source_view(source),
        "newest": None if newest is None else version_view(newest),
    }


def package_view(package: Package) -> View:
    """One package in a list."""
    return {
        "id": package.id,
        "name": package.name,
        "owner": package.id[:3],
        "revision": package.revision,
        "version": package.version,
        "keep": package.keep,
        "streams": package.streams,
        "assignments": list(package.assignments),
        "groups": list(package.groups),
        "direct": list(package.direct),
    }


def list_versions(tx: Transaction, package: PackageId) -> list[View]:
    """The versions of a package known here, newest first."""
    return [version_view(version) for version in records.list_versions(tx, package)]


def version_view(version: Version) -> View:
    """One version."""
    return {
        "id": f"{version.package}:{version.number}",
        "version": version.number,
        "manifest": version.manifest.hex(),
        "files": version.files,
        "folders": version.folders,
        "symlinks": version.symlinks,
        "streams": version.streams,
        "bytes": version.bytes,
        "new_bytes": version.new_bytes,
        "captured": iso(version.captured),
    }


def source_view(source: Source) -> View:
    """Where a package is captured from, and how the last capture went."""
    error = {
        "code": source.error_code,
        "message": source.error_message,
        "hint": source.error_hint,
        "family": source.error_family,
    }
    return {
        "spec": source.spec,
        "streams": source.streams,
        "state": source.state.value,
        "requested": source.requested,
        "done": source.done,
        "started": None if source.started is None else iso(source.started),
        "finished": None if source.finished is None else iso(source.finished),
        "outcome": source.outcome,
        "report": source.report,
        "error": error if source.error_code else None,
    }
