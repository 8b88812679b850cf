"""What a bundle ends with: one number for each end, those of Windows Installer where it has one. Pure.

POSIX hands only the low 8 bits to the shell (3010 arrives as 194); all low bytes differ, so none is mistaken for another, and the
full number is printed and logged.
"""

from __future__ import annotations

import enum

from haulage.engine.servicing.errors import DocumentError, RefusedError, ServicingError, StepError


class Exit(enum.IntEnum):
    """How a bundle ended."""

    DONE = 0
    USAGE = 2
    NO_RIGHTS = 5
    INSTALLED = 10
    NO_SPACE = 39
    DEFECT = 70
    SERVICE_TIMEOUT = 1053
    CANCELLED = 1602
    FAILED_AND_UNDONE = 1603
    UNFINISHED = 1604
    NO_PRODUCT = 1605
    BUSY = 1618
    DAMAGED = 1620
    NOT_TRUSTED = 1625
    UNKNOWN = 1626
    SUPERSEDED = 1638
    REBOOT_BEGUN = 1641
    NOT_APPLICABLE = 1642
    NOT_UNINSTALLABLE = 1646
    NOT_INSTALLED = 1647
    PREREQUISITES = 1648
    REBOOT_NEEDED = 3010

    @property
    def posix(self) -> int:
        """What a POSIX shell sees."""
        return int(self) & 0xFF

    @property
    def word(self) -> str:
        """The name in messages and logs: ``reboot-needed``."""
        return self.name.lower().replace("_", "-")

    @property
    def sentence(self) -> str:
        """What it means, for a person."""
        return SENTENCES[self]


SENTENCES = {
    Exit.DONE: "Done; nothing more is needed. With --check: the fix can be installed here.",
    Exit.USAGE: "The arguments make no sense; nothing was done.",
    Exit.NO_RIGHTS: "The rights to change the product or its services are missing; nothing was changed.",
    Exit.INSTALLED: "With --check: the fix is installed already.",
    Exit.NO_SPACE: "There is not enough space for the files and their backup; nothing was changed.",
    Exit.DEFECT: "An unexpected error: a defect of this program; the next start puts in order what was begun.",
    Exit.SERVICE_TIMEOUT: "A service did not stop or start in time; everything is as before.",
    Exit.CANCELLED: "Ended by the person at the wizard; nothing was changed.",
    Exit.FAILED_AND_UNDONE: "A step failed; everything is as before, and the log says which step.",
    Exit.UNFINISHED: "What was begun could be neither finished nor undone yet; the next start tries again.",
    Exit.NO_PRODUCT: "The product was not found under the given root.",
    Exit.BUSY: "Another servicing works on this root, or a program has its files open; try again when it has ended.",
    Exit.DAMAGED: "The bundle is damaged or not a bundle; nothing was extracted.",
    Exit.NOT_TRUSTED: "The bundle is unsigned, expired, or signed by a key that is not trusted for it.",
    Exit.UNKNOWN: "Whether the fix belongs here cannot be told; nothing was changed (see --force).",
    Exit.SUPERSEDED: "A later fix, or a later file, stands here already; nothing was changed (see --force).",
    Exit.REBOOT_BEGUN: "Done; the machine is already starting again.",
    Exit.NOT_APPLICABLE: "The fix is not for this product, version, service level, architecture or language; nothing was changed.",
    Exit.NOT_UNINSTALLABLE: "The fix cannot be taken away: it is made so, or something newer stands on it.",
    Exit.NOT_INSTALLED: "There is nothing to take away: the fix is not installed.",
    Exit.PREREQUISITES: "A fix or service level that must come first is missing, or an installed fix forbids this one.",
    Exit.REBOOT_NEEDED: "Done; the machine must be started again.",
}

BY_CODE = {
    "usage": Exit.USAGE,
    "no-rights": Exit.NO_RIGHTS,
    "read-only-root": Exit.NO_RIGHTS,
    "no-space": Exit.NO_SPACE,
    "service-failed": Exit.SERVICE_TIMEOUT,
    "service-timeout": Exit.SERVICE_TIMEOUT,
    "cancelled": Exit.CANCELLED,
    "unfinished": Exit.UNFINISHED,
    "product-not-found": Exit.NO_PRODUCT,
    "no-root": Exit.NO_PRODUCT,
    "no-such-root": Exit.USAGE,
    "busy": Exit.BUSY,
    "files-in-use": Exit.BUSY,
    "journal-damaged": Exit.UNFINISHED,
    "record-damaged": Exit.UNKNOWN,
    "folder-not-empty": Exit.USAGE,
    "no-such-key-file": Exit.USAGE,
    "no-such-bundle": Exit.USAGE,
    "not-its-files": Exit.NOT_TRUSTED,
    "check-failed": Exit.PREREQUISITES,
    "not-trusted": Exit.NOT_TRUSTED,
    "expired": Exit.NOT_TRUSTED,
    "wrong-role": Exit.NOT_TRUSTED,
    "unsigned": Exit.NOT_TRUSTED,
    "state-unknown": Exit.UNKNOWN,
    "superseded": Exit.SUPERSEDED,
    "newer-file": Exit.SUPERSEDED,
    "not-applicable": Exit.NOT_APPLICABLE,
    "not-uninstallable": Exit.NOT_UNINSTALLABLE,
    "newer-stands-on-it": Exit.NOT_UNINSTALLABLE,
    "backup-damaged": Exit.NOT_UNINSTALLABLE,
    "not-installed": Exit.NOT_INSTALLED,
    "prerequisites-missing": Exit.PREREQUISITES,
    "conflict": Exit.PREREQUISITES,
    "other-content": Exit.PREREQUISITES,
}
"""Error codes with an end of their own; any other ends as its class says."""


def of_error(error: ServicingError) -> Exit:
    """The end that an expected error leads to."""
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    if isinstance(error, DocumentError):
        return Exit.DAMAGED
    if isinstance(error, RefusedError):
        return Exit.UNKNOWN
    assert isinstance(error, (StepError, ServicingError))
    return Exit.FAILED_AND_UNDONE
