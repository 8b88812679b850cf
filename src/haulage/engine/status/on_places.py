"""Status messages about content on its way and at places: transfers (3500 to 3549) and distribution points (2350 to 2399). 3500
means what it meant in SMS 2.0."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

POINT_UPDATE_STARTED = Message(
    number=2350,
    name="point-update-started",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Version {version} of package {package} is being put on {place}.",
    cause="The point is wanted to hold this version and does not yet.",
    remedy="Nothing to do. It ends with 2351, 2328 or 2352.",
)
PRESENT_AT_POINT = Message(
    number=2351,
    name="present-at-point",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text=(
        "Version {version} of package {package} is present on {place}: {files} files, {bytes} bytes, {streams} named "
        "streams, verified."
    ),
    cause="Every byte was written, read back and switched into service at once.",
    remedy="Nothing to do.",
)
POINT_WAITS_FOR_PERSON = Message(
    number=2352,
    name="point-waits-for-person",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Putting version {version} of package {package} on {place} waits for a person: {cause} [{code}].",
    cause="Trying again would not help: the point refuses what it is asked to hold, or must be set right first.",
    remedy="Do what the cause asks for, then: haulage point verify {place} --repair",
)
POINT_RETRY_PLANNED = Message(
    number=2353,
    name="point-retry-planned",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.POINTS,
    text="Try {tries} of version {version} of package {package} on {place} failed; the next is at {due}.",
    cause="The cause may pass by itself. Only this point is tried again; nothing else is sent, to anybody.",
    remedy="Nothing, unless it goes on; then see 2328 for the cause.",
)
SIDECAR_USED = Message(
    number=2354,
    name="sidecar-used",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.POINTS,
    text=(
        "{place} could not keep {count} items of version {version} of package {package} by itself; the sidecar holds "
        "them, first {first}."
    ),
    cause=(
        "The file system of the point lacks streams, attributes, owners or such names. They were written beside the tree, not lost."
    ),
    remedy=(
        "Nothing if Haulage or its agents read the point. Plain copies made from it lack these items: use a point that "
        "can hold them."
    ),
)
VERIFY_SUCCEEDED = Message(
    number=2355,
    name="verify-succeeded",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text=(
        "Package {package} version {version} on {place} was verified: {files} files, {bytes} bytes, {streams} named "
        "streams, all as published."
    ),
    cause="Somebody asked, or the check by schedule came due; every byte was read again.",
    remedy="Nothing to do.",
)
VERIFY_FAILED = Message(
    number=2356,
    name="verify-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Package {package} version {version} on {place} is damaged: {count} differences, first {first}.",
    cause="Something other than Haulage changed the point, or its disk returns other bytes than were written.",
    remedy=(
        "Repair it: haulage package verify {package} --at {place} --repair. If it happens again, check the disk and "
        "who may write there."
    ),
)
POINT_REPAIRED = Message(
    number=2357,
    name="point-repaired",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Package {package} version {version} on {place} was repaired: {count} items were written again and verified.",
    cause="Damage was found, and the site's own store held the right bytes.",
    remedy="Nothing to do. Find out what changed the point if this repeats.",
)
REMOVAL_STARTED = Message(
    number=2358,
    name="removal-started",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Package {package} is being removed from {place}.",
    cause="It is no longer assigned to this place, or the package or the place was removed.",
    remedy="Nothing to do. It ends with 2359 or 2360.",
)
REMOVED_FROM_PLACE = Message(
    number=2359,
    name="removed-from-place",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Package {package} was removed from {place}.",
    cause="The place holds nothing of it any more.",
    remedy="Nothing to do.",
)
REMOVAL_FAILED = Message(
    number=2360,
    name="removal-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Package {package} could not be removed from {place}, try {tries}: {cause} [{code}].",
    cause="The point could not be reached or a file there is open.",
    remedy="It is tried again by itself. If the point is gone for ever: haulage point remove {place}",
)
FOREIGN_CONTENT = Message(
    number=2362,
    name="foreign-content",
    severity=Severity.ERROR,
    type=MessageType.DETAIL,
    component=Component.POINTS,
    text="{place} holds {path}, which Haulage did not put there; it is left as it is.",
    cause="Somebody stored files in the place of a package.",
    remedy="Move them away; the update is then tried again by itself.",
)
DEFINITION_REFUSED_AT_POINT = Message(
    number=2364,
    name="definition-refused-at-point",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Site {site} refused the point {place} that was defined for it: {cause} [{code}].",
    cause="The site it should be made at does not allow this folder or address.",
    remedy="Choose a folder that the site allows, or allow it in its haulage.toml.",
)
TRANSFER_FAILED = Message(
    number=3500,
    name="transfer-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Version {version} of package {package} could not be brought to {place}, try {tries}: {cause} [{code}].",
    cause="The parent site could not be reached, or the connection broke. What arrived is kept.",
    remedy="It goes on by itself where it stopped. If it lasts: haulage explain {package} --at {place}",
)
TRANSFER_STARTED = Message(
    number=3501,
    name="transfer-started",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text=(
        "Version {version} of package {package} is coming to {place} from {parent}: {bytes_new} of {bytes_total} bytes "
        "have to cross."
    ),
    cause="The site lacks this version; the rest is already here.",
    remedy="Nothing to do.",
)
TRANSFER_FINISHED = Message(
    number=3502,
    name="transfer-finished",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text=(
        "Version {version} of package {package} arrived at {place}: {bytes_wire} bytes crossed, {bytes_reused} of "
        "{bytes_total} were here already."
    ),
    cause="Every part was verified before it was kept.",
    remedy="Nothing to do.",
)
PRESENT_AT_SITE = Message(
    number=3503,
    name="present-at-site",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Version {version} of package {package} is present at {place}, verified.",
    cause="The site holds all of it and can serve it.",
    remedy="Nothing to do.",
)
CONTENT_WAITING = Message(
    number=3504,
    name="content-waiting",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.TRANSIT,
    text="Version {version} of package {package} is wanted at {place}; its content waits for {reason}.",
    cause="The definition came before the content, or the place waits for space, a window or its parent.",
    remedy="Nothing to do; it goes on by itself as soon as that is there.",
)
TRANSFER_RESUMED = Message(
    number=3505,
    name="transfer-resumed",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.TRANSIT,
    text="The transfer of version {version} of package {package} to {place} goes on at {bytes_done} of {bytes_planned} bytes.",
    cause="It was interrupted; what had arrived was kept.",
    remedy="Nothing to do.",
)
TRANSFER_SUPERSEDED = Message(
    number=3506,
    name="transfer-superseded",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="The transfer of version {version} of package {package} to {place} was ended: version {newer} is wanted now.",
    cause="A newer version was published meanwhile. What arrived is used again where it fits.",
    remedy="Nothing to do.",
)
BATCH_DAMAGED = Message(
    number=3507,
    name="batch-damaged",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.TRANSIT,
    text="A part of version {version} of package {package} arrived damaged at {place} and is fetched again: {cause}.",
    cause="Something on the way changed bytes: a proxy, a broken line, or a disk at the sender.",
    remedy="Nothing if it is rare. If it repeats, check the parent's store: haulage store check",
)
SIGNATURE_REFUSED = Message(
    number=3508,
    name="signature-refused",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Version {version} of package {package} was refused at {place}: {cause} [{code}].",
    cause="The signed statement of the owning site does not fit what was offered. Nothing of it is used.",
    remedy="Publish again at the owning site. If it repeats, find out which site in between sends it.",
)
REMOVED_FROM_SITE = Message(
    number=3509,
    name="removed-from-site",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Package {package} was removed from the store of {place}.",
    cause="It is no longer wanted here; its space is given back by the next sweep.",
    remedy="Nothing to do.",
)
SPACE_MISSING = Message(
    number=3510,
    name="space-missing",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="{place} waits with version {version} of package {package}: {bytes_needed} bytes are needed, {bytes_free} are free.",
    cause="Space is looked at before the first byte is fetched.",
    remedy="Free some space, or remove packages from this site; it then goes on by itself.",
)
TRANSFER_WAITS_FOR_PERSON = Message(
    number=3511,
    name="transfer-waits-for-person",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Bringing version {version} of package {package} to {place} waits for a person: {cause} [{code}].",
    cause="Trying again would not help.",
    remedy="Do what the cause asks for; it is tried again when something changes, or by hand.",
)

MESSAGES = (
    POINT_UPDATE_STARTED,
    PRESENT_AT_POINT,
    POINT_WAITS_FOR_PERSON,
    POINT_RETRY_PLANNED,
    SIDECAR_USED,
    VERIFY_SUCCEEDED,
    VERIFY_FAILED,
    POINT_REPAIRED,
    REMOVAL_STARTED,
    REMOVED_FROM_PLACE,
    REMOVAL_FAILED,
    FOREIGN_CONTENT,
    DEFINITION_REFUSED_AT_POINT,
    TRANSFER_FAILED,
    TRANSFER_STARTED,
    TRANSFER_FINISHED,
    PRESENT_AT_SITE,
    CONTENT_WAITING,
    TRANSFER_RESUMED,
    TRANSFER_SUPERSEDED,
    BATCH_DAMAGED,
    SIGNATURE_REFUSED,
    REMOVED_FROM_SITE,
    SPACE_MISSING,
    TRANSFER_WAITS_FOR_PERSON,
)
