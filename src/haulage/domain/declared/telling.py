"""Steps and what came of them, for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.domain.declared.comparing import Comparison
from haulage.domain.declared.cost import Cost
from haulage.domain.declared.model import Act, Step
from haulage.domain.declared.naming import groups_and_places

View = dict[str, object]
PLACES_SHOWN = 200
"""Of each step; the others are counted."""
PLACES_TOLD = 8
"""In a sentence."""


def sentence(step: Step) -> str:
    """What a step does, in words."""
    name = f"{step.name} ({step.package})" if step.package else step.name
    to = _some(step)
    if step.act is Act.INVITE_SITE:
        return f"let site {step.name} in below {step.site.parent if step.site else '?'}"
    if step.act is Act.CHANGE_PACKAGE:
        was = dict(step.was)
        return f"change {name}: " + ", ".join(f"{word} from {was.get(word)} to {value}" for word, value in step.changes)
    said = dict(step.changes)
    words: dict[Act, str] = {
        Act.ADD_POINT: f"define point {step.name} at {step.url}",
        Act.FILL_GROUP: f"let {to or 'no place yet'} into group {step.name}",
        Act.CREATE_PACKAGE: f"make package {step.name} from {said.get('source', '?')}" + (f", for {to}" if to else ""),
        Act.ASSIGN: f"assign {name} to {to}",
        Act.UNASSIGN: f"withdraw {name} from {to}",
        Act.DROP_FROM_GROUP: f"take {to} out of group {step.name}",
        Act.REMOVE_GROUP: f"remove group {step.name}",
        Act.REMOVE_POINT: f"withdraw point {step.name}",
        Act.REMOVE_PACKAGE: f"delete package {name} everywhere",
        Act.PUBLISH: f"capture {name}",
    }
    return words[step.act]


def step_view(number: int, step: Step) -> View:
    """One step."""
    return {
        "number": number,
        "act": step.act.value,
        "name": step.name,
        "package": step.package,
        "sentence": sentence(step),
        "standing": step.standing.value,
        "why": step.why,
        "places": list(step.places[:PLACES_SHOWN]),
        "groups": [f"@{group}" for group in step.groups],
        "gained": step.gained,
        "lost": step.lost,
    }


def comparison_view(comparison: Comparison, costs: Sequence[Cost]) -> View:
    """A whole comparison."""
    steps = [
        step_view(number, step)
        | {"bytes_wire": cost.bytes_wire, "at_most": cost.at_most, "unknown": cost.unknown, "costs": list(cost.rows)}
        for number, (step, cost) in enumerate(zip(comparison.steps, costs, strict=True), 1)
    ]
    return {
        "id": comparison.digest,
        "differs": bool(comparison.steps),
        "steps": steps,
        "ready": len(comparison.ready),
        "gained": sum(step.gained for step in comparison.steps),
        "lost": sum(step.lost for step in comparison.steps),
        "bytes_wire": sum(cost.bytes_wire for cost in costs),
        "at_most": any(cost.at_most for cost in costs),
        "unknown": sum(cost.unknown for cost in costs),
        "kept": comparison.kept,
        "removals": comparison.removals,
        "must_allow": comparison.must_allow,
    }


def _some(step: Step) -> str:
    places = step.places[:PLACES_TOLD]
    more = len(step.places) - len(places)
    return groups_and_places(step.groups, places) + (f" and {more} more" if more else "")
