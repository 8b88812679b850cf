"""What the definition of a shelf means here: it is its owner's, and every site below the owner needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.rules import joined_children
from haulage.domain.knowledge import records
from haulage.domain.knowledge.model import Shelf, Shelved
from haulage.domain.knowledge.shelving import unpack
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Definition, Kind, ShelfEntry, ShelfState, state_of

KeysOf = Callable[[Transaction, SiteCode], Sequence[str]]
CHANGES = "knowledge"
"""The counter of changes."""


class ShelfRules:
    """Shelves go down the tree, whole. Upwards they are told like everything a site owns, so that a restored one gets them back."""

    role = "site"

    def __init__(self, code: SiteCode, keys_of: KeysOf, changed: Callable[[Transaction], None]) -> None:
        """``changed``: articles came or went."""
        self._code = code
        self._keys_of = keys_of
        self._changed = changed

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        return self._keys_of(tx, definition.owner)

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        return children_below(tx, self._code, definition.owner)

    def apply(self, tx: Transaction, definition: Definition) -> None:
        change = estate.next_number(tx, CHANGES)
        if definition.deleted:
            records.remove_shelf(tx, definition.id, change)
        else:
            state = state_of(definition, ShelfState)
            # Read once here, whoever signed it: what does not have its digests never gets on a shelf (I3).
            unpack(state.articles, state.packed)
            shelf = Shelf(id=definition.id, owner=definition.owner, revision=definition.revision, packed=state.packed)
            records.put_shelf(tx, shelf, standing(shelf, state.articles), change)
        self._changed(tx)


def children_below(tx: Transaction, code: SiteCode, owner: SiteCode) -> set[SiteCode]:
    """The joined children of ``code`` that are below ``owner``: what it says for its own subtree goes to no other (I4)."""
    tree = estate.hierarchy(tx)
    return {child for child in joined_children(tx, code) if child != owner and tree.is_within(child, owner)}


def standing(shelf: Shelf, entries: Sequence[ShelfEntry]) -> list[Shelved]:
    """The rows of the articles on a shelf."""
    return [
        Shelved(
            id=entry.id,
            owner=shelf.owner,
            shelf=shelf.id,
            place=place,
            form=entry.form,
            name=entry.name,
            size_bytes=entry.bytes,
            sha256=entry.sha256,
            change=0,
        )
        for place, entry in enumerate(entries)
    ]


def forget_owner(tx: Transaction, owner: SiteCode) -> None:
    """A site left the hierarchy: nothing of what it said stays."""
    change = estate.next_number(tx, CHANGES)
    for shelf in records.shelves_of(tx, owner):
        records.remove_shelf(tx, shelf, change)


def is_shelf(kind: str, key: str) -> bool:
    """Whether what is to be told a neighbour is a shelf: bulk, that everything else overtakes."""
    return kind == "definition" and key.startswith(f"{Kind.SHELF}/")
