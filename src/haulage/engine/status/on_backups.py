"""Status messages about backups of this site and its restore from one (660 to 679)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

BACKUP_STARTED = Message(
    number=660,
    name="backup-started",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.SERVER,
    text="A backup of this site into {target} was started.",
    cause="Somebody asked for it, or the schedule came due.",
    remedy="Nothing to do. 661 or 662 follows.",
)
BACKUP_DONE = Message(
    number=661,
    name="backup-done",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The backup {path} is whole: {files} files, {bytes} bytes, proved by restoring its {rows} rows; {seconds} seconds.",
    cause="Everything was written, made durable, read again, and the database in it was opened and checked.",
    remedy="Keep a copy elsewhere. haulage backup check PATH looks at it again.",
)
BACKUP_FAILED = Message(
    number=662,
    name="backup-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.SERVER,
    text="The backup into {target} failed: {cause}.",
    cause="Nothing half-written is left there. Older backups are as they were.",
    remedy="Mend what the cause names. A scheduled backup is tried again within the hour.",
)
BACKUP_REMOVED = Message(
    number=663,
    name="backup-removed",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.SERVER,
    text="The old backup {path} of this site was removed; the {keep} newest are kept.",
    cause="There were more backups of this site than are to be kept.",
    remedy="Nothing to do. To keep more: --keep, or [backup] keep.",
)
CONTENT_ABSENT = Message(
    number=664,
    name="content-absent",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.STORE,
    text="After the restore the store holds {held} of {versions} versions; {list} are to be got again.",
    cause="The backup held no content, or older content than its database names.",
    remedy="Nothing to do: the parent, the children, the points and the sources of this site are asked. What none of them has is "
    "named by haulage store check.",
)

MESSAGES = (BACKUP_STARTED, BACKUP_DONE, BACKUP_FAILED, BACKUP_REMOVED, CONTENT_ABSENT)
