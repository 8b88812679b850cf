"""Names of tests say which known failures they stand against."""

from __future__ import annotations

import pathlib

import pytest

from haulage.testing.covered import covered, ids_of, numbers_of

TOP = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_b53_f16_a_parcel_is_cut", ["B53", "F16"]),
        ("test_q319207_only_the_place_that_failed", ["Q319207"]),
        ("test_kb907979_served_from_the_store", ["KB907979"]),
        ("test_i5_whole_or_not_at_all", ["I5"]),
        ("test_a_b53_in_the_middle_is_none", []),
        ("test_b53", []),
        ("test_base64_is_no_id", []),
    ],
)
def test_ids_stand_first_in_a_name(name: str, ids: list[str]) -> None:
    assert ids_of(name) == ids


def test_methods_and_files_below_are_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / "tests" / "room").mkdir(parents=True)
    (tmp_path / "tests" / "room" / "test_it.py").write_text(
        "class Suite:\n    def test_f16_one(self): ...\n    async def test_f16_two(self): ...\n\ndef test_f2_x(): ...\n"
    )
    known = covered(str(tmp_path))
    assert known == {
        "F16": {"tests/room/test_it.py": ["test_f16_one", "test_f16_two"]},
        "F2": {"tests/room/test_it.py": ["test_f2_x"]},
    }
    assert numbers_of("F", known) == ["F2", "F16"]
    assert numbers_of("B", known) == []


def test_what_was_covered_once_stays_covered() -> None:
    """A renamed test must not take its id with it unseen: the page of covered ids is committed, and this floor never sinks."""
    known = covered(str(TOP))
    assert {kind: len(numbers_of(kind, known)) >= floor for kind, floor in FLOOR.items()} == dict.fromkeys(FLOOR, True)


FLOOR = {"B": 74, "F": 40, "I": 19, "Q": 62, "KB": 3}
