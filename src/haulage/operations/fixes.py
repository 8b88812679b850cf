"""What people do with fixes: import a bundle as data, confirm what an article says, forget one, assess a product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from haulage.base.errors import ConflictError, NotAllowedError, UsageError
from haulage.base.ids import NO_VERSION, PackageId, make_package_id
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package, Source
from haulage.domain.catalog.publish import package_state
from haulage.domain.estate import records as estate
from haulage.domain.fixes import records
from haulage.domain.fixes.knowing import definition_of, foremost, require_fix
from haulage.domain.fixes.model import BUNDLE, PERSON, Assessment, Fix
from haulage.domain.fixes.rules import fix_state
from haulage.domain.knowledge.proposing import Proposal
from haulage.engine.bundles.reading import BundleFacts, authorised
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Kind
from haulage.engine.servicing import graph
from haulage.engine.servicing.definition import FixDefinition
from haulage.engine.servicing.document import to_bytes
from haulage.engine.servicing.trusted import TrustedKey, fingerprint
from haulage.engine.status import on_fixes
from haulage.operations.desk import Desk

TITLE_CHARACTERS = 200


class Kept(Protocol):
    """A bundle that was copied aside and read."""

    facts: BundleFacts
    source: str
    """What a package is captured from, once it is kept."""

    def keep(self) -> None:
        """It becomes the source of a package, durably."""
        ...


def import_bundle(desk: Desk, actor: str, bundle: Kept, *, trust: Sequence[str] = (), keys: Sequence[TrustedKey] = ()) -> Fix:
    """Make a bundle known, and a package of it, which is captured at once. ``trust`` are fingerprints of signers somebody vouches
    for now; ``keys`` those the site trusts anyway.

    Raises NotAllowedError ``unsigned``, ``not-trusted``, ``wrong-role``, ``expired`` (B90), ConflictError ``other-content`` (B94),
    ``cycle`` (B91). The same bundle again changes nothing."""
    facts = bundle.facts
    with desk.database.writing() as tx:
        authorised(facts, [*keys, *_vouched(facts, trust), *_known_signers(tx, desk)], desk.clock.now())
        there = [fix for fix in records.find_fixes(tx, facts.definition.id) if fix.owner == desk.code]
        if there and there[0].bundle == facts.sha256:
            return there[0]
        _refuse_other_content(tx, facts)
        _refuse_ring(tx, desk, facts.definition)
        bundle.keep()
        package = _package_for(desk, tx, facts, bundle.source, there[0] if there else None)
        fix = _from_bundle(desk, facts, package)
        desk.definitions.issue(tx, Kind.FIX, f"{desk.code}.{fix.fix}", fix_state(fix))
        desk.publisher.request(tx, package)
        _tell(desk, tx, actor, fix)
        return require_fix(tx, desk.code, fix.fix)


def confirm_fix(desk: Desk, actor: str, proposal: Proposal) -> Fix:
    """A person agrees with what an article says of its fix. One that is known from its bundle needs no such word."""
    with desk.database.writing() as tx:
        for known in records.find_fixes(tx, proposal.fix):
            if known.bundle:
                raise ConflictError(
                    "fix-has-bundle", f"Fix {known.fix} is known from its own bundle, which says more.", "haulage fix show ID"
                )
        fix = Fix(
            fix=proposal.fix,
            owner=desk.code,
            revision=0,
            title=proposal.title[:TITLE_CHARACTERS],
            article=proposal.article,
            origin=PERSON,
            evidence=proposal.evidence[:4000],
            supersedes=proposal.supersedes,
            contains=proposal.contains,
            requires=proposal.requires,
            files=proposal.files[:5000],
            document=b"",
            bundle="",
            bundle_bytes=0,
            package=None,
            signer="",
            known=desk.clock.now(),
        )
        _refuse_ring(tx, desk, definition_of(fix))
        desk.definitions.issue(tx, Kind.FIX, f"{desk.code}.{fix.fix}", fix_state(fix))
        desk.journal.record(
            tx,
            on_fixes.FIX_CONFIRMED,
            actor=actor,
            fix=fix.fix,
            article=fix.article,
            supersedes=", ".join(fix.supersedes) or "nothing",
            contains=", ".join(fix.contains) or "nothing",
            requires=", ".join(fix.requires) or "nothing",
        )
        return require_fix(tx, desk.code, fix.fix)


def remove_fix(desk: Desk, actor: str, name: str) -> None:
    """Forget what this site said of a fix, here and below. Its package stays: it is removed like any other."""
    with desk.database.writing() as tx:
        known = require_fix(tx, desk.code, name)
        if not any(fix.owner == desk.code for fix in records.find_fixes(tx, name)):
            raise ConflictError("owned-elsewhere", f"Fix {name} was made known by {known.owner}.", f"Remove it at {known.owner}.")
        desk.definitions.issue(tx, Kind.FIX, f"{desk.code}.{name}", None)
        desk.journal.record(tx, on_fixes.FIX_REMOVED, actor=actor, fix=name)


Look = Callable[[str, Sequence[FixDefinition]], Assessment]
"""Hold the product under a root against these fixes; reads only."""


def assess_root(desk: Desk, actor: str, root: str, look: Look) -> Assessment:
    """What a product folder on this machine lacks of the fixes known here; kept until it is looked at again."""
    if not root.startswith("/") or "\0" in root:
        raise UsageError("bad-root", f"{root!r} is not an absolute path on the server.", "Write it from / on.")
    with desk.database.reading() as tx:
        known = [definition_of(fix) for fix in foremost(tx, desk.code, records.list_fixes(tx)).values() if fix.document]
    found = look(root, known)
    missing = sum(result["state"] == "applicable" for result in found.results)
    with desk.database.writing() as tx:
        records.put_assessment(tx, found)
        desk.journal.record(
            tx,
            on_fixes.FIX_ASSESSED,
            actor=actor,
            root=root,
            product=found.product,
            version=found.version or "of unknown version",
            fixes=len(found.results),
            applicable=missing,
        )
    return found


def _vouched(facts: BundleFacts, trust: Sequence[str]) -> list[TrustedKey]:
    wanted = {word.strip().lower().removeprefix("sha256:") for word in trust}
    found = [TrustedKey(raw=raw) for raw in facts.signed_by if fingerprint(raw) in wanted]
    if trust and facts.signed_by and not found:
        raise NotAllowedError(
            "not-trusted",
            f"The bundle is signed by {', '.join(fingerprint(raw) for raw in facts.signed_by)}, none of which was named.",
            "Compare the fingerprint with its maker's, and name that one.",
        )
    return found


def _known_signers(tx: Transaction, desk: Desk) -> list[TrustedKey]:
    """Whoever's bundle a person vouched for here is trusted for the next one, too."""
    signers = {fix.signer for fix in records.list_fixes(tx, documents=False) if fix.owner == desk.code and fix.signer}
    return [TrustedKey(raw=bytes.fromhex(signer)) for signer in sorted(signers)]


