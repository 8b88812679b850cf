"""A rollup leaves what the whole chain leaves, from every state the chain passes through."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

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


def test_q247230_what_a_rollup_leaves_out_of_a_replaced_fix_is_told(tmp_path: Path) -> None:
    product = {"product": {"id": "press", "versions": "any"}}
    first = make_bundle(tmp_path, {"id": "Q1", **product}, STATES[0], STATES[1]).path
    partly = make_bundle(tmp_path, {"id": "Q2", "supersedes": ["Q1"], **product}, STATES[2], STATES[3]).path
    wholly = make_bundle(tmp_path, {"id": "Q3", "supersedes": ["Q1"], **product}, STATES[0], STATES[3]).path
    told = {}
    for later in (partly, wholly):
        with rollup.rolled_up({"id": "QALL", "title": "t", **product}, [first, later], str(tmp_path)) as prepared:
            told[later] = [note for note in prepared.notes if "not in the rollup" in note]
    assert told == {partly: ["Q2 does not bring all that Q1 does; not in the rollup: a, new"], wholly: []}


def standing(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in root.iterdir() if path.is_file() and path.name != "product.json"}
