"""The tree of sites."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import ConflictError, NotFoundError
from haulage.base.ids import SiteCode
from haulage.domain.estate.hierarchy import Hierarchy


@st.composite
def trees(draw: st.DrawFn) -> dict[SiteCode, SiteCode | None]:
    codes = [SiteCode(f"S{number:02}") for number in range(draw(st.integers(1, 12)))]
    parents: dict[SiteCode, SiteCode | None] = {codes[0]: None}
    for index, code in enumerate(codes[1:], 1):
        parents[code] = codes[draw(st.integers(0, index - 1))]
    return parents


@given(trees())
def test_the_next_hop_leads_there(parents: dict[SiteCode, SiteCode | None]) -> None:
    tree = Hierarchy(parents)
    assert tree.central == SiteCode("S00")
    assert sorted(tree.subtree(SiteCode("S00"))) == sorted(parents)
    for here in parents:
        for to in parents:
            hop = tree.next_hop(here, to)
            below = to != here and tree.is_within(to, here)
            assert (hop is not None) == below
            if hop is not None:
                assert tree.parent(hop) == here
                assert tree.is_within(to, hop)


def test_circles_and_unknown_parents_are_refused() -> None:
    a, b = SiteCode("AAA"), SiteCode("BBB")
    with pytest.raises(ConflictError):
        Hierarchy({a: b, b: a})
    with pytest.raises(NotFoundError):
        Hierarchy({a: b})


def test_an_unknown_site_is_nowhere() -> None:
    tree = Hierarchy({SiteCode("AAA"): None})
    assert not tree.is_within(SiteCode("XXX"), SiteCode("AAA"))
    assert tree.next_hop(SiteCode("AAA"), SiteCode("XXX")) is None
    assert tree.subtree(SiteCode("XXX")) == []
