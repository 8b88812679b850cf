"""Expected errors of servicing: a stable code, a sentence naming the object, the next step. ``exits.py`` maps codes to numbers."""

from __future__ import annotations


class ServicingError(Exception):
    """Something expected went wrong, or may not be done; anything else is a defect."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class DocumentError(ServicingError):
    """A document breaks the rules of its format; the message names the field."""


class RefusedError(ServicingError):
    """The request is understood and may not be carried out here; nothing was changed."""


class StepError(ServicingError):
    """A step of servicing did not succeed; what was done is being undone."""
