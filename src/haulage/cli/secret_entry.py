"""Asking for a password: without echo at a terminal, otherwise the first line of standard input. Never an argument, which every
program on the machine can read."""

from __future__ import annotations

import getpass
import sys

from haulage.base.errors import UsageError
from haulage.base.text import shown

_LINE_MAX = 4096


def new_password(user: str) -> str:
    """A password to be, typed twice at a terminal. Raises UsageError ``passwords-differ``, ``no-password-given``."""
    if not _is_terminal():
        return _line()
    first = _typed(f"New password of {user}: ")
    if _typed("Once more: ") != first:
        raise UsageError("passwords-differ", "The two passwords are not the same.", "Nothing was changed; try again.")
    return first


def own_passwords() -> tuple[str, str]:
    """The password so far, and the one to be; from standard input they are its first two lines."""
    if not _is_terminal():
        return _line(), _line()
    old = _typed("Password so far: ")
    return old, new_password("yours")


def _is_terminal() -> bool:
    return bool(sys.stdin and sys.stdin.isatty())


def _typed(question: str) -> str:
    return _given(getpass.getpass(shown(question), stream=sys.stderr))


def _line() -> str:
    return _given(sys.stdin.readline(_LINE_MAX).rstrip("\r\n") if sys.stdin else "")


def _given(text: str) -> str:
    if not text:
        raise UsageError("no-password-given", "There is no password.", "Type it, or give it as a line on standard input.")
    return text
