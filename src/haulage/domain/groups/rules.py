"""What the definition of a group means here: it is its owner's own affair. Packages carry the places of their groups with them, so
nobody below needs it; sites above keep it for when the owner is restored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haulage.base.ids import GroupName, SiteCode
from haulage.domain.groups import records
from haulage.domain.groups.model import Group
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, GroupState, state_of

KeysOf = Callable[[Transaction, SiteCode], Sequence[str]]


class GroupRules:
    """Groups go up the tree only."""

    role = "site"

    def __init__(self, keys_of: KeysOf) -> None:
        self._keys_of = keys_of

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        return self._keys_of(tx, definition.owner)

    def audience(self, _tx: Transaction, _definition: Definition) -> set[SiteCode]:
        return set()

    def apply(self, tx: Transaction, definition: Definition) -> None:
        name = GroupName(definition.id[len(definition.owner) + 1 :])
        if definition.deleted:
            records.remove_group(tx, definition.owner, name)
            return
        state = state_of(definition, GroupState)
        records.put_group(tx, Group(owner=definition.owner, name=name, revision=definition.revision, places=state.places))
