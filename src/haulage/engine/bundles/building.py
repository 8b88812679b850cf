"""The two ways to a bundle: from trees of a product before and after, or from a folder and a definition file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haulage.base.errors import UsageError
from haulage.engine.bundles.comparison import Changes, all_of, compare
from haulage.engine.bundles.definition_file import made, with_product
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.bundles.tree import Tree, read_tree
from haulage.engine.bundles.writing import Written, write_bundle
from haulage.engine.servicing.definition import FixDefinition
from haulage.engine.trust.keys import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A definition with the files its contents lie in, and what a person should know before it is signed."""

    definition: FixDefinition
    sources: Mapping[str, str]
    notes: tuple[str, ...]


def prepare(written: Mapping[str, Any], befores: Sequence[str], after: str) -> Prepared:
    """The fix that turns any of the trees ``befores`` into ``after``, or that brings all of ``after`` if there are none.

    ``written`` is what a person wrote of the definition. Raises HaulageError: NotFoundError ``no-folder``, UsageError
    ``nothing-changed``, FormatError ``not-a-file`` and ``bad-document``.
    """
    with as_haulage_errors():
        trees = [read_tree(each) for each in befores]
        new = read_tree(after)
        changes: Changes = compare(trees, new) if trees else all_of(new)
        definition = made(with_product(written, _same_product(trees), new.product), changes)
    return Prepared(definition=definition, sources=changes.sources, notes=changes.notes)


def build(prepared: Prepared, path: str, keys: Sequence[SigningKey], *, expires: dt.datetime | None = None) -> Written:
    """Write it. Raises HaulageError: UsageError ``no-key``, IntegrityError ``source-changed``, FormatError ``bundle-too-large``."""
    with as_haulage_errors():
        return write_bundle(prepared.definition, prepared.sources, path, keys, expires=expires)


def _same_product(trees: Sequence[Tree]) -> Any:
    """The product of the trees before; with several of them only what they agree on can be taken from them."""
    known = [each.product for each in trees if each.product is not None]
    if len({each.id for each in known}) > 1:
        raise UsageError("two-products", "The trees are of different products.", "Compare trees of one product.")
    return known[0] if len(known) == 1 and len(trees) == 1 else None
