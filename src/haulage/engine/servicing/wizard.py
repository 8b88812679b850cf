"""The dialogue: explains the fix, asks for what is missing, shows what would be done, and does nothing before a plain yes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from haulage.engine.servicing import product, screens, trusted
from haulage.engine.servicing.apply import Looked
from haulage.engine.servicing.definition import FixDefinition
from haulage.engine.servicing.errors import RefusedError, ServicingError
from haulage.engine.servicing.manual import manual
from haulage.engine.servicing.terminal import Terminal
from haulage.engine.servicing.uninstall import Leaving

MOST_TRIES = 5


class Wizard:
    """One dialogue at one terminal."""

    def __init__(self, definition: FixDefinition, terminal: Terminal) -> None:
        self._definition = definition
        self._terminal = terminal

    def introduce(self) -> None:
        """The first screen: what this is."""
        self._lines(screens.introduction(self._definition))
        self._terminal.say()

    def ask_root(self) -> str:
        """The product's folder; the present one is offered if the product is there. Raises RefusedError ``cancelled``."""
        here = os.getcwd()
        offered = here if is_product(here, self._definition) else ""
        for _ in range(MOST_TRIES):
            answer = self._terminal.ask(f"Folder of {self._definition.product.id}{f' [{offered}]' if offered else ''}:") or offered
            if answer and os.path.isdir(answer):
                return answer
            self._terminal.say(f"There is no folder {answer}." if answer else "Write the folder the product is installed in.")
        raise _cancelled()

    def ask_trust(self, signers: Sequence[bytes]) -> bytes:
        """The key that a person says yes to. Raises RefusedError ``not-trusted``."""
        self._lines(screens.unknown_signers(signers))
        answer = self._terminal.ask("To trust it for this product from now on, write its first eight characters (else nothing):")
        for each in signers:
            if len(answer) >= 8 and trusted.fingerprint(each).startswith(answer.lower()):
                return each
        raise RefusedError("not-trusted", "The key is not trusted.", "Nothing was changed.")

    def confirm(self, root: str, looked: Looked) -> None:
        """Shows what would be done until a person says yes. Raises RefusedError ``cancelled``."""
        self._lines(["What will be done:", *(f"  {each}" for each in screens.steps(self._definition, looked)), ""])
        self._choose(
            "[i]nstall, show [d]etails, print the [m]anual way, or [q]uit:",
            "i",
            {
                "d": lambda: screens.steps(self._definition, looked, every_file=True),
                "m": lambda: manual(self._definition, root),
            },
        )

    def confirm_leaving(self, leaving: Leaving) -> None:
        """The same before a fix is taken away. Raises RefusedError ``cancelled``."""
        self._lines(["What will be done:", *(f"  {each}" for each in screens.leaving_steps(leaving)), ""])
        self._choose("[u]ninstall, or [q]uit:", "u", {})

    def _choose(self, question: str, yes: str, others: dict[str, Callable[[], Sequence[str]]]) -> None:
        for _ in range(MOST_TRIES * 2):
            answer = self._terminal.ask(question).lower()[:1]
            if answer == yes:
                return
            if answer == "q":
                raise _cancelled()
            if answer in others:
                self._lines(others[answer]())
        raise _cancelled()

    def _lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._terminal.say(line)


def is_product(folder: str, definition: FixDefinition) -> bool:
    """Whether the product of the fix stands in a folder."""
    try:
        return product.find(folder, definition).id == definition.product.id
    except ServicingError:
        return False


def _cancelled() -> RefusedError:
    return RefusedError("cancelled", "Ended without installing or taking away.", "Nothing was changed.")
