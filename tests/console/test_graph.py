"""The picture of fixes: older left, newer right, one line between two, no line across a box."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from haulage.console.graph import HEIGHT, MOST_BOXES, WIDTH, Edge, Picture, picture

NAMES = st.sampled_from([f"Q{number}" for number in range(1, 9)])
EDGES = st.lists(st.builds(Edge, NAMES, NAMES, st.sampled_from(["contained-in", "replaced-by", "requires"])), max_size=30)


def drawn(edges: list[Edge]) -> Picture:
    found = picture("Q1", edges, {"Q1": "One", "Q2": "Two"})
    assert found is not None
    return found


def test_an_article_beside_nothing_has_no_picture() -> None:
    assert picture("Q1", [], {}) is None
    assert picture("Q1", [Edge("Q1", "Q1", "contained-in"), Edge("Q2", "Q3", "contained-in")], {}) is None


def test_what_contains_a_fix_stands_right_of_it() -> None:
    found = drawn([Edge("Q1", "Q2", "contained-in"), Edge("Q2", "Q3", "contained-in")])
    across = {box.id: box.x for box in found.boxes}
    assert across["Q1"] < across["Q2"] < across["Q3"]
    assert {box.id for box in found.boxes if box.held} == {"Q1", "Q2"}
    assert [box.id for box in found.boxes if box.center] == ["Q1"]


def test_two_boxes_have_one_line_and_contained_says_more_than_replaced() -> None:
    found = drawn([Edge("Q1", "Q2", "replaced-by"), Edge("Q1", "Q2", "contained-in"), Edge("Q1", "Q2", "replaced-by")])
    assert [line.relation for line in found.lines] == ["contained-in"]


def test_a_short_way_is_left_out_where_a_longer_one_says_it() -> None:
    found = drawn([Edge("Q1", "Q2", "contained-in"), Edge("Q2", "Q3", "contained-in"), Edge("Q1", "Q3", "contained-in")])
    assert {(line.old, line.new) for line in found.lines} == {("Q1", "Q2"), ("Q2", "Q3")}


def test_more_than_a_picture_holds_is_counted() -> None:
    found = picture("Q1", [Edge(f"Q{number}", "Q1", "contained-in") for number in range(2, 80)], {}, left_out=5)
    assert found is not None
    assert len(found.boxes) == MOST_BOXES
    assert found.left_out == 79 - MOST_BOXES + 5


@given(EDGES)
def test_whatever_articles_claim_boxes_lie_apart_and_inside(edges: list[Edge]) -> None:
    found = picture("Q1", edges, {})
    if found is None:
        return
    places = {(box.x, box.y) for box in found.boxes}
    assert len(places) == len(found.boxes)
    for box in found.boxes:
        assert 0 <= box.x <= found.width - WIDTH
        assert 0 <= box.y <= found.height - HEIGHT
    assert {end for line in found.lines for end in (line.old, line.new)} <= {box.id for box in found.boxes}
