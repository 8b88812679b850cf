"""Status messages about packages: capture, versions, assignments. Numbers 2300 to 2349, of which 2302, 2321, 2328 and 2339 mean
what they meant in SMS 2.0."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

CAPTURE_STARTED = Message(
    number=2300,
    name="capture-started",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.CATALOG,
    text="Capture of package {package} from {source} started.",
    cause="Somebody published the package, or its refresh schedule came due. The source is read, never written.",
    remedy="Nothing to do. The capture ends with 2301, 2302 or 2304.",
)
VERSION_PUBLISHED = Message(
    number=2301,
    name="version-published",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.CATALOG,
    text=(
        "Version {version} of package {package} was published: {files} files, {bytes} bytes, {streams} named streams, "
        "{new_bytes} bytes new."
    ),
    cause="The source differed from the newest version, was captured whole, and the new version is signed.",
    remedy="Nothing to do. It is carried to every place the package is assigned to.",
)
CAPTURE_FAILED = Message(
    number=2302,
    name="capture-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.CATALOG,
    text="Package {package} could not be captured: {cause} (path {path}, stream {stream}) [{code}].",
    cause=(
        "Something in the source could not be read whole, or changed each time it was read. No version was made; the "
        "version before stays in service."
    ),
    remedy="Make the named path readable and quiet (close the program that writes it), then publish again.",
)
CAPTURE_RETRIED = Message(
    number=2303,
    name="capture-retried",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.CATALOG,
    text="The source of package {package} changed while it was read; version {version} is what try {tries} found.",
    cause="A program writes into the source folder during the capture.",
    remedy="Nothing, if the version is what was meant. Otherwise publish again at a quieter time, or from a copy.",
)
UNCHANGED = Message(
    number=2304,
    name="unchanged",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.CATALOG,
    text="Package {package} is unchanged since version {version}; nothing was published.",
    cause="Every file, stream, attribute and time of the source equals the newest version.",
    remedy=(
        "Nothing to do: no job ran and no byte was sent. If you expected a change, check that the source is the folder you edited."
    ),
)
STREAMS_DROPPED = Message(
    number=2305,
    name="streams-dropped",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.CATALOG,
    text="{count} named streams were left out of version {version} of package {package} by its stream policy, first {first}.",
    cause="The package says which streams to drop, and the source has some that match.",
    remedy="Nothing if that is meant. Otherwise make the package anew with --streams keep: its policy is fixed when it is made.",
)
SPECIAL_BITS_DROPPED = Message(
    number=2306,
    name="special-bits-dropped",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.CATALOG,
    text="{count} files of version {version} of package {package} lost their set-uid, set-gid or sticky bits, first {first}.",
    cause="Those bits would give rights on the machines the files land on; they are dropped unless the package keeps them.",
    remedy="Nothing if that is meant. Otherwise make the package anew with --keep-special-bits.",
)
SOURCE_OVERLAP = Message(
    number=2307,
    name="source-overlap",
    severity=Severity.ERROR,
    type=MessageType.DETAIL,
    component=Component.CATALOG,
    text="The source {source} of package {package} was refused: it overlaps {other}.",
    cause="A source that contains, equals or lies in the store, a point or a backup would be captured into itself or overwritten.",
    remedy="Choose a source folder outside of Haulage's home and of every point.",
)
SUSPICIOUS_NAMES = Message(
    number=2308,
    name="suspicious-names",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.CATALOG,
    text=(
        "{count} names in version {version} of package {package} look like something else or hold invisible "
        "characters, first {first}."
    ),
    cause="Names with direction marks, control characters or zero width can deceive the reader of a list.",
    remedy="They are carried byte-exact and shown escaped. Look at them in the source, and rename them if they were not meant.",
)
VERSION_ROLLED_BACK = Message(
    number=2309,
    name="version-rolled-back",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.CATALOG,
    text="Version {version} of package {package} was published with the content of version {old}; no byte is new.",
    cause="Somebody rolled the package back. Versions only rise, so old content gets a new number.",
    remedy="Nothing to do.",
)
PACKAGE_REMOVED = Message(
    number=2310,
    name="package-removed",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.CATALOG,
    text="Package {package} was removed; every place that holds it drops it.",
    cause="A signed removal of the package reached this site. It stays on record until every site has acknowledged it.",
    remedy="Nothing to do. Sites that are away drop the package when they come back.",
)
UNPACK_FAILED = Message(
    number=2321,
    name="unpack-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.TRANSIT,
    text="Content of version {version} of package {package} could not be taken into the store of {place}: {cause} [{code}].",
    cause="What arrived was damaged on the way, or the store could not write it. Nothing unverified was kept.",
    remedy="It is tried again by itself. If the cause is the disk, free some space or repair it.",
)
POINT_COPY_FAILED = Message(
    number=2328,
    name="point-copy-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.POINTS,
    text="Version {version} of package {package} could not be put on {place}, try {tries}: {cause} [{code}].",
    cause="The point could not be written. The version before stays in service there; no other place is touched by this.",
    remedy=(
        "See that the point is reachable, writable and has room. The next try and its time: haulage explain {package} --at {place}"
    ),
)
CHILD_TOLD = Message(
    number=2339,
    name="child-told",
    severity=Severity.INFORMATION,
    type=MessageType.DETAIL,
    component=Component.REPLICATION,
    text="Site {child} was told revision {revision} of package {package}.",
    cause="The definition of the package changed, and that site or one below it needs it. Said once per change, never for a retry.",
    remedy="Nothing to do.",
)

MESSAGES = (
    CAPTURE_STARTED,
    VERSION_PUBLISHED,
    CAPTURE_FAILED,
    CAPTURE_RETRIED,
    UNCHANGED,
    STREAMS_DROPPED,
    SPECIAL_BITS_DROPPED,
    SOURCE_OVERLAP,
    SUSPICIOUS_NAMES,
    VERSION_ROLLED_BACK,
    PACKAGE_REMOVED,
    UNPACK_FAILED,
    POINT_COPY_FAILED,
    CHILD_TOLD,
)
