"""How a fix stands to a root: each answer, each reason that leads to it."""

from __future__ import annotations

from typing import Any

import pytest

from haulage.engine.servicing.definition import Detection, ProductRange, Requirements, Schema
from haulage.engine.servicing.detection import FileState, FixState, detect, file_state
from tests.engine.servicing.fixes import ORDER, facts, file, fix, present

ROLLUP = fix("Q323206", contains=("Q316316",))


@pytest.mark.parametrize(
    ("content", "version", "state"),
    [
        ("new", None, FileState.CURRENT),
        ("old", None, FileState.OLDER),
        ("old", "9.9", FileState.OLDER),
        ("third", "1.9", FileState.OLDER),
        ("third", "2.1", FileState.LATER),
        ("third", "2.0", FileState.UNKNOWN),
        ("third", None, FileState.UNKNOWN),
    ],
)
def test_q267258_a_file_whose_version_is_unknown_is_neither_older_nor_newer(
    content: str, version: str | None, state: FileState
) -> None:
    assert file_state(file("bin/x", "new", "old", version="2.0"), present(content, version)) is state


@pytest.mark.parametrize(
    ("content", "state"),
    [("old", FixState.APPLICABLE), ("new", FixState.INSTALLED), ("third", FixState.UNKNOWN), (None, FixState.NOT_APPLICABLE)],
)
def test_the_files_decide_where_no_record_does(content: str | None, state: FixState) -> None:
    found = detect(fix(), facts({"bin/x": None if content is None else present(content)}))
    assert found.state is state
    assert found.reasons


@pytest.mark.parametrize(
    ("wanted", "has", "state"),
    [
        ({"id": "other"}, {}, FixState.NOT_APPLICABLE),
        ({"versions": ">=2"}, {}, FixState.NOT_APPLICABLE),
        ({"versions": ">=1"}, {}, FixState.APPLICABLE),
        ({"versions": ">=1"}, {"version": None}, FixState.UNKNOWN),
        ({"architecture": "x86_64"}, {}, FixState.UNKNOWN),
        ({"architecture": "x86_64"}, {"architecture": "arm64"}, FixState.NOT_APPLICABLE),
        ({"language": "en"}, {"language": "en"}, FixState.APPLICABLE),
        ({"service_levels": ("SP4",)}, {}, FixState.NOT_APPLICABLE),
        ({"service_levels": ("SP3",)}, {}, FixState.APPLICABLE),
        ({"service_levels": ("SP3",)}, {"service_level": None}, FixState.UNKNOWN),
    ],
)
def test_the_product_decides(wanted: dict[str, Any], has: dict[str, Any], state: FixState) -> None:
    product = ProductRange(**{"id": "press", "levels_order": ORDER, **wanted})
    assert detect(fix(product=product), facts(**has)).state is state


def test_q247230_a_fix_is_superseded_by_the_rollup_that_contains_it() -> None:
    found = detect(fix(), facts({"bin/x": present("old")}, ROLLUP))
    assert (found.state, found.by) == (FixState.SUPERSEDED, "Q323206")
    assert "Q323206" in found.reasons[0]


def test_supersedence_reaches_through_others_and_over_an_own_entry() -> None:
    middle, last = fix("Q319207", supersedes=("Q316316",)), fix("Q323206", contains=("Q319207",))
    assert detect(fix(), facts(None, fix(), middle, last)).by == "Q323206"


def test_q258149_the_record_says_installed_and_an_altered_file_contradicts() -> None:
    assert detect(fix(), facts({"bin/x": present("new")}, fix())).state is FixState.INSTALLED
    assert detect(fix(), facts({"bin/x": present("third")}, fix())).state is FixState.UNKNOWN
    assert detect(fix(), facts({"bin/x": present("old")}, fix())).state is FixState.APPLICABLE


@pytest.mark.parametrize(("level", "allowed"), [("RTM", False), ("SP1", False), ("SP2", True), ("SP3", True), (None, False)])
def test_q311457_the_service_level_before_is_asked_for(level: str | None, allowed: bool) -> None:
    found = detect(fix("SP4", requires=Requirements(service_level="SP2")), facts(service_level=level))
    assert [each.code for each in found.blockers] == ([] if allowed else ["prerequisites-missing"])


def test_q311457_a_prerequisite_may_be_met_by_what_contains_it() -> None:
    wanted = fix("Q320743", requires=Requirements(fixes=("Q316316",)))
    assert [each.code for each in detect(wanted, facts()).blockers] == ["prerequisites-missing"]
    assert detect(wanted, facts(None, ROLLUP)).blockers == ()


def test_b94_a_later_file_is_a_blocker_unless_it_is_shared() -> None:
    files = {"bin/x": present("third", "3"), "bin/y": present("old")}
    for shared in (False, True):
        wanted = fix(files=(file("bin/x", "new", version="2", shared=shared), file("bin/y", "new", "old")))
        assert [each.code for each in detect(wanted, facts(files)).blockers] == ([] if shared else ["newer-file"])


def test_q192922_two_forms_of_shared_data_conflict_in_both_orders() -> None:
    one = fix("QA", files=(file("a", "1"),), schemas=(Schema("cpu.speed", "number"),))
    two = fix("QB", files=(file("b", "1"),), schemas=(Schema("cpu.speed", "text"),))
    after = fix("QB", files=(file("b", "1"),), schemas=(Schema("cpu.speed", "text"),), after=("QA",))
    for first, second in ((one, two), (two, one)):
        assert [each.code for each in detect(second, facts({}, first)).blockers] == ["conflict"]
    assert detect(after, facts({}, one)).blockers == ()
    assert [each.code for each in detect(one, facts({}, after)).blockers][:1] == ["conflict"]


def test_an_own_rule_of_detection_stands_over_the_files() -> None:
    wanted = fix(detect=(Detection("mark"), Detection("gone", present=False), Detection("bin/x", versions=">=2")))
    stands = {"mark": present("m"), "gone": None, "bin/x": present("third", "2.1")}
    assert detect(wanted, facts(stands)).state is FixState.INSTALLED
    assert detect(wanted, facts({**stands, "gone": present("g")})).state is not FixState.INSTALLED
