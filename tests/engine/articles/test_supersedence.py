"""What sentences say about fixes, in wordings of our own around the archive's turns of phrase."""

from __future__ import annotations

import pytest

from haulage.engine.articles.levels import Level, level_in, levels_in
from haulage.engine.articles.reading import Reading, read
from haulage.engine.articles.sentences import split
from haulage.testing.archive_article import ArchiveArticle

SP4_LIST = "\n\n   Q500090 Press: List of Bugs Fixed in SMS 2.0 SP4 HRP"


def reading(own: str = "Q500001", title: str = "Press: A Title", **sections: str) -> Reading:
    named = {heading.replace("_", " "): text for heading, text in sections.items()}
    return read(ArchiveArticle(id=own, title=title, sections=named, products=("Press version 2.0",)).as_text(), f"{own}.TXT")


def said(own: str = "Q500001", title: str = "Press: A Title", **sections: str) -> set[str]:
    """``subject kind object`` of every statement."""
    return {f"{one.subject} {one.kind} {one.object}" for one in reading(own, title, **sections).statements}


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        (
            {"RESOLUTION": "The two are related, and the hotfix described in Q500002 also contains the fix for this problem."},
            {"Q500002 contains Q500001"},
        ),
        (
            {
                "RESOLUTION": "Look here:\n\n   Q500002 A Title\n\nThe hotfix described in that article also contains "
                "the fix for this problem."
            },
            {"Q500002 contains Q500001"},
        ),
        (
            {"STATUS": "The fix described in article Q500002 also resolves this issue, and vice versa."},
            {"Q500002 contains Q500001", "Q500001 contains Q500002"},
        ),
        (
            {
                "MORE_INFORMATION": "The hotfix in this article also fixes what the following article is about:\n\n   "
                "Q500002 One\n\n   Q500003 Two"
            },
            {"Q500001 contains Q500002", "Q500001 contains Q500003"},
        ),
        (
            {"MORE_INFORMATION": "For its files, this hotfix includes the hotfix of the following article:\n\n   Q500002 One"},
            {"Q500001 contains Q500002"},
        ),
        ({"WORKAROUND": "This problem has been resolved in the Q500002 hotfix."}, {"Q500002 contains Q500001"}),
        (
            {
                "RESOLUTION": "There is a fix. However, we recommends that you apply the hotfix of the following "
                "article:\n\n   Q500002 One"
            },
            {"Q500002 replaces Q500001"},
        ),
        ({"RESOLUTION": "To resolve this problem, install the hotfix for article Q500002."}, {"Q500002 contains Q500001"}),
        ({"RESOLUTION": "Who wants this fix should also obtain the fix of article Q500002."}, set()),
        (
            {
                "RESOLUTION": "Q500001 also fixes all of the following:\n\n   Q500002 One\n\n   Q500003 Two\n\nNOTE: "
                "These hotfixes are no "
                "longer available because they are all superseded by the hotfix for Q500001."
            },
            {
                "Q500001 contains Q500002",
                "Q500001 contains Q500003",
                "Q500001 replaces Q500002",
                "Q500001 replaces Q500003",
            },
        ),
        (
            {
                "STATUS": "The fixes for Q500002 and Q500003 are also included in the HRP. However, the fix for "
                "Q500004 is not included in the HRP."
            },
            {"2.0 HRP contains Q500002", "2.0 HRP contains Q500003", "2.0 HRP lacks Q500004"},
        ),
        ({"STATUS": "This fix is included in the Tools folder on the SP2 CD."}, set()),
        ({"STATUS": "This fix is included in SMS 2.0 SP2."}, {"2.0 SP2 contains Q500001"}),
        ({"STATUS": "This problem was first corrected in SMS 2.0 Service Pack 2."}, {"2.0 SP2 first-corrected Q500001"}),
        (
            {
                "STATUS": "This problem was first corrected in the SMS 2.0 Service Pack 4 Hotfix Rollup Package (HRP). See:"
                + SP4_LIST
            },
            {"Q500090 (2.0 SP4 HRP) first-corrected Q500001"},
        ),
        ({"STATUS": "This will be corrected in a later version."}, set()),
        (
            {"STATUS": "This problem was corrected in the latest U.S. service pack for SMS version 1.2."},
            {"1.2 latest service pack first-corrected Q500001"},
        ),
    ],
)
def test_containment_and_replacement(sections: dict[str, str], expected: set[str]) -> None:
    assert said(**sections) == expected


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"MORE_INFORMATION": "This hotfix requires SMS 2.0 Service Pack 1."}, {"Q500001 requires 2.0 SP1"}),
        ({"SUMMARY": "You must apply SP1 before you install this package."}, {"Q500001 requires 2.0 SP1"}),
        (
            {"SUMMARY": "Note that before you apply SP4, you must have SP2 or SP3."},
            {"2.0 SP4 requires 2.0 SP2", "2.0 SP4 requires 2.0 SP3"},
        ),
        (
            {"RESOLUTION": "NOTE: Fix q500002 should be applied directly AFTER applying this fix."},
            {"Q500002 follows Q500001"},
        ),
        (
            {
                "RESOLUTION": "You must apply the fix described in this article to all sites before any site is "
                "upgraded to SMS 2.0 SP2."
            },
            {"2.0 SP2 follows Q500001"},
        ),
        ({"SUMMARY": "The installer requires SQL Server 6.5 Service Pack 3."}, set()),
        ({"SUMMARY": "Before you install the package, start the registry."}, set()),
    ],
)
def test_q311457_requirements_and_order(sections: dict[str, str], expected: set[str]) -> None:
    assert said(**sections) == expected


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"CAUSE": "This problem was introduced with the Q500002 hotfix."}, {"Q500002 breaks Q500001"}),
        (
            {"SYMPTOMS": "If you install the Q500002 and Q500003 hotfixes, programs may run again."},
            {"Q500002 breaks Q500001", "Q500003 breaks Q500001"},
        ),
        ({"SYMPTOMS": "After you apply the hotfix of article Q500002, lists are empty."}, {"Q500002 breaks Q500001"}),
        (
            {"CAUSE": "The hotfix for the following article changed the timeout:\n\n   Q500002 One"},
            {"Q500002 breaks Q500001"},
        ),
        (
            {"SYMPTOMS": "After you install the hotfix listed in the following article, packages vanish:\n\n   Q500002 One"},
            {"Q500002 breaks Q500001"},
        ),
        ({"SYMPTOMS": "The hotfixed file of the following article was applied:\n\n   Q500002 One"}, {"Q500002 breaks Q500001"}),
        ({"SYMPTOMS": "After you install the program, look at the following article:\n\n   Q500002 One"}, set()),
        ({"MORE_INFORMATION": "After you apply the hotfix of article Q500002, restart the service."}, set()),
        ({"SYMPTOMS": "The problem is still there after you apply the hotfix of article Q500002."}, set()),
    ],
)
def test_q299435_fixes_that_break(sections: dict[str, str], expected: set[str]) -> None:
    assert said(**sections) == expected


