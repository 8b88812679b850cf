"""Statements of several articles as one graph, its drawings, and proposals of definitions."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from haulage.engine.articles.fix_graph import MOST_NODES, FixGraph, around, fix_graph, rings
from haulage.engine.articles.graph_layout import MOST_BOXES, picture
from haulage.engine.articles.graph_svg import graph_svg
from haulage.engine.articles.graph_text import graph_text
from haulage.engine.articles.proposals import is_fix, propose
from haulage.engine.articles.reading import Reading, read
from haulage.engine.articles.statement import StatementKind
from haulage.testing.archive_article import ArchiveArticle

ROLLUP = "See:\n\n   Q500090 List of Bugs Fixed in SMS 2.0 SP4 HRP"


def story() -> dict[str, Reading]:
    """An article, the one whose fix has its fix too, and the rollup that has both."""
    corrected = "This problem was first corrected in the SMS 2.0 Service Pack 4 Hotfix Rollup Package (HRP). " + ROLLUP
    first = {
        "RESOLUTION": "There is a fix. However, it recommends that you apply the hotfix of the following article:\n\n "
        "  Q500002 Jobs\n\n"
        "The hotfix described in Q500002 also contains the fix for this problem.",
        "STATUS": corrected,
        "MORE INFORMATION": "Stop SMS_EXECUTIVE and run Q500001.exe.",
    }
    table = "   01-Mar-2001  17:25  2.00.1493.3257  231,312  Distmgr.dll  I386"
    second = {"RESOLUTION": f"Files:\n\n{table}", "STATUS": corrected}
    third = {
        "SUMMARY": "This article lists articles for problems that are fixed in the SMS 2.0 SP4 Hotfix Rollup Package "
        "(HRP). You must "
        "install SMS 2.0 SP4 before you install the HRP.",
        "MORE INFORMATION": "About problems that are fixed in the HRP:\n\n   Q500001 Stops\n\n   Q500002 Jobs",
    }
    made = [
        ArchiveArticle(id="Q500001", title="The Press Stops", sections=first),
        ArchiveArticle(id="Q500002", title="Many Jobs", sections=second),
        ArchiveArticle(id="Q500090", title="List of Bugs Fixed in SMS 2.0 SP4 HRP", sections=third),
        ArchiveArticle(id="Q500091", title="Says So <script>", sections={"STATUS": "The fix for Q500002 is included in the HRP."}),
    ]
    return {one.article.id: one for one in (read(article.as_text(), article.id) for article in made)}


def graph(readings: dict[str, Reading]) -> FixGraph:
    said = [one for reading in readings.values() for one in reading.statements]
    return fix_graph(said, {name: reading.article.title for name, reading in readings.items()})


def edges(graph: FixGraph) -> set[str]:
    return {f"{one.subject} {one.kind} {one.object}" for one in graph.edges}


def test_q316316_by_q319207_both_in_q323206_as_a_graph() -> None:
    whole = graph(story())
    assert edges(whole) == {
        "Q500002 contains Q500001", "Q500002 replaces Q500001", "Q500090 contains Q500001", "Q500090 contains Q500002",
        "Q500090 first-corrected Q500001", "Q500090 first-corrected Q500002", "Q500090 requires 2.0 SP4",
    }  # fmt: skip
    both = next(one for one in whole.edges if (one.subject, one.kind) == ("Q500090", "contains") and one.object == "Q500002")
    assert {article for article, _ in both.evidence} == {"Q500090", "Q500091"}, "a rollup without its service pack is the same one"
    assert edges(around(whole, "Q500001", levels=False)) == {
        "Q500002 contains Q500001", "Q500002 replaces Q500001", "Q500090 contains Q500001", "Q500090 contains Q500002",
        "Q500090 first-corrected Q500001", "Q500090 first-corrected Q500002",
    }  # fmt: skip


def test_the_text_tree_tells_each_node_once_in_full() -> None:
    whole = graph(story())
    assert graph_text(around(whole, "Q500001"), "Q500001").split("\n") == [
        "Q500001  The Press Stops",
        "├─ contained in, replaced by Q500002  Many Jobs",
        "│  ├─ contained in, first corrected in Q500090  List of Bugs Fixed in SMS 2.0 SP4 HRP",
        "├─ contained in, first corrected in Q500090  List of Bugs Fixed in SMS 2.0 SP4 HRP (see above)",
        "",
    ]


def test_the_drawing_is_well_formed_and_cannot_act() -> None:
    whole = graph(story())
    whole = FixGraph(edges=whole.edges, titles={**whole.titles, "Q500002": '"><script>alert(1)</script>\x00'})
    drawn = graph_svg(
        picture(around(whole, "Q500090"), "Q500090"), lambda node: f"/kb/{node}?a=1&b" if node.startswith("Q") else None
    )
    root = ElementTree.fromstring(drawn)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "defs", "marker", "path", "g", "title", "rect", "text", "a"}
    assert {element.get("href") for element in root.iter() if element.tag.endswith("}a")} == {
        "/kb/Q500001?a=1&b", "/kb/Q500002?a=1&b", "/kb/Q500090?a=1&b",
    }  # fmt: skip
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


def test_b91_rings_are_found_and_drawn_all_the_same() -> None:
    sentence = "The fix described in article Q500002 also resolves this issue, and vice versa."
    ring = graph({"Q500001": read(ArchiveArticle(sections={"STATUS": sentence}).as_text(), "a")})
    assert rings(ring) == [["Q500001", "Q500002"]]
    assert "Q500002" in graph_text(around(ring, "Q500001"), "Q500001")
    assert ElementTree.fromstring(graph_svg(picture(around(ring, "Q500001"), "Q500001"))) is not None
    assert rings(graph(story())) == []


def test_a_fix_without_any_statement_is_drawn_alone() -> None:
    alone = around(graph(story()), "Q599999")
    assert graph_text(alone, "Q599999") == "Q599999\n"
    assert "Q599999" in graph_svg(picture(alone, "Q599999"))


def test_a_very_large_rollup_is_cut_and_says_so() -> None:
    listed = "\n\n".join(f"   Q{510000 + number} Title" for number in range(MOST_NODES + 50))
    sections = {"SUMMARY": f"This article lists articles for problems that are fixed in SMS 2.0 SP4:\n\n{listed}"}
    large = graph({"Q500001": read(ArchiveArticle(sections=sections).as_text(), "a")})
    part = around(large, "Q500001")
    assert (len(part.nodes()), part.cut) == (MOST_NODES, 51)
    assert graph_text(part, "Q500001").endswith("… and 51 more\n")
    left_out = MOST_NODES + 51 - MOST_BOXES
    assert f"… and {left_out} more</text>" in graph_svg(picture(part, "Q500001"))


def test_proposals_gather_what_an_article_and_others_say() -> None:
    readings = story()
    said = [one for reading in readings.values() for one in reading.statements]
    second = propose(readings["Q500002"].article, readings["Q500002"].tables, said)
    assert (second.contains, second.supersedes, second.contained_in) == (("Q500001",), ("Q500001",), ("Q500090", "2.0 HRP"))
    assert second.tables[0].files[0].version == "2.00.1493.3257"
    assert {one.said_by for one in second.evidence} == set(readings)
    rollup = propose(readings["Q500090"].article, (), said)
    assert (rollup.contains, rollup.requires_levels, rollup.requires) == (("Q500001", "Q500002"), ("2.0 SP4",), ())
    assert "lists no files" in rollup.open_questions[0]
    first = propose(readings["Q500001"].article, (), said)
    assert (first.superseded_by, first.services) == (("Q500002",), ("SMS_EXECUTIVE",))
    fixes = {name for name, one in readings.items() if is_fix(one.article, one.tables, said)}
    assert fixes == {"Q500001", "Q500002", "Q500090"}
    assert StatementKind.CONTAINS in {one.kind for one in first.evidence}