def _refuse_other_content(tx: Transaction, facts: BundleFacts) -> None:
    for known in records.find_fixes(tx, facts.definition.id):
        if known.bundle and known.bundle != facts.sha256:
            raise ConflictError(
                "other-content",
                f"Fix {known.fix} is known at {known.owner} with other content ({known.bundle[:12]}, not {facts.sha256[:12]}).",
                "A changed fix gets a number of its own. If the known one was wrong, remove it first: haulage fix remove ID",
            )


def _refuse_ring(tx: Transaction, desk: Desk, definition: FixDefinition) -> None:
    known = {name: definition_of(fix) for name, fix in foremost(tx, desk.code, records.list_fixes(tx)).items()}
    with as_haulage_errors():
        graph.check_no_ring({**known, definition.id: definition}, graph.replaced, "replaces")


def _package_for(desk: Desk, tx: Transaction, facts: BundleFacts, source: str, before: Fix | None) -> PackageId:
    """The package of a fix: the one it has, or a new one."""
    if before is not None and before.package is not None and catalog.find_package(tx, before.package) is not None:
        return before.package
    package_id = make_package_id(desk.code, estate.next_number(tx, "package"))
    name = f"{facts.definition.id} {facts.definition.title}"[:TITLE_CHARACTERS]
    package = Package(id=package_id, name=name, revision=0, version=NO_VERSION, keep=2, assignments=(), streams="refuse")
    catalog.put_source(tx, Source.of(package_id, source, streams="refuse", keep_special_bits=False))
    desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(package))
    return package_id


def _from_bundle(desk: Desk, facts: BundleFacts, package: PackageId) -> Fix:
    definition = facts.definition
    return Fix(
        fix=definition.id,
        owner=desk.code,
        revision=0,
        title=definition.title[:TITLE_CHARACTERS],
        article=definition.article or "",
        origin=BUNDLE,
        evidence="",
        supersedes=definition.supersedes,
        contains=definition.contains,
        requires=definition.requires.fixes,
        files=(),
        document=to_bytes(definition),
        bundle=facts.sha256,
        bundle_bytes=facts.size_bytes,
        package=package,
        signer=facts.signed_by[0].hex() if facts.signed_by else "",
        known=desk.clock.now(),
    )


def _tell(desk: Desk, tx: Transaction, actor: str, fix: Fix) -> None:
    assert fix.package is not None
    signer = fix.signer_fingerprint[:16] or "?"
    desk.journal.record(tx, on_fixes.FIX_IMPORTED, package=fix.package, actor=actor, fix=fix.fix)
    desk.journal.record(
        tx, on_fixes.FIX_KNOWN, package=fix.package, fix=fix.fix, title=fix.title, bytes=fix.bundle_bytes, signer=signer
    )
    known = {one.fix for one in records.list_fixes(tx, documents=False)} - {fix.fix}
    replaced = sorted(known & {*fix.supersedes, *fix.contains})
    if replaced:
        desk.journal.record(tx, on_fixes.FIX_SUPERSEDED, package=fix.package, fix=fix.fix, replaced=", ".join(replaced))
