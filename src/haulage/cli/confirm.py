"""Asking before something dangerous. Without a person at a terminal nothing is asked and nothing is done."""

from __future__ import annotations

import sys

from haulage.base.errors import ConflictError, UsageError
from haulage.base.text import shown


def confirm(question: str, yes: bool) -> None:
    """Return if it may be done. Raises UsageError ``confirmation-needed`` or ConflictError ``not-confirmed``."""
    if yes:
        return
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("confirmation-needed", f"{shown(question)} Nobody is here to be asked.", "Give --yes.")
    print(f"{shown(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConflictError("not-confirmed", "Nothing was done.", "")
