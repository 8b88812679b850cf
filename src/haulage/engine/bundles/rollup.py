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
from haulage.engine.bundles.rollup_definition import joined
from haulage.engine.servicing import graph


@contextlib.contextmanager
def rolled_up(written: Mapping[str, Any], bundles: Sequence[str], scratch: str) -> Iterator[Prepared]:
    """The rollup of ``bundles``, to be built while the context is open; its contents lie in a folder below ``scratch``, which needs
    as much space as they have together.

    Raises HaulageError: ConflictError ``cycle`` (B91), ``other-content`` (B94), ``conflict`` (Q192922), IntegrityError.
    """
    with as_haulage_errors():
        fixes = graph.collected(read_bundle(path).definition for path in bundles)
        definition = joined(written, fixes)
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
    """Repairs that go with the fix that is dropped, since none of those that stay names their files: perhaps meant so, perhaps
    a fix that says it replaces another and is built on top of it."""
    brought = {file.path for each in effective.order for file in fixes[each].files}
    for dropped, by in effective.dropped.items():
        lost = sorted({file.path for file in fixes[dropped].files} - brought)
        if lost:
            yield f"{by} does not bring all that {dropped} does; not in the rollup: {', '.join(lost)}"
