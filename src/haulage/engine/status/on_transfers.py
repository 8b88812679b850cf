"""Status messages about what people say of transfers: what they asked for (30010 to 30019), and what was done (3512 to 3519)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

TRANSFER_HELD = Message(
    number=3512,
    name="transfer-held",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Version {version} of package {package} is held before {place} by {by}; {bytes_done} of {bytes_planned} bytes are there.",
    cause="Somebody asked for it. What has arrived is kept, and what was there before stays in use.",
    remedy="When it may go on: haulage transfer release",
)
TRANSFER_RELEASED = Message(
    number=3513,
    name="transfer-released",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Bringing version {version} of package {package} to {place} goes on, released by {by}.",
    cause="Somebody asked for it. Only what has not arrived yet crosses the line.",
    remedy="Nothing to do.",
)
TRANSFER_CANCELLED = Message(
    number=3514,
    name="transfer-cancelled",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Bringing version {version} of package {package} to {place} was cancelled by {by}.",
    cause="Somebody asked for it. What was there before stays in use; what had arrived is given up.",
    remedy="Nothing to do. A newer version comes by itself, this one with: haulage package retry",
)
HOLD_ASKED = Message(
    number=30010,
    name="hold-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to hold {count} transfers: {what}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. They wait until somebody releases them.",
)
RELEASE_ASKED = Message(
    number=30011,
    name="release-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to release {count} transfers: {what}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
CANCEL_ASKED = Message(
    number=30012,
    name="cancel-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to cancel {count} transfers: {what}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. What is present at the places stays there.",
)

MANY_ASKED = Message(
    number=30013,
    name="many-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to {action} {count} packages: {what}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. Each place tells what became of it.",
)

MESSAGES = (TRANSFER_HELD, TRANSFER_RELEASED, TRANSFER_CANCELLED, HOLD_ASKED, RELEASE_ASKED, CANCEL_ASKED, MANY_ASKED)
