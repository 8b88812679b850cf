"""The dashboard and the alert rules in docs/grafana: whatever they ask for is on the page of figures, and is PromQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from haulage.domain.transit.states import Reason, ShipmentState
from haulage.server.pipeline import JOB_KINDS
from tests.server.asgi import Served

FOLDER = Path(__file__).parent.parent.parent / "docs" / "grafana"
RULES, DASHBOARD = FOLDER / "haulage-alerts.yml", FOLDER / "haulage-dashboard.json"
NOT_OURS = {"up"}
"""What Prometheus itself makes of every scrape."""
LABELS = {
    "state": {one.value for one in ShipmentState},
    "reason": {one.value for one in Reason},
    "kind": {"site", "point", *JOB_KINDS},
    "direction": {"parent", "child"},
    "severity": {"information", "warning", "error", "unknown"},
}


def _panels() -> Iterator[dict[str, Any]]:
    yield from json.loads(DASHBOARD.read_text())["panels"]


def _of_rules() -> list[str]:
    return [found.replace("''", "'") for found in re.findall(r"^        expr: '(.*)'$", RULES.read_text(), re.MULTILINE)]


def _of_dashboard() -> list[str]:
    asked = [target["expr"] for panel in _panels() for target in panel.get("targets", ())]
    return [text.replace("$__rate_interval", "5m").replace("$site", ".*") for text in asked]


def _selectors(found: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every series an expression asks for."""
    if isinstance(found, promql_parser.VectorSelector):
        yield found
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        if hasattr(found, name):
            yield from _selectors(getattr(found, name))
    for one in getattr(found, "args", None) or ():
        yield from _selectors(one)


EXPRESSIONS = _of_rules() + _of_dashboard()


def test_there_are_rules_and_panels() -> None:
    assert len(_of_rules()) == RULES.read_text().count("- alert:") > 10
    assert len(_of_dashboard()) > 20


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_asks_for_series_with_values_their_labels_have(text: str) -> None:
    found = list(_selectors(promql_parser.parse(text)))
    assert found
    for one in found:
        assert one.name
        for matcher in one.matchers.matchers:
            if matcher.name in LABELS and matcher.op == promql_parser.MatchOp.Equal:
                assert matcher.value in LABELS[matcher.name], text


def test_every_series_asked_for_is_on_the_page_and_every_figure_is_shown(served: Served) -> None:
    page = served.admin("GET", "/metrics").body.decode()
    families = list(text_string_to_metric_families(page))
    there = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    asked = {one.name for text in EXPRESSIONS for one in _selectors(promql_parser.parse(text))}
    assert asked - there - NOT_OURS == set()
    assert {name for name in there if name.startswith("haulage_")} - asked == set()


def test_panels_have_a_title_of_their_own_and_do_not_lie_on_each_other() -> None:
    panels = list(_panels())
    assert len({panel["title"] for panel in panels}) == len(panels) == len({panel["id"] for panel in panels})
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_rule_says_what_to_do() -> None:
    rules = RULES.read_text().split("- alert:")[1:]
    for rule in rules:
        assert all(word in rule for word in ("for:", "severity:", "summary:", "description:")), rule
