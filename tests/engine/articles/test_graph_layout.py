"""The picture of fixes: older left, newer right, one line between two, no line across a box."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.articles.fix_graph import Edge, FixGraph
from haulage.engine.articles.graph_layout import HEIGHT, MOST_BOXES, WIDTH, Picture, ends, picture
from haulage.engine.articles.graph_svg import graph_svg
from haulage.engine.articles.statement import StatementKind

CONTAINS, REPLACES, REQUIRES = StatementKind.CONTAINS, StatementKind.REPLACES, StatementKind.REQUIRES
NAMES = st.sampled_from([f"Q{number}" for number in range(1, 9)])
EDGES = st.lists(st.builds(Edge, subject=NAMES, kind=st.sampled_from(StatementKind), object=NAMES), max_size=30)


def edge(tail: str, head: str, kind: StatementKind = CONTAINS) -> Edge:
    """``head`` has ``tail``."""
    return Edge(subject=head, kind=kind, object=tail)


def drawn(*edges: Edge, cut: int = 0) -> Picture:
    return picture(FixGraph(edges=edges, titles={"Q1": "One", "Q2": "Two"}, cut=cut), "Q1")


def test_an_article_beside_nothing_is_a_single_box() -> None:
    for found in (drawn(), drawn(edge("Q1", "Q1"), edge("Q2", "Q3"))):
        assert [(box.id, found.width, found.height) for box in found.boxes] == [("Q1", WIDTH, HEIGHT)]
        assert not found.lines


def test_what_contains_a_fix_stands_right_of_it() -> None:
    found = drawn(edge("Q1", "Q2"), edge("Q2", "Q3"))
    across = {box.id: box.x for box in found.boxes}
    assert across["Q1"] < across["Q2"] < across["Q3"]
    assert {box.id for box in found.boxes if box.held} == {"Q1", "Q2"}
    assert [box.id for box in found.boxes if box.center] == ["Q1"]


def test_two_boxes_have_one_line_and_contained_says_more_than_replaced() -> None:
    found = drawn(edge("Q1", "Q2", REPLACES), edge("Q1", "Q2"), edge("Q1", "Q2", REPLACES))
    assert [line.edge.kind for line in found.lines] == [CONTAINS]


def test_a_short_way_is_left_out_where_a_longer_one_says_it() -> None:
    found = drawn(edge("Q1", "Q2"), edge("Q2", "Q3"), edge("Q1", "Q3"))
    assert {(line.tail, line.head) for line in found.lines} == {("Q1", "Q2"), ("Q2", "Q3")}


def test_what_a_fix_requires_is_said_although_something_else_leads_there() -> None:
    found = drawn(edge("Q1", "Q2"), edge("Q2", "Q3"), Edge(subject="Q1", kind=REQUIRES, object="Q3"))
    assert ("Q1", "Q3", REQUIRES) in {(line.tail, line.head, line.edge.kind) for line in found.lines}
    assert "requires" in graph_svg(found)


def test_more_than_a_picture_holds_is_counted_and_written_below() -> None:
    found = drawn(*(edge(f"Q{number}", "Q1") for number in range(2, 80)), cut=5)
    assert len(found.boxes) == MOST_BOXES
    assert found.left_out == 79 - MOST_BOXES + 5
    assert f"… and {found.left_out} more" in graph_svg(found)


@given(EDGES)
def test_whatever_articles_claim_boxes_lie_apart_and_inside(edges: list[Edge]) -> None:
    found = drawn(*edges)
    assert len({(box.x, box.y) for box in found.boxes}) == len(found.boxes)
    for box in found.boxes:
        assert 0 <= box.x <= found.width - WIDTH
        assert 0 <= box.y <= found.height - HEIGHT
    shown = {box.id for box in found.boxes}
    assert {end for line in found.lines for end in (line.tail, line.head)} <= shown
    lines = {(line.tail, line.head) for line in found.lines}
    assert len(lines) == len(found.lines) <= len({ends(one) for one in edges})
    assert ElementTree.fromstring(graph_svg(found)).tag.endswith("svg")
