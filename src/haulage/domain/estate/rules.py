"""What definitions of sites, points and invitations mean here: who may make them, who needs them, what they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haulage.base.errors import NotAllowedError
from haulage.base.ids import Place, SiteCode, site_of
from haulage.domain.estate import records
from haulage.domain.estate.model import Point, Site, SiteStatus
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, InvitationState, PointState, SiteState, state_of

SiteEffect = Callable[[Transaction, SiteCode], None]
PointEffect = Callable[[Transaction, Place], None]


def keys_of(tx: Transaction, code: SiteCode) -> list[str]:
    """The key a site signs with; empty while it is not known."""
    site = records.find_site(tx, code)
    return [site.key] if site is not None and site.key else []


def joined_children(tx: Transaction, code: SiteCode) -> set[SiteCode]:
    """The direct children that have a server."""
    return records.joined_children(tx, code)


def require_power(tx: Transaction, definition: Definition, over: SiteCode) -> None:
    """The owner must be ``over`` itself or a site above it (I4). Unknown sites are for the caller to judge first."""
    if not records.hierarchy(tx).is_within(over, definition.owner):
        raise NotAllowedError(
            "out-of-scope",
            f"Site {definition.owner} has no power over {over} and cannot define {definition.kind} {definition.id}.",
            "It was refused; look at the site that issued it.",
        )


class SiteRules:
    """Sites are defined by the central site alone, with its hierarchy key, and needed everywhere."""

    role = "hierarchy"

    def __init__(
        self,
        code: SiteCode,
        hierarchy_keys: Callable[[], Sequence[str]],
        *,
        changed: Sequence[SiteEffect],
        gone: Sequence[SiteEffect],
    ) -> None:
        self._code = code
        self._hierarchy_keys = hierarchy_keys
        self._changed = changed
        self._gone = gone

    def keys(self, _tx: Transaction, _definition: Definition) -> Sequence[str]:
        return self._hierarchy_keys()

    def audience(self, tx: Transaction, _definition: Definition) -> set[SiteCode]:
        return joined_children(tx, self._code)

    def apply(self, tx: Transaction, definition: Definition) -> None:
        code = SiteCode(definition.id)
        before = records.find_site(tx, code)
        if definition.deleted:
            self._leave(tx, before)
            return
        site = _site(state_of(definition, SiteState))
        if before is not None and 0 < before.life != site.life:
            # The news of its removal was overtaken by that of the next invitation: it is another server of the same code.
            self._leave(tx, before)
            before = None
        if before is None and code == self._code:
            records.lift_epoch(tx, site.first_epoch)
        if before is None or site.key or not before.key:
            records.put_site(tx, site)
        for effect in self._changed:
            effect(tx, code)

    def _leave(self, tx: Transaction, before: Site | None) -> None:
        if before is not None:
            records.remove_site(tx, before.code)
            for effect in self._gone:
                effect(tx, before.code)


def _site(state: SiteState) -> Site:
    return Site(
        code=SiteCode(state.code),
        name=state.name,
        parent=None if state.parent is None else SiteCode(state.parent),
        url=state.url,
        key=state.key or "",
        certificate=state.certificate or "",
        status=SiteStatus.ACTIVE if state.state == "active" else SiteStatus.INVITED,
        life=state.life,
    )


class PointRules:
    """Points are defined by their own site or one above it, and needed on the way there."""

    role = "site"

    def __init__(self, code: SiteCode, *, taken: PointEffect, changed: PointEffect) -> None:
        self._code = code
        self._taken = taken
        self._changed = changed

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        site = site_of(Place(definition.id))
        if records.find_site(tx, site) is None or records.find_site(tx, definition.owner) is None:
            return []
        require_power(tx, definition, site)
        return keys_of(tx, definition.owner)

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        hop = records.hierarchy(tx).next_hop(self._code, site_of(Place(definition.id)))
        return {hop} & joined_children(tx, self._code) if hop else set()

    def apply(self, tx: Transaction, definition: Definition) -> None:
        where = Place(definition.id)
        if definition.deleted:
            records.remove_point(tx, where)
        else:
            state = state_of(definition, PointState)
            options = {str(name): value for name, value in state.options.items()}
            records.put_point(tx, Point(place=where, kind=state.kind, url=state.url, owner=definition.owner, options=options))
        if site_of(where) == self._code:
            self._taken(tx, where)
        self._changed(tx, where)


class InvitationRules:
    """Invitations are made by the central site, like sites; whoever is on the way needs them to judge a claim."""

    role = "hierarchy"

    def __init__(self, code: SiteCode, hierarchy_keys: Callable[[], Sequence[str]]) -> None:
        self._code = code
        self._hierarchy_keys = hierarchy_keys

    def keys(self, _tx: Transaction, _definition: Definition) -> Sequence[str]:
        return self._hierarchy_keys()

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        parent = SiteCode(state_of(definition, InvitationState).parent)
        hop = records.hierarchy(tx).next_hop(self._code, parent)
        return {hop} & joined_children(tx, self._code) if hop else set()

    def apply(self, tx: Transaction, definition: Definition) -> None:
        """Nothing: a claim looks the invitation up."""
