"""Status messages about sites and what travels between them: membership (3300 to 3329) and hop streams (3330 to 3359)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

SITE_INVITED = Message(
    number=3300,
    name="site-invited",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="Site {child} was invited below {parent}; the join string is valid until {until}.",
    cause="Somebody asked for a new site.",
    remedy="Run the join string at the new site before it expires; it works once.",
)
SITE_JOINED = Message(
    number=3301,
    name="site-joined",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="Site {child} joined below {parent}.",
    cause="Its join string was genuine and unused, and its key is now on record.",
    remedy="Nothing to do.",
)
JOIN_REFUSED = Message(
    number=3302,
    name="join-refused",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="An attempt to join as site {child} was refused: {cause} [{code}].",
    cause="The join string was used before, expired, or belongs to another site.",
    remedy="If it was you, invite the site again. If not, somebody holds an old join string.",
)
SITE_REMOVED = Message(
    number=3303,
    name="site-removed",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="Site {child} was removed from the hierarchy.",
    cause="Somebody removed it. Its keys count no more; other sites are untouched.",
    remedy="Switch off its server. Content on its disks stays until it is deleted there.",
)
SITE_AWAY = Message(
    number=3304,
    name="site-away",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="Site {child} has not been heard since {since}.",
    cause="Its server, its line or its machine is down. It goes on serving its own clients.",
    remedy="Nothing if that is expected. It catches up by itself when it is back.",
)
SITE_BACK = Message(
    number=3305,
    name="site-back",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="Site {child} is back after {away_seconds} seconds.",
    cause="It was away and connected again.",
    remedy="Nothing to do.",
)
PARENT_AWAY = Message(
    number=3306,
    name="parent-away",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="The parent site {parent} cannot be reached since {since}: {cause}.",
    cause="This site goes on with what it holds and keeps its messages until the parent is back.",
    remedy="Check the line to the parent and its server.",
)
PARENT_BACK = Message(
    number=3307,
    name="parent-back",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="The parent site {parent} can be reached again after {away_seconds} seconds.",
    cause="The connection stands again.",
    remedy="Nothing to do.",
)
EPOCH_RAISED = Message(
    number=3308,
    name="epoch-raised",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="The epoch of this site was raised to {new_epoch}: {cause}.",
    cause="The site was restored from a backup, or a neighbour remembers more of it than it does itself.",
    remedy="Nothing to do: the neighbours send again what is missing. If nobody restored it, check the disk of site.db.",
)
SITE_RUNS_TWICE = Message(
    number=3310,
    name="site-runs-twice",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="Two servers seem to act as this site: site {other} remembers what this one never said, for the {rises}th time this hour.",
    cause="A copy of the home runs beside the one it was made from, or a restored site beside the old one.",
    remedy="Stop the server that should not run; the other one goes on by itself, at once if it is started anew.",
)
CLOCK_DIFFERS = Message(
    number=3309,
    name="clock-differs",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.ESTATE,
    text="The clock of site {other} differs from this one by {seconds} seconds.",
    cause="One of the two clocks is wrong. Order never depends on them, but due times and validity do.",
    remedy="Set up time synchronisation at the site that is wrong.",
)
RESYNC_STARTED = Message(
    number=3330,
    name="resync-started",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.REPLICATION,
    text="Resynchronisation with site {other} started: {cause}.",
    cause="One side was restored, or lost its place in the stream; the full present state is exchanged.",
    remedy="Nothing to do.",
)
ENVELOPE_REFUSED = Message(
    number=3332,
    name="envelope-refused",
    severity=Severity.ERROR,
    type=MessageType.DETAIL,
    component=Component.REPLICATION,
    text="A message from site {other} was refused: {cause} [{code}].",
    cause="It was altered, is not signed by that site, or claims what that site has no right to. Nothing of it was used.",
    remedy="If it repeats, check that the key on record is that of the site; otherwise somebody tampers with the line.",
)
DEFINITION_REFUSED = Message(
    number=3334,
    name="definition-refused",
    severity=Severity.ERROR,
    type=MessageType.DETAIL,
    component=Component.REPLICATION,
    text="A definition of {kind} {object} that came by way of {other} was refused: {cause} [{code}].",
    cause="It is not signed by its owner, or the owner may not define this.",
    remedy="Look at the owner's site. The revision before stays in force.",
)
DEFINITION_FROM_NEWER = Message(
    number=3335,
    name="definition-from-newer",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.REPLICATION,
    text="{kind} {object}, which came by way of {other}, needs a newer Haulage here: {cause}.",
    cause="The site that wrote it is newer and marked something as not to be ignored.",
    remedy="Update Haulage at this site; the definition is kept and used then.",
)
ORDER_EXECUTED = Message(
    number=3336,
    name="order-executed",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.REPLICATION,
    text="The order {order} of site {sender} about {object} was carried out.",
    cause="A site above asked for it.",
    remedy="Nothing to do.",
)
ORDER_REFUSED = Message(
    number=3337,
    name="order-refused",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.REPLICATION,
    text="The order {order} of site {sender} about {object} was refused: {cause} [{code}].",
    cause="This site does not allow it, or the sender has no right to it.",
    remedy="Change what the cause names, or give the order at the right site.",
)
GAP_FOUND = Message(
    number=3338,
    name="gap-found",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.REPLICATION,
    text="Messages {first} to {last} of site {other} are missing; they were asked for again.",
    cause="A message was lost on the way. Nothing after the gap was used.",
    remedy="Nothing to do.",
)
EQUIVOCATING_DEFINITION = Message(
    number=3339,
    name="equivocating-definition",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.REPLICATION,
    text="Site {owner} signed two different revisions {revision} of {kind} {object}; the first one seen stays in force.",
    cause="The owner was restored from a backup and edited again, or its key is in other hands.",
    remedy="Edit the object once more at its owner. If it was not restored lately, treat its key as stolen.",
)
PLACE_LEFT_GROUP = Message(
    number=3311,
    name="place-left-group",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.ESTATE,
    text="{place} is no more and left group {group}, to which {packages} packages are assigned.",
    cause="The site or point was removed. A group never brings anything to a place that comes back under the same name by chance.",
    remedy="Nothing to do. If it comes back and belongs to the group: haulage group add {group} {place}",
)

MESSAGES = (
    SITE_INVITED,
    SITE_JOINED,
    JOIN_REFUSED,
    SITE_REMOVED,
    SITE_AWAY,
    SITE_BACK,
    PARENT_AWAY,
    PARENT_BACK,
    EPOCH_RAISED,
    SITE_RUNS_TWICE,
    CLOCK_DIFFERS,
    RESYNC_STARTED,
    ENVELOPE_REFUSED,
    DEFINITION_REFUSED,
    DEFINITION_FROM_NEWER,
    ORDER_EXECUTED,
    ORDER_REFUSED,
    GAP_FOUND,
    EQUIVOCATING_DEFINITION,
    PLACE_LEFT_GROUP,
)
