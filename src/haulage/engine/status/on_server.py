"""Status messages about one site's own machinery: server and jobs (500 to 549), store (640 to 659), database (600 to 614)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

SERVER_STARTED = Message(
    number=500,
    name="server-started",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The server of this site started, version {version}, at {url}.",
    cause="Somebody or the system started it.",
    remedy="Nothing to do.",
)
SERVER_STOPPED = Message(
    number=501,
    name="server-stopped",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The server of this site stops: {cause}.",
    cause="It was asked to. Running work is kept and goes on at the next start.",
    remedy="Nothing to do.",
)
SERVER_RECOVERED = Message(
    number=502,
    name="server-recovered",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The server of this site was not stopped orderly; {count} interrupted jobs were taken up again.",
    cause="The process was killed or the machine lost power.",
    remedy="Nothing to do. If it repeats, look at memory and power of the machine.",
)
JOB_DEFECT = Message(
    number=503,
    name="job-defect",
    severity=Severity.ERROR,
    type=MessageType.DETAIL,
    component=Component.SERVER,
    text="Job {job} ended by a defect in Haulage: {cause}.",
    cause="Haulage met something its authors did not think of. The duty behind the job is kept and tried again later.",
    remedy="Please report it with the log lines of that moment. Nothing else is stopped by it.",
)
CERTIFICATE_EXPIRES = Message(
    number=506,
    name="certificate-expires",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The TLS certificate of this site expires on {until}.",
    cause="It was issued when the site joined, for a limited time; this version does not renew it. A wrong clock looks the same.",
    remedy="Compare the clock. Otherwise invite the site again in good time; the article HLG506 tells how and what it costs.",
)
DATABASE_UPGRADED = Message(
    number=600,
    name="database-upgraded",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The database was brought from schema {old} to {new}.",
    cause="A newer Haulage was started on it.",
    remedy="Nothing to do. An older Haulage refuses this database now.",
)
DATABASE_DAMAGED = Message(
    number=602,
    name="database-damaged",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The database is damaged: {cause}.",
    cause="The disk or the machine changed what was written.",
    remedy="Stop the server, move its home away, and: haulage restore BACKUP --home DIR",
)
DISK_FULL = Message(
    number=640,
    name="disk-full",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="The disk under {path} is full: {needed} bytes are needed, {free} are free; work that needs it waits.",
    cause="Less space is free than the next step needs. Nothing half-written is kept.",
    remedy="Free some space; everything goes on by itself.",
)
STORE_DAMAGE_FOUND = Message(
    number=641,
    name="store-damage-found",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="The store is damaged in {count} places, first {first}: {cause}.",
    cause="The disk returned other bytes than were written. Damaged content is never handed out.",
    remedy="It is fetched again by itself where another site holds it. Check the disk.",
)
STORE_HEALED = Message(
    number=642,
    name="store-healed",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="{count} damaged chunks of the store were replaced by good ones from {other}.",
    cause="Another site held the right bytes.",
    remedy="Nothing to do.",
)
STORE_SWEEP_FINISHED = Message(
    number=643,
    name="store-sweep-finished",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.STORE,
    text="The sweep gave back {bytes} bytes in {chunks} chunks; {kept} chunks are in use.",
    cause="Versions that nobody needs any more were removed.",
    remedy="Nothing to do.",
)
STORE_SWEEP_REFUSED = Message(
    number=644,
    name="store-sweep-refused",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="The sweep removed nothing: {cause}.",
    cause="Not every needed version could be listed, and what is not surely free is kept.",
    remedy="Mend what the cause names; the next sweep goes on.",
)
STORE_CHECK_FINISHED = Message(
    number=645,
    name="store-check-finished",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="The store was read whole: {chunks} chunks, {bytes} bytes, {damages} damages.",
    cause="Somebody asked, or the scrub came due.",
    remedy="Nothing if there are no damages; otherwise see 641.",
)
SCRUB_LATE = Message(
    number=646,
    name="scrub-late",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.STORE,
    text="The store was last read whole {days} days ago.",
    cause="The scrub was interrupted each time or the disk is too slow for its period.",
    remedy="Let it run: haulage store check",
)
STORE_DAMAGE_REMAINS = Message(
    number=647,
    name="store-damage-remains",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="{count} damaged chunks of the store could not be replaced; they belong to {versions}, first {first}.",
    cause="Neither the parent nor a point or source of this site holds the right bytes now. Children that should were asked.",
    remedy="It is tried again by itself. To help: let the neighbours be reached, or haulage package publish ID --full at the "
    "owner while the source is still the same.",
)

MESSAGES = (
    SERVER_STARTED,
    SERVER_STOPPED,
    SERVER_RECOVERED,
    JOB_DEFECT,
    CERTIFICATE_EXPIRES,
    DATABASE_UPGRADED,
    DATABASE_DAMAGED,
    DISK_FULL,
    STORE_DAMAGE_FOUND,
    STORE_HEALED,
    STORE_SWEEP_FINISHED,
    STORE_SWEEP_REFUSED,
    STORE_CHECK_FINISHED,
    SCRUB_LATE,
    STORE_DAMAGE_REMAINS,
)
