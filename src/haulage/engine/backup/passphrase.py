"""What a passphrase is, and where it is read from. Loads nothing heavy: the command line needs it at once."""

from __future__ import annotations

from haulage.base.errors import UsageError

PASSPHRASE_LEAST = 8
"""Characters; scrypt makes each guess cost a third of a second, a short word is guessed all the same."""
PASSPHRASE_MOST = 1024


def check_passphrase(passphrase: str) -> str:
    """The passphrase, if it can be one. Raises UsageError ``bad-passphrase``."""
    if not PASSPHRASE_LEAST <= len(passphrase) <= PASSPHRASE_MOST or not passphrase.isprintable():
        raise UsageError(
            "bad-passphrase",
            f"A passphrase has {PASSPHRASE_LEAST} to {PASSPHRASE_MOST} printable characters on one line.",
            "Choose some words that nobody would guess.",
        )
    return passphrase


def read_passphrase(path: str) -> str:
    """The first line of a file. Raises UsageError ``bad-passphrase-file``, ``bad-passphrase``."""
    try:
        with open(path, encoding="utf-8") as file:
            passphrase = file.readline(4096).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "bad-passphrase-file", f"{path} cannot be read: {error}.", "A text file with one line is needed."
        ) from None
    return check_passphrase(passphrase)
