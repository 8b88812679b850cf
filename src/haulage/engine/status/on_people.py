"""Status messages about users, tokens and sessions (560 to 579), and what a person asked for (30080 to 30099)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

SIGN_INS_GUESSED = Message(
    number=560,
    name="sign-ins-guessed",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.PEOPLE,
    text="{count} sign-ins in a row were refused, as {user}, the last one from {address}.",
    cause="Somebody tries passwords, or a program goes on with an old one. Each further try is made to wait longer.",
    remedy="Ask that user. If nobody knows of it, see who is at {address}, and let the console be reached from fewer networks.",
)
PEOPLE_AS_OF_BACKUP = Message(
    number=561,
    name="people-as-of-backup",
    severity=Severity.WARNING,
    type=MessageType.MILESTONE,
    component=Component.PEOPLE,
    text="{users} users and {tokens} tokens count again as they did when the backup was taken, at {taken}.",
    cause="The site was restored. Whoever was removed or disabled since, and every token withdrawn and password changed since, is "
    "back as it was; nobody is signed in.",
    remedy="Go through haulage user list and haulage token list, and take away again what was taken away since.",
)
USER_CREATED = Message(
    number=30080,
    name="user-created",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} created user {user} with the role {role}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
USER_CHANGED = Message(
    number=30081,
    name="user-changed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} changed user {user}: {what}. {sessions} sessions ended with it.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
USER_REMOVED = Message(
    number=30082,
    name="user-removed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} removed user {user}; {sessions} sessions and {tokens} tokens ended with it.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
PASSWORD_SET = Message(
    number=30083,
    name="password-set",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} set the password of user {user}; {sessions} sessions ended with it.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do if it was you or was agreed; otherwise disable the user and see who {actor} is.",
)
TOKEN_CREATED = Message(
    number=30084,
    name="token-created",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} made token {token} ({name}) for {owner} with the role {role}, until {until}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
TOKEN_WITHDRAWN = Message(
    number=30085,
    name="token-withdrawn",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} withdrew token {token} ({name}) of {owner}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do.",
)
SIGNED_IN = Message(
    number=30086,
    name="signed-in",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} signed in to the console from {address}.",
    cause="Name and password were right, or the token of the home was shown.",
    remedy="Nothing to do.",
)
SIGN_IN_DENIED = Message(
    number=30087,
    name="sign-in-denied",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="A sign-in as {user} from {address} was refused; {untold} before it were not told one by one.",
    cause="The name or the password was wrong, or the user is disabled.",
    remedy="Nothing to do. 560 follows when it goes on.",
)
SESSIONS_ENDED = Message(
    number=30088,
    name="sessions-ended",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} ended {sessions} sessions of {user}.",
    cause="The named person asked for it.",
    remedy="Nothing to do.",
)
PERMISSION_DENIED = Message(
    number=30089,
    name="permission-denied",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.PEOPLE,
    text="{actor} has the role {role} and asked for what needs {needed}: {what}. {untold} before it were not told one by one.",
    cause="Somebody tried what its role does not allow.",
    remedy="Nothing to do; give the role if it should be allowed: haulage user set NAME --role ROLE.",
)

MESSAGES = (
    SIGN_INS_GUESSED,
    PEOPLE_AS_OF_BACKUP,
    USER_CREATED,
    USER_CHANGED,
    USER_REMOVED,
    PASSWORD_SET,
    TOKEN_CREATED,
    TOKEN_WITHDRAWN,
    SIGNED_IN,
    SIGN_IN_DENIED,
    SESSIONS_ENDED,
    PERMISSION_DENIED,
)
"""All of this module's messages."""
