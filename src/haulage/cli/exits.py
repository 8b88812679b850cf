"""The one table of exit codes, and the one place where errors become them. Knows no command."""

from __future__ import annotations

import enum

from haulage.base.errors import (
    ConflictError,
    FormatError,
    HaulageError,
    IntegrityError,
    NotAllowedError,
    NotFoundError,
    TransferError,
    UsageError,
)


class Exit(enum.IntEnum):
    """What a command ends with."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    TEMPORARY = 5
    PARTLY = 6
    VERIFICATION = 7
    NOT_ALLOWED = 8
    CLOSED = 9
    TIMEOUT = 10
    DEFECT = 70
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "Done, or there was nothing to do.",
    Exit.FAILED: "It failed, and trying the same again would too.",
    Exit.USAGE: "The command makes no sense as written.",
    Exit.NOT_FOUND: "Something that was named does not exist.",
    Exit.CONFLICT: "The present state forbids it.",
    Exit.TEMPORARY: "Something outside did not work this time (no server, network, disk): try later.",
    Exit.PARTLY: "Done at some places, not at all of them; or what is compared differs.",
    Exit.VERIFICATION: "Bytes are not the bytes they should be.",
    Exit.NOT_ALLOWED: "The caller may not do this.",
    Exit.CLOSED: "The window of the link is closed, or its budget is used.",
    Exit.TIMEOUT: "Still under way when --timeout was over; the work itself goes on.",
    Exit.DEFECT: "A defect of Haulage; please report it.",
    Exit.INTERRUPTED: "Stopped by Ctrl-C; work that a server does goes on.",
}

BY_FAMILY: dict[type[HaulageError], Exit] = {
    UsageError: Exit.USAGE,
    NotFoundError: Exit.NOT_FOUND,
    ConflictError: Exit.CONFLICT,
    NotAllowedError: Exit.NOT_ALLOWED,
    FormatError: Exit.FAILED,
    IntegrityError: Exit.VERIFICATION,
    TransferError: Exit.TEMPORARY,
    HaulageError: Exit.FAILED,
}

BY_CODE: dict[str, Exit] = {
    "still-under-way": Exit.TIMEOUT,
    "partly-done": Exit.PARTLY,
    "differs": Exit.PARTLY,
    "window-closed": Exit.CLOSED,
    "budget-used": Exit.CLOSED,
}
"""Errors that say more than their family."""


def exit_of(error: BaseException) -> Exit:
    """The exit code for whatever ended a command."""
    if isinstance(error, HaulageError):
        return BY_CODE.get(error.code) or next(code for kind, code in BY_FAMILY.items() if isinstance(error, kind))
    return Exit.INTERRUPTED if isinstance(error, KeyboardInterrupt) else Exit.DEFECT
