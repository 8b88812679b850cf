"""The table of exit codes, from errors to codes to the page."""

from __future__ import annotations

import pathlib

import pytest

from haulage.base.errors import FAMILIES, HaulageError, IntegrityError, TransferError
from haulage.cli.exits import BY_CODE, MEANING, Exit, exit_of
from tests.cli.fake_api import Ask, FakeApi, refuse

EXPECTED = {"usage": 2, "not-found": 3, "conflict": 4, "not-allowed": 8, "format": 1, "integrity": 7, "transfer": 5}


def test_every_family_has_its_code() -> None:
    assert {family: int(exit_of(kind("x", "y"))) for family, kind in FAMILIES.items()} == EXPECTED
    assert exit_of(HaulageError("x", "y")) == 1


def test_some_codes_say_more_than_their_family() -> None:
    assert {code: int(exit_of(TransferError(code, "y"))) for code in BY_CODE} == {
        "still-under-way": 10,
        "partly-done": 6,
        "differs": 6,
        "window-closed": 9,
        "budget-used": 9,
    }


def test_what_is_no_expected_error_is_a_defect() -> None:
    assert exit_of(ZeroDivisionError()) == 70
    assert exit_of(KeyboardInterrupt()) == 130


def test_every_code_has_a_meaning_and_stands_in_the_page() -> None:
    assert set(MEANING) == set(Exit)
    page = (pathlib.Path(__file__).parents[2] / "docs/cli.md").read_text()
    for code, meaning in MEANING.items():
        assert f"| {code.value} | {meaning} |" in page


@pytest.mark.parametrize(("family", "code"), EXPECTED.items())
def test_a_refusal_of_the_server_becomes_the_exit_code(api: FakeApi, ask: Ask, family: str, code: int) -> None:
    api.replies["GET /sites"] = refuse("some-code", family, "HQ1 is so.", "Do that.")
    assert ask("site", "list") == (code, "", "haulage: HQ1 is so.\nhint: Do that.\n")


def test_an_error_as_json(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /sites"] = refuse("some-code", "conflict", "HQ1 is so.", "Do that.")
    expected = '{"error": {"code": "some-code", "message": "HQ1 is so.", "hint": "Do that."}}\n'
    assert ask("site", "list", "-o", "json") == (4, "", expected)
    assert ask("site", "list", "--output=json") == (4, "", expected)


def test_a_defect_says_so_and_how_to_report_it(api: FakeApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    api.replies["GET /sites"] = {"neither": "items", "nor": "cursor"}
    code, out, err = ask("site", "list")
    assert (code, out) == (70, "")
    assert "KeyError" in err
    assert "report" in err
    monkeypatch.setenv("HAULAGE_TRACEBACK", "1")
    with pytest.raises(KeyError):
        ask("site", "list")


def test_integrity_is_verification_failed() -> None:
    assert exit_of(IntegrityError("point-damaged", "x")) is Exit.VERIFICATION
