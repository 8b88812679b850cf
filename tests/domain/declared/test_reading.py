"""Files as people, and others, write them: every mistake with its line, and nothing that is not meant."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import UsageError
from haulage.base.ids import GroupName, Place, SiteCode
from haulage.domain.declared.model import Kind
from haulage.domain.declared.reading import FILE_MAX_BYTES, read_declared

GOOD = """\
format = 1

[manage]
remove = ["assignments"]

[sites.CHI]
name = "Chicago"
parent = "HQ1"

[points."CHI/SHOP"]
url = "folder:/srv/shop"

[groups]
shops = [
  "CHI/SHOP",
  "LA1",
]

[packages."Till software"]
source = "/srv/till"
streams = "drop:Zone.Identifier"
keep = 3
to = ["@shops", "CHI"]

[packages.HQ100002]
name = "Renamed"
"""


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_declared(text)
    return caught.value.message


def test_a_whole_file() -> None:
    declared = read_declared(GOOD)
    assert declared.sites[SiteCode("CHI")].parent == "HQ1"
    assert declared.points == {"CHI/SHOP": "folder:/srv/shop"}
    assert declared.groups == {"shops": frozenset({"CHI/SHOP", "LA1"})}
    till = declared.packages["Till software"]
    assert (till.id, till.name, till.keep, till.places, till.groups) == (
        None,
        "Till software",
        3,
        frozenset({Place("CHI")}),
        frozenset({GroupName("shops")}),
    )
    assert declared.packages["HQ100002"].name == "Renamed"
    assert declared.packages["HQ100002"].places is None
    assert declared.remove == {Kind.ASSIGNMENTS}


@pytest.mark.parametrize(
    ("change", "line", "part"),
    [
        (("streams =", "stream ="), 21, "did you mean 'streams'"),
        (("[groups]", "[grups]"), 13, "did you mean 'groups'"),
        (("keep = 3", "keep = 0"), 22, "from 1 to 1000"),
        (("keep = 3", "keep = true"), 22, "from 1 to 1000"),
        (('  "LA1",', '  "la1",'), 16, "not a site code"),
        (('  "LA1",', '  "@other",'), 16, "a group holds places only"),
        (('"@shops", "CHI"', '"@Shops"'), 23, "shops"),
        (('url = "folder:/srv/shop"', 'uri = "folder:/srv/shop"'), 11, "did you mean 'url'"),
        (('["assignments"]', '["sites"]'), 4, "never removed"),
        (('["assignments"]', '["point"]'), 4, "did you mean 'points'"),
        (("format = 1", "format = 2"), 1, "format must be 1"),
        (("format = 1", "format = true"), 1, "format must be 1"),
        (('parent = "HQ1"', "parent = 5"), 8, "text in quotes"),
        (('"CHI/SHOP"]', '"CHI"]'), 10, "not a point"),
        (('source = "/srv/till"', 'name = "Other"'), 20, "under its id"),
        (("shops = [", "Shops = ["), 14, "shops"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_was_meant(change: tuple[str, str], line: int, part: str) -> None:
    assert change[0] in GOOD
    message = refused(GOOD.replace(*change, 1))
    assert f"line {line}: " in message
    assert part in message


def test_every_mistake_is_told_at_once() -> None:
    text = GOOD.replace("keep = 3", "keep = 0").replace("streams", "strems").replace('"CHI/SHOP"]', '"chi"]')
    assert refused(text).count("line ") == 3


def test_thousands_of_mistakes_are_not_thousands_of_lines() -> None:
    message = refused("format = 1\n" + "\n".join(f"bad{number} = 1" for number in range(5000)))
    assert message.count("\n") < 60
    assert "and 4950 more" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "format = 1\n[sites]\nCHI = 3\n",
        "format = 1\nsites = []\n",
        "format = 1\n[[packages]]\nname = 'a'\n",
        "format = 1\nformat = 1\n",
        "\ufeffformat = 1\n",
        "format = 1\n[groups]\na = 1979-05-27\n",
        "format = 1\n[groups]\na = [['CHI']]\n",
        "format = 1\n[packages.'']\nsource = '/a'\n",
        "format = 1\n[packages.a]\nsource = ''\n",
        "format = 1\n[packages.a]\nkeep = 99999999999999999999999999\n",
        "format = 1\n[packages.a]\nkeep = inf\n",
        "format = 1\n[groups]\na = " + "[" * 100_000,
        "format = 1\n[groups]\na = " + "[" * 100_000 + "]" * 100_000,
        "format = 1\na = " + "{a=" * 50_000 + "1" + "}" * 50_000,
        "format = 1\n" + "a." * 3000 + "a = 1\n",
        "format = " + "1" * 100_000,
        "format = 1\n[packages.a]\nsource = \"\\u0000\"\n",
        "format = 1\n\0",
    ],
    ids=lambda text: repr(text[:30]),
)  # fmt: skip
def test_i24_hostile_contents_are_refused_as_what_they_are(text: str) -> None:
    assert len(refused(text)) < 20_000


def test_i24_a_file_without_end_is_not_parsed() -> None:
    with pytest.raises(UsageError) as caught:
        read_declared("#" * (FILE_MAX_BYTES + 1))
    assert caught.value.code == "declaration-too-large"


def test_invisible_characters_are_shown_as_what_they_are() -> None:
    message = refused('format = 1\n[groups]\n"\u202egnp" = []\n["\x1b[2J"]\n'.replace("\x1b", "\\u001b"))
    assert message.replace("\n", "").isprintable()


@given(st.text(max_size=200))
def test_i24_whatever_is_written_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert read_declared(text).remove <= frozenset(Kind)


def test_the_example_of_the_handbook_is_a_file() -> None:
    text = (Path(__file__).parents[3] / "docs" / "declared.md").read_text(encoding="utf-8")
    declared = read_declared(text.partition("```toml\n")[2].partition("```")[0])
    assert (len(declared.sites), len(declared.points), len(declared.groups), len(declared.packages)) == (2, 1, 2, 2)
    assert all(f"`{kind.value}`" in text for kind in Kind)
