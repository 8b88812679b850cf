"""A rollup leaves what the whole chain leaves, from every state the chain passes through."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError
from haulage.engine.bundles import building, rollup
from haulage.engine.servicing import command
from haulage.engine.servicing.exits import Exit
from tests.engine.bundles.making import KEY, make_bundle, write_keys, write_tree

STATES = [
    {"a": "1", "b": "1", "gone": "x", "c": "1"},
    {"a": "2", "b": "1", "gone": "x", "c": "1", "new": "1"},
    {"a": "3", "b": "2", "c": "1", "new": "2"},
    {"a": "3", "b": "2", "c": "4", "new": "2"},
]


def test_q247230_a_rollup_leaves_what_the_chain_leaves(tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "keys.json")
    product = {"product": {"id": "press", "versions": "any"}, "becomes": {"version": None}}
    chain = []
    for number, (before, after) in enumerate(itertools.pairwise(STATES)):
        order = {"after": [f"Q{number - 1}"]} if number else {}
        chain.append(make_bundle(tmp_path, {"id": f"Q{number}", **product, **order}, before, after).path)
    with rollup.rolled_up({"id": "QALL", "title": "t", "product": product["product"]}, chain, str(tmp_path)) as prepared:
        whole = building.build(prepared, str(tmp_path / "QALL.pyz"), [KEY]).path
    for already in range(len(chain)):
        root = tmp_path / f"root{already}"
        write_tree(root, STATES[0])
        for path in [*chain[:already], whole]:
            assert command.main(["--quiet", "--root", str(root), "--trust", keys], path) is Exit.DONE
        assert standing(root) == STATES[-1]
        assert command.main(["--uninstall", "--quiet", "--root", str(root)], whole) is Exit.DONE
        assert standing(root) == STATES[already]
        shutil.rmtree(root)


PRODUCT = {"product": {"id": "press", "versions": "any"}}


def test_q247230_a_rollup_that_would_lose_repairs_of_a_replaced_fix_is_refused(tmp_path: Path) -> None:
    first = make_bundle(tmp_path, {"id": "Q1", **PRODUCT}, STATES[0], STATES[1]).path
    partly = make_bundle(tmp_path, {"id": "Q2", "supersedes": ["Q1"], **PRODUCT}, STATES[2], STATES[3]).path
    said = {"id": "QALL", "title": "t", **PRODUCT}
    with pytest.raises(ConflictError) as refused, rollup.rolled_up(said, [first, partly], str(tmp_path)):
        pass
    assert refused.value.code == "repairs-lost"
    assert "Q2 replaces Q1 and does not bring a, new" in refused.value.message
    assert "after instead of supersedes" in refused.value.hint
    assert "--leave-out Q1" in refused.value.hint
    with rollup.rolled_up(said, [first, partly], str(tmp_path), leave_out=["Q1"]) as prepared:
        assert (prepared.definition.contains, prepared.definition.supersedes) == (("Q2",), ("Q1",))
        lost = [note for note in prepared.notes if "not in the rollup" in note]
    assert lost == ["Q2 does not bring all that Q1 does; not in the rollup: a, new"]


def test_q247230_a_replaced_fix_whose_files_all_come_is_contained(tmp_path: Path) -> None:
    first = make_bundle(tmp_path, {"id": "Q1", **PRODUCT}, STATES[0], STATES[1]).path
    wholly = make_bundle(tmp_path, {"id": "Q3", "supersedes": ["Q1"], **PRODUCT}, STATES[0], STATES[3]).path
    with rollup.rolled_up({"id": "QALL", "title": "t", **PRODUCT}, [first, wholly], str(tmp_path)) as prepared:
        assert (prepared.definition.contains, prepared.definition.supersedes) == (("Q1", "Q3"), ())
        assert not [note for note in prepared.notes if "not in the rollup" in note]


def standing(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in root.iterdir() if path.is_file() and path.name != "product.json"}
