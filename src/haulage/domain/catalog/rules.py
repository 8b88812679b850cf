"""What definitions of packages and versions mean here: only their owner makes them, whoever is on the way to a place needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haulage.base.clock import parse_iso
from haulage.base.errors import NotAllowedError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, owner_of, site_of
from haulage.domain.catalog import records
from haulage.domain.catalog.model import Package, Version
from haulage.domain.estate import records as estate
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, PackageState, VersionState, state_of

PackageEffect = Callable[[Transaction, PackageId], None]
KeysOf = Callable[[Transaction, SiteCode], Sequence[str]]


class PackageRules:
    """A package is its owner's; its assignments say who needs it."""

    role = "site"

    def __init__(self, code: SiteCode, keys_of: KeysOf, effects: Sequence[PackageEffect]) -> None:
        self._code = code
        self._keys_of = keys_of
        self._effects = effects

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        if not definition.deleted:
            self._check_scope(tx, definition)
        return self._keys_of(tx, definition.owner)

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        if definition.deleted:
            return set()
        return children_for(tx, self._code, [Place(where) for where in state_of(definition, PackageState).assignments])

    def apply(self, tx: Transaction, definition: Definition) -> None:
        package = PackageId(definition.id)
        if definition.deleted:
            records.remove_package(tx, package)
            records.remove_source(tx, package)
            records.remove_versions(tx, package, [version.number for version in records.list_versions(tx, package)])
        else:
            state = state_of(definition, PackageState)
            before = records.find_package(tx, package)
            records.put_package(
                tx,
                Package(
                    id=package,
                    name=state.name,
                    revision=definition.revision,
                    # An owner that was restored may name an older one, until it hears of the newer: a version never goes back (I6).
                    version=VersionNumber(max(state.version, before.version if before is not None else 0)),
                    keep=state.keep,
                    streams=state.streams,
                    assignments=tuple(Place(where) for where in state.assignments),
                    groups=state.groups,
                    named=state.direct,
                ),
            )
        for effect in self._effects:
            effect(tx, package)

    def _check_scope(self, tx: Transaction, definition: Definition) -> None:
        """A site distributes to its own subtree only (I4). Places of sites not known here are not ours to serve, so they pass."""
        tree = estate.hierarchy(tx)
        for where in state_of(definition, PackageState).assignments:
            site = site_of(Place(where))
            if site in tree and definition.owner in tree and not tree.is_within(site, definition.owner):
                raise NotAllowedError(
                    "out-of-scope",
                    f"Package {definition.id} of site {definition.owner} is assigned to {where}, which is not below its owner.",
                    f"Withdraw it at {definition.owner}.",
                )


class VersionRules:
    """A version is its package owner's, and goes wherever the package goes."""

    role = "site"

    def __init__(self, code: SiteCode, keys_of: KeysOf, effects: Sequence[PackageEffect]) -> None:
        self._code = code
        self._keys_of = keys_of
        self._effects = effects

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        return self._keys_of(tx, owner_of(PackageId(definition.id[:8])))

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        package = records.find_package(tx, PackageId(definition.id[:8]))
        if package is None or str(package.version) != definition.id[9:]:
            return set()
        return children_for(tx, self._code, package.assignments)

    def apply(self, tx: Transaction, definition: Definition) -> None:
        package, number = PackageId(definition.id[:8]), VersionNumber(int(definition.id[9:]))
        if definition.deleted:
            records.remove_versions(tx, package, [number])
            return
        state = state_of(definition, VersionState)
        records.put_version(
            tx,
            Version(
                package=package,
                number=number,
                manifest=bytes.fromhex(state.manifest),
                sha256=state.sha256,
                files=state.files,
                folders=state.folders,
                symlinks=state.symlinks,
                streams=state.streams,
                bytes=state.bytes,
                new_bytes=0,
                captured=parse_iso(state.captured),
            ),
        )
        for effect in self._effects:
            effect(tx, package)


def children_for(tx: Transaction, code: SiteCode, assignments: Sequence[Place]) -> set[SiteCode]:
    """The joined children of ``code`` on the way to an assigned place."""
    tree = estate.hierarchy(tx)
    hops = {tree.next_hop(code, site_of(where)) for where in assignments}
    return {hop for hop in hops if hop is not None} & estate.joined_children(tx, code)
