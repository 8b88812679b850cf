"""Which transfers somebody wants to see: a filter, and the order of a list. Pure."""

from __future__ import annotations

import msgspec

from haulage.base.errors import UsageError
from haulage.domain.transit.states import Reason, ShipmentState

ORDER = (
    ShipmentState.MOVING,
    ShipmentState.VERIFYING,
    ShipmentState.FAILED,
    ShipmentState.RETRYING,
    ShipmentState.WAITING,
    ShipmentState.PLANNED,
    ShipmentState.REMOVING,
    ShipmentState.PRESENT,
    ShipmentState.REMOVED,
)
"""States in the order of a list: what moves first, what is done last."""
SETTLED = (ShipmentState.PRESENT, ShipmentState.REMOVED)
STATES = ("open", "all", "held", "cancelled", "late", "asked", *(state.value for state in ORDER))
"""What a list may be narrowed to."""
REASONS = tuple(reason.value for reason in Reason)
"""Why those that wait do; empty: whyever."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which transfers. Empty means any; ``state`` is one of :data:`STATES`, ``reason`` of :data:`REASONS`; ``site``: its store and
    its points. Those that are held are not among those that wait: nothing is missing for them."""

    package: str = ""
    site: str = ""
    place: str = ""
    state: str = "open"
    reason: str = ""

    @property
    def words(self) -> str:
        """In words, as after "transfers"."""
        said = "" if self.state in ("all", "") else {"open": "not done yet"}.get(self.state, self.state)
        parts = [said, f"for {self.reason}" if self.reason else "", f"of {self.package}" if self.package else ""]
        parts += [f"at {self.place}" if self.place else f"to {self.site} and its points" if self.site else ""]
        return " ".join(part for part in parts if part) or "all of them"


def check(wanted: Wanted) -> None:
    """Raises UsageError ``bad-state``, ``bad-reason``."""
    if wanted.state not in STATES:
        raise UsageError("bad-state", f"{wanted.state[:40]!r} is no state of transfers.", f"One of: {', '.join(STATES)}.")
    if wanted.reason not in REASONS:
        words = ", ".join(REASONS[1:])
        raise UsageError("bad-reason", f"{wanted.reason[:40]!r} is no reason why a transfer waits.", f"One of: {words}.")


def may_hold(wanted: Wanted, state: ShipmentState) -> bool:
    """Whether a filter leaves any of a state."""
    if wanted.state in ("open", "late"):
        return state not in SETTLED
    return wanted.state in ("all", "held", "cancelled", "asked", state.value)
