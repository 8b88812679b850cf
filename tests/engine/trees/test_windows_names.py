"""Names that a Windows machine or a client of a Samba share could not use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.trees.windows_names import NAME_TROUBLE_MEANING, NameJudge, NameTrouble, alone


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("CON", NameTrouble.DEVICE),
        ("tools/nul.txt", NameTrouble.DEVICE),
        ("COM¹", NameTrouble.DEVICE),
        ("CONIN$", NameTrouble.DEVICE),
        ("lpt9.tar.gz", NameTrouble.DEVICE),
        ("a:b", NameTrouble.FORBIDDEN),
        ("tools/what?", NameTrouble.FORBIDDEN),
        ("back\\slash", NameTrouble.FORBIDDEN),
        ("bell\x07", NameTrouble.FORBIDDEN),
        ("trailing.", NameTrouble.ENDS),
        ("trailing ", NameTrouble.ENDS),
        ("x" * 256, NameTrouble.TOO_LONG),
        ("\N{GRINNING FACE}" * 128, NameTrouble.TOO_LONG),
        ("/".join(["folder"] * 5000), NameTrouble.TOO_LONG),
        ("x" * 255, None),
        ("console", None),
        ("com10", None),
        ("Überschrift.txt", None),
        (".hidden", None),
        ("what?/inside", None),
    ],
)
def test_b12_names_windows_could_not_use(path: str, trouble: NameTrouble | None) -> None:
    assert alone(path) is trouble
    assert NameJudge().judge(path.encode()) is trouble


def judged(*paths: str) -> list[NameTrouble | None]:
    judge = NameJudge()
    return [judge.judge(path.encode()) for path in paths]


def test_b11_twins_that_differ_by_case_only_are_told_once() -> None:
    assert judged("Setup.exe", "setup.EXE", "other") == [None, NameTrouble.SAME, None]
    assert judged("straße", "STRASSE") == [None, NameTrouble.SAME]
    # A folder of two spellings, and what both hold: the folder is the trouble.
    assert judged("Bin", "Bin/a", "bin", "bin/a") == [None, None, NameTrouble.SAME, None]
    assert judged("one/a", "two/a") == [None, None]


def test_b10_twins_of_composed_and_decomposed_letters() -> None:
    assert judged("caf\u00e9", "cafe\u0301") == [None, NameTrouble.SAME]


def test_a_name_that_is_no_text_is_told_where_it_begins() -> None:
    judge = NameJudge()
    assert judge.judge(b"bad\xff") is NameTrouble.NOT_TEXT
    assert judge.judge(b"bad\xff/inside") is None


@given(st.lists(st.text(alphabet="aAbB.", min_size=1, max_size=3), unique=True))
def test_of_any_set_of_names_each_folded_one_stays_once(names: list[str]) -> None:
    fine = [name for name in names if name not in (".", "..") and alone(name) is None]
    told = judged(*fine)
    assert told.count(None) == len({name.casefold() for name in fine})


def test_every_trouble_has_its_words() -> None:
    assert set(NAME_TROUBLE_MEANING) == set(NameTrouble)