def test_q299435_hotfixes_that_are_listed_later_in_the_symptoms() -> None:
    sections = {
        "SYMPTOMS": "An error shows after you apply one or more of the hotfixes that are listed later in this section.",
        "- Hotfixes For SP3": "   Q500002 One\n\n   Q500003 Two",
        "RESOLUTION": "Look at:\n\n   Q500004 How to Obtain Help",
    }
    article = read(ArchiveArticle(sections=sections).as_text(), "a")
    assert {str(one.subject) for one in article.statements} == {"Q500002", "Q500003"}


def test_q247230_a_list_of_bugs_fixed_contains_them_all_but_not_what_else_it_names() -> None:
    sections = {
        "SUMMARY": "This article lists articles for problems that are fixed in the SMS 2.0 Service Pack 4 (SP4) "
        "Hotfix Rollup Package "
        "(HRP).\n\nYou must install SMS 2.0 SP4 before you install the HRP. For information about how to install SP4, read:\n\n"
        "   Q500080 How to Obtain SP4",
        "MORE INFORMATION": "About the problems that are fixed in the HRP, read the articles below:\n\n   Q500002 One\n\n"
        "   Q500003 A Title That\n   Goes On\n\n   Note that Q500003 is older.\n\n   Q500004 Three",
    }
    found = read(ArchiveArticle(title="List of Bugs Fixed in SMS 2.0 SP4 HRP", sections=sections).as_text(), "a").statements
    assert {f"{one.subject} {one.kind} {one.object}" for one in found} == {
        "Q500001 (2.0 SP4 HRP) contains Q500002",
        "Q500001 (2.0 SP4 HRP) contains Q500003",
        "Q500001 (2.0 SP4 HRP) contains Q500004",
        "Q500001 (2.0 SP4 HRP) requires 2.0 SP4",
    }


def test_a_bundle_is_a_fix_and_no_level() -> None:
    sections = {
        "SUMMARY": "The following table lists titles of problems that are corrected in the Client Hotfix Bundle for SMS 2.0 SP1.",
        "- Summary List": "   Q500002 One\n   Q500003 Two",
    }
    found = read(ArchiveArticle(title="SMS: Client Hotfix Bundle", sections=sections).as_text(), "a").statements
    assert {f"{one.subject} {one.kind} {one.object}" for one in found} == {"Q500001 contains Q500002", "Q500001 contains Q500003"}


def test_every_statement_has_its_sentence_and_the_article_its_resolvers() -> None:
    made = reading(
        RESOLUTION="However, it is recommends that you apply the hotfix of the following article:\n\n   Q500002 One",
        STATUS="This problem was first corrected in the SMS 2.0 Service Pack 4 Hotfix Rollup Package (HRP). See:" + SP4_LIST,
    )
    assert made.article.resolved_by == ("Q500002", "Q500090")
    body = " ".join(made.article.body().split())
    assert all(one.sentence in body and one.said_by == "Q500001" for one in made.statements)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("Systems Management Server (SMS) 2.0 Service Pack 4 (SP4)", ["2.0 SP4"]),
        ("Systems Management Server version 2.0, Service Pack 2", ["2.0 SP2"]),
        ("the latest Microsoft Systems Management Server 1.2 U.S. Service Pack.", ["1.2 latest service pack"]),
        ("Service Pack 1 for SMS 2.0", ["2.0 SP1"]),
        ("SMS 2.0 SP2 or SP3", ["2.0 SP2", "2.0 SP3"]),
        ("Windows NT 4.0 SP4", ["Windows NT 4.0 SP4"]),
        ("the post-Service Pack 3 version", ["SP3"]),
        ("version 2.00.1493.3257 of Distmgr.dll", []),
        ("nothing", []),
    ],
)
def test_levels_as_sentences_name_them(text: str, levels: list[str]) -> None:
    assert [str(one) for one in levels_in(text)] == levels


def test_the_most_precise_level_counts() -> None:
    assert level_in("In 2.0, and in 2.0 SP3") == Level(version="2.0", pack=3)
    assert level_in("") is None


def test_sentences_do_not_end_at_abbreviations_and_titles() -> None:
    assert split('The U.S. Service Pack is out. See "SMS: A Title" now. Yes.') == [
        "The U.S. Service Pack is out.", 'See "SMS: A Title" now.', "Yes.",
    ]  # fmt: skip
    assert split("") == [""]
