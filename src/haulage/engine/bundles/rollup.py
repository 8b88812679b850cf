"""Several fixes as one: chains collapse to the effective set, each file comes once, in the state the whole chain leaves."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from haulage.engine.bundles.building import Prepared
from haulage.engine.bundles.reading import opened, read_bundle
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.bundles.rollup_definition import joined, lost_files
from haulage.engine.servicing import graph


@contextlib.contextmanager
def rolled_up(
    written: Mapping[str, Any], bundles: Sequence[str], scratch: str, leave_out: Collection[str] = ()
) -> Iterator[Prepared]:
    """The rollup of ``bundles``, to be built while the context is open; its contents lie in a folder below ``scratch``, which needs
    as much space as they have together. ``leave_out``: fixes whose repairs may be lost with them.

    Raises HaulageError: ConflictError ``cycle`` (B91), ``other-content`` (B94), ``conflict`` (Q192922), ``repairs-lost`` (Q247230),
    IntegrityError.
    """
    with as_haulage_errors():
        fixes = graph.collected(read_bundle(path).definition for path in bundles)
        definition = joined(written, fixes, leave_out)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        wanted = {each.sha256 for each in definition.files if each.carried}
        yield Prepared(definition=definition, sources=_unpacked(bundles, wanted, folder), notes=_notes(fixes))


def _unpacked(bundles: Sequence[str], wanted: Collection[str], folder: str) -> dict[str, str]:
    """Each wanted content as a file called by its hash."""
    found: dict[str, str] = {}
    for path in bundles:
        with opened(path) as bundle:
            for sha256, pieces in bundle.contents(set(wanted) - set(found)):
                found[sha256] = os.path.join(folder, sha256)
                with open(found[sha256], "wb") as file:
                    file.writelines(pieces)
    return found


def _notes(fixes: graph.Fixes) -> tuple[str, ...]:
    effective = graph.effective(sorted(fixes), fixes)
    notes = [f"{dropped} is not needed: {by} replaces it" for dropped, by in effective.dropped.items()]
    notes += _left_out(fixes, effective)
    notes += [f"{each} is needed as well and not among the bundles: {why}" for each, why in effective.missing.items()]
    if effective.order:
        notes.append(f"in this order: {', '.join(effective.order)}")
    return tuple(notes)


def _left_out(fixes: graph.Fixes, effective: graph.Effective) -> Iterator[str]:
    """Repairs that go with the fix that is dropped, as was asked for."""
    for dropped, lost in lost_files(fixes, effective).items():
        yield f"{effective.dropped[dropped]} does not bring all that {dropped} does; not in the rollup: {', '.join(lost)}"
