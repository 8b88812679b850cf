"""The states of a shipment, what each means, and which moves are allowed. Pure; docs/states.md is generated from it."""

from __future__ import annotations

import enum


class ShipmentState(enum.Enum):
    """Where one package stands at one place."""

    WAITING = "waiting"
    PLANNED = "planned"
    MOVING = "moving"
    VERIFYING = "verifying"
    PRESENT = "present"
    RETRYING = "retrying"
    FAILED = "failed"
    REMOVING = "removing"
    REMOVED = "removed"


class Reason(enum.Enum):
    """Why a shipment waits."""

    NONE = ""
    CONTENT = "content"
    DEFINITION = "definition"
    PARCEL = "parcel"
    SPACE = "space"
    PERSON = "person"
    HELD = "held"
    REPORT = "report"


class Word(enum.Enum):
    """What somebody said of a transfer, as long as it counts."""

    NONE = ""
    HELD = "held"
    CANCELLED = "cancelled"


MEANING: dict[ShipmentState, str] = {
    ShipmentState.WAITING: "Nothing is wrong, something is not there yet; the reason says what.",
    ShipmentState.PLANNED: "Wanted and possible; the work starts when its turn comes.",
    ShipmentState.MOVING: "Content is being received or written.",
    ShipmentState.VERIFYING: "Everything is there; every byte, stream and attribute is being read again.",
    ShipmentState.PRESENT: "The wanted version is there, verified and durable.",
    ShipmentState.RETRYING: "The last try failed for a cause that may pass; the next try has its own due time.",
    ShipmentState.FAILED: "The last try failed for a cause that trying again does not change; a person or a new version must.",
    ShipmentState.REMOVING: "The package is no longer wanted here and is being taken away.",
    ShipmentState.REMOVED: "Nothing of the package is here any more; that was looked at, not assumed.",
}

REASON_MEANING: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.CONTENT: "The site that feeds this place does not hold the version yet.",
    Reason.DEFINITION: "The signed description of the version has not arrived yet.",
    Reason.PARCEL: "The parent is building the parcel.",
    Reason.SPACE: "There is not enough free space; it goes on by itself when there is.",
    Reason.REPORT: "The site that acts for this place has not said yet that it knows of it; it may be away.",
    Reason.PERSON: "Somebody has to change something; it is looked at again now and then all the same.",
    Reason.HELD: "Somebody holds it until it is released; what has arrived is kept, what was there before stays in use.",
}

WORD_MEANING: dict[Word, str] = {
    Word.NONE: "",
    Word.HELD: "Nothing is brought here before somebody releases it, newer versions neither.",
    Word.CANCELLED: "The version that was wanted is not brought here, unless somebody has it tried again; a newer one is.",
}

_S = ShipmentState
ALLOWED: dict[ShipmentState, frozenset[ShipmentState]] = {
    _S.WAITING: frozenset({_S.PLANNED, _S.MOVING, _S.VERIFYING, _S.PRESENT, _S.RETRYING, _S.FAILED, _S.REMOVING}),
    _S.PLANNED: frozenset({_S.WAITING, _S.MOVING, _S.VERIFYING, _S.PRESENT, _S.RETRYING, _S.FAILED, _S.REMOVING}),
    _S.MOVING: frozenset({_S.WAITING, _S.PLANNED, _S.VERIFYING, _S.PRESENT, _S.RETRYING, _S.FAILED, _S.REMOVING}),
    _S.VERIFYING: frozenset({_S.WAITING, _S.PLANNED, _S.MOVING, _S.PRESENT, _S.RETRYING, _S.FAILED, _S.REMOVING}),
    _S.PRESENT: frozenset({_S.WAITING, _S.PLANNED, _S.MOVING, _S.VERIFYING, _S.RETRYING, _S.FAILED, _S.REMOVING}),
    _S.RETRYING: frozenset({_S.WAITING, _S.PLANNED, _S.MOVING, _S.VERIFYING, _S.PRESENT, _S.FAILED, _S.REMOVING}),
    _S.FAILED: frozenset({_S.WAITING, _S.PLANNED, _S.MOVING, _S.VERIFYING, _S.PRESENT, _S.RETRYING, _S.REMOVING}),
    _S.REMOVING: frozenset({_S.PLANNED, _S.REMOVED}),
    _S.REMOVED: frozenset({_S.PLANNED, _S.REMOVING}),
}


def may_move(before: ShipmentState, after: ShipmentState) -> bool:
    """Whether a shipment may go from one state to the other; staying is always allowed."""
    return before is after or after in ALLOWED[before]
