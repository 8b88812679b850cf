"""Sets of fixes: what is left, in which order, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.servicing import graph
from haulage.engine.servicing.definition import Breakage, FixDefinition, Requirements, Schema
from haulage.engine.servicing.errors import RefusedError
from tests.engine.servicing.fixes import file, fix


def fixes(**named: dict[str, Any]) -> dict[str, FixDefinition]:
    return graph.collected(fix(name, files=(file(f"f-{name}", name),), **fields) for name, fields in named.items())


STORY = fixes(
    Q316316={},
    Q319207={"supersedes": ("Q316316",)},
    Q323206={"contains": ("Q319207",)},
    Q281754={},
    Q299435={"after": ("Q281754",)},
)


def test_a_chain_collapses_to_its_last_in_one_step() -> None:
    found = graph.effective(["Q316316", "Q319207", "Q323206"], STORY)
    assert found.order == ("Q323206",)
    assert dict(found.dropped) == {"Q316316": "Q323206", "Q319207": "Q323206"}
    assert graph.superseders("Q316316", STORY) == ("Q323206",)


def test_q281754_comes_before_q299435() -> None:
    assert graph.effective(["Q299435", "Q281754"], STORY).order == ("Q281754", "Q299435")


@pytest.mark.parametrize("relation", ["supersedes", "contains", "after"])
def test_b91_a_ring_is_refused_by_name(relation: str) -> None:
    with pytest.raises(RefusedError, match=r"QA .* QB .* QC .* QA") as refused:
        fixes(QA={relation: ("QB",)}, QB={relation: ("QC",)}, QC={relation: ("QA",)}, QD={relation: ("QA",)})
    assert refused.value.code == "cycle"


def test_b94_one_number_with_two_contents_is_refused() -> None:
    same = fix("QA")
    assert graph.collected([same, same]) == {"QA": same}
    with pytest.raises(RefusedError) as refused:
        graph.collected([same, fix("QA", files=(file("bin/x", "other"),))])
    assert refused.value.code == "other-content"


def test_q318779_what_breaks_something_brings_its_mender() -> None:
    known = fixes(Q302674={"breaks": (Breakage("addresses", "Q320743"),)}, Q320743={}, Q293187={}, Q318779={"mends": ("Q293187",)})
    assert graph.effective(["Q302674"], known).order == ("Q302674", "Q320743")
    assert graph.effective(["Q293187"], known).order == ("Q293187", "Q318779")


def test_prerequisites_come_in_or_are_missing() -> None:
    known = fixes(QA={"requires": Requirements(("QB", "QX"))}, QB={})
    found = graph.effective(["QA"], known)
    assert found.order == ("QB", "QA")
    assert set(found.missing) == {"QX"}
    assert graph.effective(["QA"], known, present=["QB", "QX"]).order == ("QA",)


def test_q192922_conflicts_are_found_whatever_the_order() -> None:
    one, two = fix("QA", schemas=(Schema("s", "1"),)), fix("QB", files=(file("bin/x", "other"),), schemas=(Schema("s", "2"),))
    known = {"QA": one, "QB": two}
    assert graph.conflicts([one, two], known) == graph.conflicts([two, one], known)
    assert {each.about for each in graph.conflicts([one, two], known)} == {"s", "bin/x"}
    ordered = fix("QB", files=two.files, schemas=two.schemas, after=("QA",))
    assert graph.conflicts([one, ordered], {"QA": one, "QB": ordered}) == ()


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from(["supersedes", "contains", "after"])), max_size=14))
def test_what_is_left_replaces_all_the_rest_and_stands_in_order(edges: list[tuple[int, int, str]]) -> None:
    fields: dict[str, dict[str, tuple[str, ...]]] = {f"Q{number}": {} for number in range(8)}
    for high, low, relation in edges:
        if high > low and f"Q{low}" not in (*fields[f"Q{high}"].get(relation, ()),):
            fields[f"Q{high}"][relation] = (*fields[f"Q{high}"].get(relation, ()), f"Q{low}")
    known = fixes(**fields)
    found = graph.effective(list(known), known)
    closure = graph.all_replaced(known)
    assert set(found.order) | set(found.dropped) == set(known)
    assert all(by in found.order and each in closure[by] for each, by in found.dropped.items())
    assert not any(one in closure[other] for one in found.order for other in found.order)
    for fix_ in found.order:
        for before in known[fix_].after:
            if before in found.order:
                assert found.order.index(before) < found.order.index(fix_)
