"""Status messages that say what a person asked for: one per operation, numbers 30000 to 30099, kept longer than others."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

PACKAGE_CREATED = Message(
    number=30000,
    name="package-created",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} created package {package} from {source}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. Publish it to make its first version.",
)
PACKAGE_CHANGED = Message(
    number=30001,
    name="package-changed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} changed package {package}: {what}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
PACKAGE_REMOVAL_ASKED = Message(
    number=30002,
    name="package-removal-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} removed package {package}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. It is dropped everywhere.",
)
PUBLISH_ASKED = Message(
    number=30003,
    name="publish-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to publish package {package}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. 2301, 2302 or 2304 follows.",
)
PACKAGE_ASSIGNED = Message(
    number=30004,
    name="package-assigned",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} assigned package {package} to {places}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
PACKAGE_UNASSIGNED = Message(
    number=30005,
    name="package-unassigned",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} withdrew package {package} from {places}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. It is removed there.",
)
ROLLBACK_ASKED = Message(
    number=30006,
    name="rollback-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} rolled package {package} back to version {version}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. 2309 follows.",
)
VERIFY_ASKED = Message(
    number=30007,
    name="verify-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to verify package {package} at {place}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. 2355, 2356 or 2357 follows.",
)
RETRY_ASKED = Message(
    number=30008,
    name="retry-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to try package {package} at {place} again now.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
CONTENT_EXTRACTED = Message(
    number=30009,
    name="content-extracted",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} extracted version {version} of package {package} to {target}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
POINT_ADDED = Message(
    number=30020,
    name="point-added",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} added point {place} at {url}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
POINT_REMOVED = Message(
    number=30021,
    name="point-removed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} removed point {place}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. What lies there is deleted first.",
)
GROUP_CHANGED = Message(
    number=30022,
    name="group-changed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} changed group {group}: {gained} places came, {lost} left; {packages} packages are assigned to it.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. Packages go to the places that came, and are removed from those that left.",
)
GROUP_REMOVED = Message(
    number=30023,
    name="group-removed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} removed group {group} with {places} places; {packages} packages were assigned to it.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. Packages stay where they are assigned otherwise, too.",
)
DECLARED_APPLIED = Message(
    number=30024,
    name="declared-applied",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} applied a file: {done} of {steps} differences were closed, {failed} failed.",
    cause="The named person or token asked for it. Each difference has a message of its own.",
    remedy="Nothing to do; what failed is tried again when the file is applied again.",
)
SITE_INVITATION_ASKED = Message(
    number=30030,
    name="site-invitation-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} invited site {child} below {parent}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
SITE_REMOVAL_ASKED = Message(
    number=30031,
    name="site-removal-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} removed site {child}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
STORE_SWEEP_ASKED = Message(
    number=30040,
    name="store-sweep-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked for a sweep of the store.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
STORE_CHECK_ASKED = Message(
    number=30041,
    name="store-check-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to read the whole store.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
RESTORE_DONE = Message(
    number=30042,
    name="restore-done",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} restored this site from the backup of {taken}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. 3308 and 3330 follow.",
)
BACKUP_ASKED = Message(
    number=30043,
    name="backup-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked for a backup of this site into {target}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)

MESSAGES = (
    PACKAGE_CREATED,
    PACKAGE_CHANGED,
    PACKAGE_REMOVAL_ASKED,
    PUBLISH_ASKED,
    PACKAGE_ASSIGNED,
    PACKAGE_UNASSIGNED,
    ROLLBACK_ASKED,
    VERIFY_ASKED,
    RETRY_ASKED,
    CONTENT_EXTRACTED,
    POINT_ADDED,
    POINT_REMOVED,
    GROUP_CHANGED,
    GROUP_REMOVED,
    DECLARED_APPLIED,
    SITE_INVITATION_ASKED,
    SITE_REMOVAL_ASKED,
    STORE_SWEEP_ASKED,
    STORE_CHECK_ASKED,
    RESTORE_DONE,
    BACKUP_ASKED,
)
