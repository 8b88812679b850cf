"""The picture of the tree of sites: nothing lies on anything else, every site hangs on its parent."""

from __future__ import annotations

import itertools

from hypothesis import given, settings

from haulage.base.ids import SiteCode
from haulage.console.places.tree_layout import GAP_X, HEIGHT, WIDTH, lay_out
from haulage.domain.reporting.hierarchy_view import Wanted, hierarchy_view
from tests.domain.reporting.test_hierarchy_view import looked_at, trees


@settings(max_examples=30, deadline=None)
@given(trees())
def test_boxes_keep_apart_and_lines_lead_from_parent_to_child(parents: dict[SiteCode, SiteCode | None]) -> None:
    nodes = hierarchy_view(looked_at(parents), Wanted()).nodes
    picture = lay_out(nodes)
    boxes = sorted(picture.boxes, key=lambda box: (box.x, box.y))
    for above, below in itertools.pairwise(boxes):
        assert above.x != below.x or below.y - above.y >= HEIGHT
    assert all(0 <= box.x <= picture.width - WIDTH and 0 <= box.y <= picture.height - HEIGHT for box in boxes)
    assert len(picture.lines) == len(boxes) - 1
    at = {str(box.node.site.code): box for box in boxes if box.node.site}
    for box in boxes:
        if box.node.parent is not None:
            assert box.x == at[box.node.parent].x + WIDTH + GAP_X


def test_a_single_site_is_a_picture_too() -> None:
    picture = lay_out(hierarchy_view(looked_at({SiteCode("HQ1"): None}), Wanted()).nodes)
    assert (picture.width, picture.height, list(picture.lines)) == (WIDTH, HEIGHT, [])
