"""Status messages about fixes (720 to 739), and what a person asked for (30070 to 30079)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

FIX_KNOWN = Message(
    number=720,
    name="fix-known",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.FIXES,
    text="Fix {fix} ({title}) is known here; package {package} brings its bundle of {bytes} bytes, signed by {signer}.",
    cause="A bundle was imported, and everything in it proved to be what its signature says.",
    remedy="Nothing to do. haulage package assign {package} --to PLACE brings it where it is needed.",
)
FIX_SUPERSEDED = Message(
    number=721,
    name="fix-superseded",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.FIXES,
    text="Fix {fix} replaces {replaced}, known here already.",
    cause="The new fix supersedes them or contains them.",
    remedy="Nothing to do. Install {fix}; those it replaces are not needed beside it.",
)
FIX_IMPORTED = Message(
    number=30070,
    name="fix-import-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} imported the bundle of fix {fix} as {package}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. 720 says what is known of it; the package is captured next.",
)
FIX_CONFIRMED = Message(
    number=30071,
    name="fix-confirmed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} confirmed what article {article} says of fix {fix}: supersedes {supersedes}; contains {contains}; "
    "requires {requires}.",
    cause="The named person or token read the article's sentences and agreed.",
    remedy="Nothing to do. It has no bundle until one is imported.",
)
FIX_REMOVED = Message(
    number=30072,
    name="fix-removed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} removed fix {fix} from what is known here.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. Its package, if it has one, stays until it is removed; machines keep what they have installed.",
)
FIX_ASSESSED = Message(
    number=30073,
    name="fix-assessed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} had {root} ({product} {version}) held against {fixes} fixes: {applicable} are missing there.",
    cause="The named person or token asked for it. Nothing was changed there.",
    remedy="Nothing to do. haulage fix assessments shows what is missing and why.",
)

MESSAGES = (FIX_KNOWN, FIX_SUPERSEDED, FIX_IMPORTED, FIX_CONFIRMED, FIX_REMOVED, FIX_ASSESSED)
