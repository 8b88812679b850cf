"""From any estate to any other: the steps lead there, each can be done when its turn comes, and nothing goes to be sent again."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import GroupName, PackageId, Place, SiteCode
from haulage.domain.declared.comparing import Comparison, compare
from haulage.domain.declared.model import (
    ORDER,
    Act,
    Declared,
    DeclaredPackage,
    DeclaredSite,
    Kind,
    Present,
    PresentSite,
    Standing,
    Step,
)
from haulage.domain.declared.problems import Problems
from haulage.domain.declared.reading import read_declared
from haulage.domain.declared.writing import declared_text
from haulage.domain.estate.hierarchy import Hierarchy
from tests.domain.declared.estates import HERE, NAMES, Wanted, declared_of, present_of, wanted

Pairs = set[tuple[str, Place]]


def differ(declared: Declared, present: Present, *, publish: bool = False) -> Comparison:
    return compare(declared, present, Problems(""), publish=publish)


class Model:
    """A second, plain idea of what steps do: refuses what the product would refuse."""

    def __init__(self, one: Wanted, present: Present) -> None:
        self.points = set(one.points)
        self.groups = {name: set(places) for name, places in one.groups.items()}
        self.packages = {name: (set(direct), set(groups)) for name, (direct, groups) in one.packages.items()}
        self._names = {package.id: package.name for package in present.packages.values()}

    def pairs(self) -> Pairs:
        return {
            (name, where)
            for name, (direct, groups) in self.packages.items()
            for where in direct.union(*(self.groups.get(group, set()) for group in groups))
        }

    def perform(self, step: Step) -> None:
        assert all("/" not in where or where in self.points for where in step.places), "a place must be there when it is used"
        name = self._names.get(step.package, step.name) if step.package else step.name
        if step.act is Act.ADD_POINT:
            self.points.add(Place(step.name))
        elif step.act is Act.FILL_GROUP:
            assert step.group is not None
            self.groups.setdefault(step.group, set()).update(step.places)
        elif step.act is Act.DROP_FROM_GROUP:
            assert step.group is not None
            self.groups[step.group].difference_update(step.places)
        elif step.act is Act.REMOVE_GROUP:
            assert step.group is not None
            del self.groups[step.group]
            for _direct, groups in self.packages.values():
                groups.discard(step.group)
        elif step.act in (Act.CREATE_PACKAGE, Act.ASSIGN):
            assert set(step.groups) <= set(self.groups), "a group must be there when it is used"
            direct, groups = self.packages.setdefault(name, (set(), set()))
            direct.update(step.places)
            groups.update(step.groups)
        elif step.act is Act.UNASSIGN:
            direct, groups = self.packages[name]
            assert set(step.places) <= direct
            assert set(step.groups) <= groups
            direct.difference_update(step.places)
            groups.difference_update(step.groups)
        elif step.act is Act.REMOVE_POINT:
            where = Place(step.name)
            assert not any(where in direct for direct, _groups in self.packages.values()), "the product refuses that"
            self.points.discard(where)
            for places in self.groups.values():
                places.discard(where)
        elif step.act is Act.REMOVE_PACKAGE:
            del self.packages[name]

    def now(self) -> Wanted:
        return Wanted(
            points=frozenset(self.points),
            groups={name: frozenset(places) for name, places in self.groups.items()},
            packages={name: (frozenset(direct), frozenset(groups)) for name, (direct, groups) in self.packages.items()},
        )


@given(wanted(), wanted())
def test_q281754_the_steps_lead_from_any_estate_to_any_other(before: Wanted, after: Wanted) -> None:
    present, declared = present_of(before), declared_of(after)
    comparison = differ(declared, present)
    model = Model(before, present)
    at_end = {(name, where) for name, where in Model(after, present).pairs()}
    left: Pairs = set()
    for step in comparison.steps:
        assert step.standing is Standing.READY
        had = model.pairs()
        model.perform(step)
        gained, lost = model.pairs() - had, had - model.pairs()
        assert (step.gained, step.lost) == (len(gained), len(lost))
        assert not gained & left, "what was taken away comes again"
        assert not lost & at_end, "what is wanted is taken away"
        left |= lost
    assert model.now() == after
    assert [ORDER.index(step.act) for step in comparison.steps] == sorted(ORDER.index(step.act) for step in comparison.steps)
    assert sum(step.lost for step in comparison.steps) == comparison.removals["places"]


@given(wanted(), wanted())
def test_i11_nothing_goes_unless_the_file_says_so(before: Wanted, after: Wanted) -> None:
    present = present_of(before)
    comparison = differ(declared_of(after, frozenset()), present)
    model = Model(before, present)
    for step in comparison.ready:
        model.perform(step)
    assert all(step.lost == 0 for step in comparison.steps)
    assert model.points >= before.points
    assert model.pairs() >= Model(before, present).pairs()
    assert sum(comparison.removals.values()) == 0


@given(wanted())
def test_what_is_written_out_and_compared_does_not_differ(one: Wanted) -> None:
    present = present_of(one)
    text = declared_text(present)
    declared = read_declared(text)
    assert differ(declared, present).steps == ()
    every = dataclasses.replace(declared, remove=frozenset(Kind))
    assert differ(every, present).steps == ()
    assert differ(every, present).kept == {}


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() or "\n" in text or "\t" in text))
def test_any_name_survives_being_written_out(name: str) -> None:
    present = present_of(Wanted(points=frozenset(), groups={}, packages={name: (frozenset(), frozenset())}))
    assert differ(read_declared(declared_text(present)), present).steps == ()


def chain(*, joined: bool) -> Present:
    present = present_of(Wanted(points=frozenset(), groups={}, packages={}))
    sites = {
        HERE: PresentSite(name="", parent=None, joined=True),
        SiteCode("CHI"): PresentSite(name="", parent=HERE, joined=joined),
    }
    return dataclasses.replace(present, sites=sites, tree=Hierarchy({code: site.parent for code, site in sites.items()}))


def test_a_site_below_one_that_has_not_joined_comes_later_and_what_is_at_it_too() -> None:
    declared = Declared(
        sites={SiteCode("NEW"): DeclaredSite(parent=SiteCode("LOW")), SiteCode("LOW"): DeclaredSite(parent=SiteCode("CHI"))},
        points={Place("NEW/P"): "folder:/p"},
        groups={GroupName("shops"): frozenset({Place("NEW/P"), Place("CHI")})},
        packages={"Office": DeclaredPackage(key="Office", name="Office", source="/o", places=frozenset({Place("NEW")}))},
    )
    waiting = differ(declared, chain(joined=False))
    assert [(step.act, step.name, step.standing) for step in waiting.steps if step.standing is not Standing.READY] == [
        (Act.INVITE_SITE, "LOW", Standing.LATER),
        (Act.INVITE_SITE, "NEW", Standing.LATER),
        (Act.ADD_POINT, "NEW/P", Standing.LATER),
        (Act.FILL_GROUP, "@shops", Standing.LATER),
        (Act.ASSIGN, "Office", Standing.LATER),
    ]
    assert [(step.act, step.places) for step in waiting.ready] == [(Act.FILL_GROUP, ("CHI",)), (Act.CREATE_PACKAGE, ())]
    ready = differ(declared, chain(joined=True))
    assert [(step.name, step.standing) for step in ready.steps if step.act is Act.INVITE_SITE] == [
        ("LOW", Standing.READY),
        ("NEW", Standing.LATER),
    ]


def test_what_no_command_brings_about_is_told_and_not_tried() -> None:
    present = present_of(Wanted(points=frozenset({Place("CHI/P1")}), groups={}, packages={}))
    declared = Declared(
        sites={SiteCode("CHI"): DeclaredSite(parent=SiteCode("BOS")), SiteCode("BOS"): DeclaredSite(name="Boston")},
        points={Place("CHI/P1"): "folder:/elsewhere"},
    )
    comparison = differ(declared, present)
    assert {(step.name, step.standing) for step in comparison.steps} == {
        (name, Standing.IMPOSSIBLE) for name in ("CHI", "BOS", "CHI/P1")
    }
    assert comparison.ready == ()


def test_only_the_central_site_lets_sites_in() -> None:
    present = dataclasses.replace(chain(joined=True), code=SiteCode("CHI"))
    comparison = differ(Declared(sites={SiteCode("NEW"): DeclaredSite(parent=SiteCode("CHI"))}), present)
    assert [(step.standing, "HQ1" in step.why) for step in comparison.steps] == [(Standing.IMPOSSIBLE, True)]


def many(count: int) -> Wanted:
    packages = {f"p{number}": (frozenset({Place("CHI")}), frozenset[GroupName]()) for number in range(count)}
    return Wanted(points=frozenset(), groups={}, packages=packages)


def test_i11_a_file_that_lost_its_lines_is_stopped() -> None:
    comparison = differ(declared_of(many(30)), present_of(many(60)))
    with pytest.raises(ConflictError) as caught:
        comparison.guard(0)
    assert caught.value.code == "too-many-removals"
    assert "--allow-removing 60" in caught.value.hint
    with pytest.raises(ConflictError):
        comparison.guard(59)
    comparison.guard(60)
    differ(declared_of(many(58)), present_of(many(60))).guard(0)
    with pytest.raises(ConflictError):
        differ(declared_of(many(3)), present_of(many(4))).guard(0)


def test_the_same_difference_has_the_same_name_and_another_has_another() -> None:
    one = differ(declared_of(many(3)), present_of(many(2)))
    assert one.digest == differ(declared_of(many(3)), present_of(many(2))).digest
    assert one.digest != differ(declared_of(many(4)), present_of(many(2))).digest


def test_publishing_is_only_of_what_nobody_captured() -> None:
    present = present_of(many(2))
    first = PackageId("HQ100001")
    captured = dataclasses.replace(present.packages[first], captured=True)
    present = dataclasses.replace(present, packages={**present.packages, first: captured})
    steps = differ(declared_of(many(3)), present, publish=True).steps
    assert [step.name for step in steps if step.act is Act.PUBLISH] == ["p1", "p2"]


def refused(declared: Declared, present: Present) -> str:
    with pytest.raises(UsageError) as caught:
        differ(declared, present)
    assert caught.value.code == "bad-declaration"
    return caught.value.message


def test_every_mistake_is_told_at_once() -> None:
    package = DeclaredPackage(key="Office", name="Office", source="/o", places=frozenset({Place("ZZZ"), Place("CHI/NO")}))
    declared = Declared(
        sites={SiteCode("NE1"): DeclaredSite(parent=SiteCode("NE2")), SiteCode("NE2"): DeclaredSite(parent=SiteCode("NE1"))},
        packages={
            "Office": dataclasses.replace(package, groups=frozenset({GroupName("none")})),
            "No source": DeclaredPackage(key="No source", name="No source"),
            "HQ1FFFFE": DeclaredPackage(key="HQ1FFFFE", id=PackageId("HQ1FFFFE")),
            "oﬃce ": DeclaredPackage(key="oﬃce ", name="oﬃce ", source="/o"),
        },
    )
    present = present_of(Wanted(points=frozenset(), groups={}, packages={"Office": (frozenset(), frozenset())}))
    message = refused(declared, present)
    for part in ("ZZZ", "CHI/NO", "@none", "its source is needed", "HQ1FFFFE", "above itself", "looks the same"):
        assert part in message


def test_two_keys_or_two_names_are_not_guessed_at() -> None:
    present = present_of(Wanted(points=frozenset(), groups={}, packages=dict.fromkeys(NAMES, (frozenset(), frozenset()))))
    office = next(package for package in present.packages.values() if package.name == "Office")
    keys = {
        "Office": DeclaredPackage(key="Office", name="Office"),
        office.id: DeclaredPackage(key=office.id, id=office.id),
    }
    assert "are one package" in refused(Declared(packages=keys), present)
    twin = dataclasses.replace(office, id=PackageId("HQ100099"))
    twins = dataclasses.replace(present, packages={**present.packages, twin.id: twin})
    assert "have this name" in refused(Declared(packages={"Office": keys["Office"]}), twins)


def test_what_is_removed_is_not_what_is_used() -> None:
    before = Wanted(points=frozenset({Place("CHI/P1")}), groups={GroupName("east"): frozenset()}, packages={})
    package = DeclaredPackage(
        key="a", name="a", source="/a", places=frozenset({Place("CHI/P1")}), groups=frozenset({GroupName("east")})
    )
    message = refused(Declared(packages={"a": package}, remove=frozenset(Kind)), present_of(before))
    assert "this file removes such points" in message
    assert "this file removes such groups" in message
