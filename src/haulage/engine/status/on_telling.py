"""Status messages about telling others: webhooks and mails (520 to 529)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

NOTIFIER_FAILS = Message(
    number=520,
    name="notifier-fails",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="Receiver {notifier} cannot be told of status messages: {cause}. {outlook}.",
    cause="The receiver of a webhook or a mail server does not answer, refuses what it is given, or its secret cannot be read.",
    remedy="Ask the receiver with `haulage notify test {notifier}`; the article HLG520 goes through what it may answer.",
)
NOTIFIER_WORKS = Message(
    number=521,
    name="notifier-works",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="Receiver {notifier} is told of status messages again, after {tries} tries that failed.",
    cause="The receiver answers again. What had waited is told in its order.",
    remedy="Nothing to do.",
)
NOTIFIER_SKIPPED = Message(
    number=522,
    name="notifier-skipped",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="Receiver {notifier} will not be told of {count} status messages of before {until}: they, or too many, waited too long.",
    cause="The receiver could not be reached for longer than `[notify] keep_days`, or more than `[notify] keep_messages` waited.",
    remedy="Look with `haulage status list --until {until}`, and at the article HLG520 for why a receiver cannot be reached.",
)
NOTIFIER_TESTED = Message(
    number=30090,
    name="notifier-tested",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} sent this test to receiver {notifier}.",
    cause="Somebody wants to know whether the receiver is told.",
    remedy="Nothing to do: that it arrived is the answer.",
)

ABOUT_TELLING = (NOTIFIER_FAILS, NOTIFIER_WORKS, NOTIFIER_SKIPPED)
"""What a notifier never tells about itself: its own trouble would give it more to tell for ever."""

MESSAGES = (*ABOUT_TELLING, NOTIFIER_TESTED)
