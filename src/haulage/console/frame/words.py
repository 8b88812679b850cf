"""Words and signs for states, reasons and severities: the same on every page, and never by colour alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sign:
    """How a value is shown: a sign, words, and the tone it is drawn in (good, bad, warm, busy, calm)."""

    sign: str
    words: str
    tone: str


STATE_SIGNS: dict[str, Sign] = {
    "present": Sign("✓", "present", "good"),
    "moving": Sign("⇣", "moving", "busy"),
    "verifying": Sign("⌕", "verifying", "busy"),
    "planned": Sign("·", "planned", "calm"),
    "waiting": Sign("◷", "waiting", "calm"),
    "held": Sign("‖", "held", "warm"),
    "late": Sign("◔", "late", "warm"),
    "retrying": Sign("↻", "retrying", "warm"),
    "failed": Sign("✕", "failed", "bad"),
    "removing": Sign("−", "removing", "calm"),
    "removed": Sign("−", "removed", "calm"),
    "none": Sign(" ", "not meant for it", "none"),
}
"""By the value of a shipment's state; ``held`` and ``late`` are told by reason and due time."""

SEVERITY_SIGNS: dict[str, Sign] = {
    "information": Sign("i", "information", "calm"),
    "warning": Sign("!", "warning", "warm"),
    "error": Sign("✕", "error", "bad"),
}

REASON_SIGNS: dict[str, Sign] = {
    "held": STATE_SIGNS["held"],
    "person": Sign("!", "waiting", "warm"),
    "space": Sign("▢", "waiting", "warm"),
    "report": Sign("…", "waiting", "calm"),
}
"""Of what waits for something that is not simply on its way."""

REASON_WORDS: dict[str, str] = {
    "": "",
    "content": "for content",
    "definition": "for its description",
    "parcel": "for its parcel",
    "space": "for space",
    "person": "for a person",
    "report": "for a report",
    "held": "held",
}

HEALTH_SIGNS: dict[str, Sign] = {
    "well": Sign("✓", "well", "good"),
    "busy": Sign("⇣", "busy", "busy"),
    "late": Sign("◔", "late", "warm"),
    "away": Sign("◌", "away", "warm"),
    "stuck": Sign("!", "stuck", "bad"),
    "failed": Sign("✕", "failed", "bad"),
    "invited": Sign("…", "invited", "calm"),
    "unknown": Sign("?", "unknown", "calm"),
}
"""Of a site or a point."""


def state_sign(state: str, reason: str = "") -> Sign:
    """Of a shipment."""
    return REASON_SIGNS.get(reason) or STATE_SIGNS.get(state, Sign("?", state, "calm"))


WORDS = {
    "state_sign": state_sign,
    "severity_sign": lambda name: SEVERITY_SIGNS.get(name, Sign("?", name, "calm")),
    "health_sign": lambda name: HEALTH_SIGNS.get(name, Sign("?", name, "calm")),
    "reason_words": lambda name: REASON_WORDS.get(name, name),
    "STATES": tuple(STATE_SIGNS),
}
"""What templates call."""
