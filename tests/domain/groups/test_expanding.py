"""Places by themselves and by groups, as pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import UsageError
from haulage.base.ids import NO_VERSION, GroupName, PackageId, Place, group_name, parted, place_or_group
from haulage.domain.catalog.model import Package
from haulage.domain.groups.model import assigned, moved

PLACES = [Place(where) for where in ("BOS", "CHI", "CHI/P", "LA1", "LA1/SHOP")]
GROUPS = [GroupName(name) for name in ("east", "shops", "west")]
places = st.lists(st.sampled_from(PLACES), max_size=5)
members = st.dictionaries(st.sampled_from(GROUPS), places)
groups = st.lists(st.sampled_from(GROUPS), max_size=3)
BARE = Package(id=PackageId("HQ100001"), name="a", revision=1, version=NO_VERSION, keep=2, assignments=())


@given(places, groups, members)
def test_every_place_of_each_group_and_each_named_one_and_no_other(
    direct: list[Place], through: list[GroupName], held: dict[GroupName, list[Place]]
) -> None:
    package = assigned(BARE, direct, through, held)
    assert set(package.assignments) == {*direct, *(where for name in through for where in held.get(name, []))}
    assert list(package.assignments) == sorted(set(package.assignments))
    assert set(package.direct) == set(direct)
    assert package.groups == tuple(sorted(set(through)))


@given(places, groups, members, st.sampled_from(GROUPS))
def test_leaving_a_group_keeps_what_is_named_by_itself_or_by_another(
    direct: list[Place], through: list[GroupName], held: dict[GroupName, list[Place]], name: GroupName
) -> None:
    before = assigned(BARE, direct, through, held)
    after = assigned(before, before.direct, [one for one in before.groups if one != name], held)
    change = moved(before, after)
    assert change.gained == ()
    assert not set(change.lost) & set(direct)
    others = {where for one in through if one != name for where in held.get(one, [])}
    assert set(change.lost) == (set(held.get(name, [])) - set(direct) - others if name in through else set())


@pytest.mark.parametrize(
    "bad", ["", "@", "Shops", "shops ", "-a", "a" * 64, "shоps", "ﬁve", "a.b", "a_b", "a/b", "@@a", "shops\n", "a\0", "ſhops", "K"]
)
def test_a_group_name_has_one_form_and_no_look_alike(bad: str) -> None:
    with pytest.raises(UsageError):
        group_name(bad)


def test_a_name_in_capitals_is_told_the_small_one() -> None:
    with pytest.raises(UsageError) as caught:
        group_name("@SHOPS")
    assert caught.value.hint == "Write it in small letters: shops."


def test_words_are_parted_by_their_mark() -> None:
    assert parted(["LA1", "@shops", "CHI/P"]) == (["LA1", "CHI/P"], ["shops"])
    assert place_or_group("@shops") == "@shops"
    with pytest.raises(UsageError):
        parted(["shops"])
